"""The back office for people and for looking at what happened, and what all of it stands on: every write recorded.

What only grows can't be changed here either.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from knox.models import get_token_model

from portal.access import role_in_words
from portal.audit import Deed, record
from portal.changes import Values, differing, values_of
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer, Job, OutboxMessage, User
from portal.services.users import Account, change_user, create_user, remove_second_factors, unlock_login
from portal.trail import listed
from portal.web import PAGE_LENGTH, attempt, by

# What opens the portal is made on its own pages and taken away by an action on users, both recorded; of allauth's
# e-mail addresses and of Django's groups the portal makes no use.
admin.site.unregister([Authenticator, EmailAddress, get_token_model(), Group])
admin.site.disable_action("delete_selected")  # one by one, each after a look at what goes with it


class OfferedStep(NamedTuple):
    """A link to a page of its own that does something to an object."""

    name: str
    label: str


def posted(request: HttpRequest) -> Any:
    """What a form is filled with: what was posted, an empty one too."""
    return request.POST if request.method == "POST" else None


class BackOfficeAdmin(admin.ModelAdmin):
    """What all of the back office shares: the room it stands in, steps with pages of their own, history."""

    room: ClassVar[str] = "records"
    says: ClassVar[str] = ""
    steps: ClassVar[tuple[str, ...]] = ()  # methods that show a page for one object
    list_per_page = PAGE_LENGTH
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.DateField: {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
    }

    def steps_for(self, obj: Any) -> list[OfferedStep]:
        """The steps that the object's page offers."""
        return []

    def remark_on(self, obj: Any) -> str:
        """What stands on top of the object's page: what can't be changed and why, and what to do instead."""
        return ""

    def get_urls(self) -> list[Any]:
        def page(name: str) -> Any:
            view = self.admin_site.admin_view(getattr(self, name))
            return path(f"<int:object_id>/{name}/", view, name=self._url_name(name))

        return [*map(page, self.steps), *super().get_urls()]

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def address(self, name: str, *args: Any) -> str:
        """The address of one of this admin's pages."""
        return reverse(f"admin:{self._url_name(name)}", args=args)

    def object_at(self, request: HttpRequest, object_id: int) -> Any:
        obj = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def show(self, request: HttpRequest, template: str, obj: Any, title: str, **context: Any) -> HttpResponse:
        """A page about the object in the frame of the back office."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "original": obj, "title": title}
        return TemplateResponse(request, template, {**frame, **context})

    def take_step(
        self,
        request: HttpRequest,
        obj: Any,
        *,
        title: str,
        lead: str,
        button: str,
        deed: Callable[[forms.Form], tuple[Any, str]],
        form: forms.Form | None = None,
        mind: str = "",
    ) -> HttpResponse:
        """Say what a step does, ask what it needs, do it, and go to what came of it with a sentence of success."""
        form = form or forms.Form(posted(request))
        if request.method == "POST" and form.is_valid() and (done := attempt(form, deed, form)) is not None:
            reached, sentence = done
            self.message_user(request, sentence, messages.SUCCESS)
            return HttpResponseRedirect(self.address("change", reached.pk))
        response = self.show(request, "admin/step.html", obj, title, form=form, lead=lead, button=button, mind=mind)
        response.status_code = 422 if form.errors else 200
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            steps = [(self.address(step.name, obj.pk), step.label) for step in self.steps_for(obj)]
            context |= {"steps": steps, "remark": self.remark_on(obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What was done to the object, from the audit trail."""
        obj = self.object_at(request, int(object_id) if object_id.isdecimal() else 0)
        events = AuditEvent.objects.filter(subject_kind=self.opts.model_name, subject_id=obj.pk).order_by("-pk")
        page = Paginator(events, PAGE_LENGTH).get_page(request.GET.get("page"))
        return self.show(
            request,
            "admin/history.html",
            obj,
            f"History of {obj}",
            page=page,
            rows=listed(page.object_list, request.user),
        )

    def log_addition(self, *args: Any) -> None:
        """Django's own log stays empty: the audit trail says more."""

    log_change = log_deletions = log_addition

    def construct_change_message(self, *args: Any, **kwargs: Any) -> str:
        return ""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the windows in which Django would make another object in between."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class ReadOnlyAdmin(BackOfficeAdmin):
    """Rows that services write and nobody edits."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RefusableForm(forms.ModelForm):
    """A form in which a service's refusal stands, beside the field that its data names or on top."""

    refusal: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.refusal is not None:
            field = self.refusal.data.get("field")
            self.add_error(field if field in self.fields else None, self.refusal.message)
        return cleaned


