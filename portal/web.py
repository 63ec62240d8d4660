"""What all pages share: how a refusal becomes a message, and what stands around every page."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from portal.access import is_able
from portal.errors import DomainError

P = ParamSpec("P")
T = TypeVar("T")


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
        status = 404 if exception.code.startswith("unknown_") else 409
        return render(request, "refused.html", {"refusal": exception}, status=status)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What base.html shows on every page."""
    user = getattr(request, "user", None)
    return {
        "today": timezone.localdate(),
        "is_development": not settings.PRODUCTION,
        "is_staff_page": user is not None and user.is_authenticated and user.is_vendor_staff,
        "may_sell": user is not None and is_able(user, "sell"),
    }
