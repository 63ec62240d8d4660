"""What all pages share: how a refusal becomes a message, and what stands around every page."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from portal.access import is_able, staff_page
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import SentMail, User
from portal.second_factor import has_passed

P = ParamSpec("P")
T = TypeVar("T")

PAGE_LENGTH = 50  # rows of a list
NOT_THERE = ("file_missing", "build_missing")  # refusals of what should be there and is not
FRAME_ABILITIES = ("sell", "settle", "cancel", "keep_catalogue")  # that templates ask for, as may_sell …


def attempt(form: BaseForm, service: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call the service; a refusal goes beside the field that its data names, or on top of the form.

    What was typed stays in the form, which is not valid any more.
    """
    try:
        return service(*args, **kwargs)
    except DomainError as refusal:
        field = refusal.data.get("field")
        form.add_error(field if field in form.fields else None, refusal.message)
        return None


def by(request: HttpRequest) -> dict[str, Any]:
    """Who acts and when: the clock is read in views, not in services."""
    return {"actor": Actor.of(request.user), "at": timezone.now()}


DEEDS_REMEMBERED = 20


def done_once(request: HttpRequest, deed: Callable[[], str | None]) -> str | None:
    """Do the deed of a form with a token `once` and return the address it leads to, or none where it was refused.

    The same form posted again, by a double click or from an old page, leads there too and does nothing. One waits for
    the other under the lock of the session's row.
    """
    token, key = request.POST.get("once", ""), request.session.session_key
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=key)
        done = SessionStore(key).get("done", {})
        if token and token in done:
            return done[token]  # this request's session may be older than what was done: it is not saved
        address = deed()
        if address is None:
            return None
        request.session["done"] = dict([*done.items(), (token, address)][-DEEDS_REMEMBERED:])
        request.session.save()
        return address


def for_the_holder_of_the_key(response: HttpResponse) -> HttpResponse:
    """The address is the secret: no cache keeps it, no search engine lists it, no other site is told it."""
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


class DomainErrorMiddleware:
    """A refusal that no form has shown becomes a message on the page that the person came from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        came_from = request.headers.get("Referer", "")
        if request.method == "POST" and url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
            messages.error(request, exception.message)
            return HttpResponseRedirect(came_from)
        status = 404 if exception.code.startswith("unknown_") or exception.code in NOT_THERE else 409
        return render(request, "refused.html", {"refusal": exception}, status=status)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What base.html shows on every page."""
    user = getattr(request, "user", None)
    return {
        "today": timezone.localdate(),
        "is_development": not settings.PRODUCTION,
        "vendor": settings.VENDOR,
        "is_customer_page": user is not None and user.is_authenticated and user.role == User.Role.CUSTOMER,
        "organisation": getattr(request, "organisation", None),
        "organisations": getattr(request, "organisations", ()),
        "is_staff_page": user is not None and user.is_authenticated and user.is_vendor_staff and has_passed(request),
        **{f"may_{ability}": user is not None and is_able(user, ability) for ability in FRAME_ABILITIES},
    }


def home(request: HttpRequest) -> HttpResponse:
    """For visitors what the portal is, and its doors; who is logged in goes to where they work."""
    if not request.user.is_authenticated:
        return render(request, "portal/home.html")
    return redirect("renewals:my_home" if request.user.role == User.Role.CUSTOMER else "renewals:queue")


def health(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches the database; for load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
@staff_page()
def sent_mail(request: HttpRequest, mail_id: int | None = None) -> HttpResponse:
    """The mails that left, newest first, or one of them as text; in development only."""
    if settings.PRODUCTION:
        raise Http404
    mails = SentMail.objects.select_related("message").order_by("-pk")
    if mail_id is not None:
        return render(request, "portal/sent_mail_detail.html", {"mail": get_object_or_404(mails, pk=mail_id)})
    return render(
        request, "portal/sent_mail.html", {"page": Paginator(mails, PAGE_LENGTH).get_page(request.GET.get("page"))}
    )