class AuditedAdmin(BackOfficeAdmin):
    """Rows that people keep. Every write leaves its audit event in its own transaction, with what changed.

    Where rules apply, save_model and delete_model call a service, which records by itself; what it refuses is shown in
    the form, and nothing is written.
    """

    form = RefusableForm

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Django saves in one transaction, which a refusal undoes; then the form is shown again with the refusal."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]  # read by get_form
            return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = values_of(self.model._base_manager.select_for_update().get(pk=obj.pk)) if change else {}
        obj.save()
        self.note(request, "change" if change else "create", obj, before, values_of(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.note(request, "delete", obj, values_of(obj), {})
        obj.delete()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Rows inside the object's page; their events are the object's, so that its history tells them."""
        noun, owner = formset.model._meta.model_name, form.instance
        formset.save(commit=False)
        known = [row.pk for row in (*(row for row, _ in formset.changed_objects), *formset.deleted_objects)]
        stored = formset.model._base_manager.select_for_update().in_bulk(known)
        for row in formset.deleted_objects:
            self.note(request, f"delete_{noun}", owner, values_of(stored[row.pk]), {})
            row.delete()
        for row, _ in formset.changed_objects:
            row.save()
            self.note(request, f"change_{noun}", owner, values_of(stored[row.pk]), values_of(row), str(row))
        for row in formset.new_objects:
            row.save()
            self.note(request, f"create_{noun}", owner, {}, values_of(row))

    def note(
        self, request: HttpRequest, action: str, subject: Model, before: Values, after: Values, reason: str = ""
    ) -> None:
        """Record a deed with what differs; where nothing does, nothing was done."""
        before, after = differing(before, after)
        if before or after:
            acting = by(request)
            record(acting["actor"], acting["at"], Deed(action, subject, before, after, reason))


class LabelledFormSet(forms.BaseInlineFormSet):
    """Rows whose inputs bear the names of their columns, for who does not see those."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = field.label


class RowsInside(admin.TabularInline):
    """Rows inside an object's page; their writes are the object's (AuditedAdmin.save_formset)."""

    formset = LabelledFormSet
    formfield_overrides = BackOfficeAdmin.formfield_overrides


class ContactInline(RowsInside):
    model = Contact
    extra = 1


@admin.register(Customer)
class CustomerAdmin(AuditedAdmin):
    room = "people"
    says = "Organisations with their contacts, currency, segment and tax status."
    list_display = ("name", "country", "currency", "segment", "tax_status", "fulfil_on")
    list_filter = ("segment", "currency", "fulfil_on")
    search_fields = ("name", "contacts__email")
    inlines = (ContactInline,)


@admin.register(User)
class UserAdmin(AuditedAdmin):
    room = "people"
    says = "Who logs in, and as what. Whoever leaves is deactivated, not deleted: their name stays on what they did."
    list_display = ("email", "name", "role", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "role", "customer", "is_active")
    raw_id_fields = ("customer",)
    actions = ("remove_all_second_factors", "unlock_logging_in")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new user is active."""
        return self.fields if obj else self.fields[:-1]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        for name, words in USER_HINTS.items():
            if name in form.base_fields:
                form.base_fields[name].help_text = words
        if "is_active" in form.base_fields:
            form.base_fields["is_active"].label = "Active"
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"role": User.Role.SALES, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        account = Account(obj.email, obj.name, obj.role, obj.customer, obj.is_active)
        if change:
            change_user(user=obj, account=account, **by(request))
            return
        obj.pk = create_user(account=account, **by(request)).pk
        sentence = f"{obj.email} gets a mail with a link to choose a password."
        self.message_user(request, sentence, messages.INFO)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["roles"] = [(role.label, role_in_words(role)) for role in User.Role]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Remove all second factors")
    def remove_all_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For a lost telephone: at the next login the user sets up a new one."""
        self._do(request, users, remove_second_factors, "has no second factor any more and is logged out everywhere")

    @admin.action(description="Unlock logging in")
    def unlock_logging_in(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._do(request, users, unlock_login, "may try to log in again at once")

    def _do(self, request: HttpRequest, users: QuerySet[User], service: Callable[..., Any], outcome: str) -> None:
        for user in users:
            try:
                service(user=user, **by(request))
                self.message_user(request, f"{user} {outcome}.", messages.SUCCESS)
            except DomainError as refusal:
                self.message_user(request, f"{user}: {refusal.message}", messages.ERROR)


USER_HINTS: Mapping[str, str] = {
    "email": "To log in with, and for the link by which a password is chosen.",
    "role": "What each may do stands below.",
    "customer": "For the role of a customer only: whose dongles they see.",
    "is_active": "Without the tick nobody logs in: sessions and tokens end at once.",
}


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    says = "Who did what to which object when, with what it was before and after."
    list_display = ("at", "actor_name", "action", "subject_kind", "subject_id")
    list_filter = ("action", "subject_kind")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    says = "Mails and other work that leaves the portal, with what failed."
    list_display = ("pk", "kind", "created_at", "due_at", "attempts", "done_at", "last_error")
    list_filter = ("kind",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    says = "Long work: what was asked, how far it is, what came of it."
    list_display = ("title", "kind", "state", "asked_by", "asked_at", "ended_at")
    list_filter = ("state", "kind")
    list_select_related = ("asked_by",)
