"""A visitor asks for a quote without logging in (Q5): two pages of questions, one to check the answers, done.

Nothing is looked up here, so that neither words nor time tell what is on record: what was typed is kept, and
`renewals/services/answers.py` does the rest, called by the outbox. Answers lie in the session until they are sent.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods
from redis.exceptions import RedisError

from dongles.pasted import serials_in
from portal.web import attempt, done_once
from renewals import limits
from renewals.forms.visitors import DetailsForm, SerialsForm
from renewals.overviews.requests import askable_on, wishes_in_words
from renewals.services.answers import PORTAL
from renewals.services.requests import ask_for_quote

View = Callable[..., HttpResponse]
MOST_BYTES = 128 * 1024
KEPT_SECONDS = 4 * 3600
ANSWERS, SENT = "renew", "renew_sent"
NO_COOKIE = (
    "Your browser did not give back the cookie by which this page knows you again, so nothing was kept or sent. Allow"
    " cookies for this site, then press the button once more."
)


class _NotedCsrf(CsrfViewMiddleware):
    """A refused token is noted, not answered: the page comes back with what was typed, and says what to do."""

    def _reject(self, request: HttpRequest, reason: str) -> None:
        request.is_without_cookie = True


def _question(view: View) -> View:
    """A page of these: kept by no cache, not too large, and never lost for want of a cookie."""

    @wraps(view)
    def bounded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return render(request, "renewals/renew/too_large.html", status=413)
        return checked(request, *args, **kwargs)

    checked = decorator_from_middleware(_NotedCsrf)(view)
    return csrf_exempt(never_cache(bounded))


def _is_without_cookie(request: HttpRequest) -> bool:
    return getattr(request, "is_without_cookie", False)


def _answers(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.session.get(ANSWERS, {})
    return found


def _keep(request: HttpRequest, **answers: Any) -> None:
    request.session[ANSWERS] = {"once": uuid4().hex, **_answers(request), **answers}
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_SECONDS)


@require_http_methods(["GET", "POST"])
@_question
def serials_page(request: HttpRequest) -> HttpResponse:
    """Which dongles it is about."""
    kept = _answers(request)
    form = SerialsForm(request.POST if request.method == "POST" else None, initial=kept)
    if _is_without_cookie(request):
        form.add_error(None, NO_COOKIE)
    elif request.method == "POST" and form.is_valid():
        _keep(request, serials=form.cleaned_data["serials"])
        return redirect("renewals:renew_check" if kept.get("details") else "renewals:renew_details")
    context = {"form": form, "is_lost": "again" in request.GET and not kept.get("serials")}
    return render(request, "renewals/renew/serials.html", context, status=_status(request, form))


@require_http_methods(["GET", "POST"])
@_question
def details_page(request: HttpRequest) -> HttpResponse:
    """Who asks, and what for."""
    kept = _answers(request)
    typed = request.POST.dict() if request.method == "POST" else kept.get("details")
    form = _details_form(request, kept, typed)
    if _is_without_cookie(request):
        form.add_error(None, NO_COOKIE)
    elif request.method == "POST":
        _keep(request, details={name: typed[name] for name in form.fields if name in typed})
    if not kept.get("serials") and not _is_without_cookie(request):
        return _begin_again()
    if request.method == "POST" and form.is_valid():
        return redirect("renewals:renew_check")
    context = {"form": form, "is_changed": bool(kept.get("details"))}
    return render(request, "renewals/renew/details.html", context, status=_status(request, form))


@require_http_methods(["GET", "POST"])
@_question
def check_page(request: HttpRequest) -> HttpResponse:
    """All answers to be checked, and sent. The same sent twice is one request."""
    once = request.POST.get("once", "")
    if request.method == "POST" and not _is_without_cookie(request) and _has_session(request):
        answer: list[HttpResponse] = []
        if address := done_once(request, lambda: _send(request, once, answer)):
            return redirect(address)
        if answer:
            return answer[0]
    kept = _answers(request)
    if not kept.get("serials"):
        return redirect("renewals:renew_done") if request.session.get(SENT) else _begin_again()
    form = _details_form(request, kept, kept.get("details") or {})
    if not form.is_valid():
        return redirect("renewals:renew_details")
    refusal = NO_COOKIE if _is_without_cookie(request) else ""
    return _check(request, form, refusal, 403 if refusal else 200)


@never_cache
@require_GET
def done_page(request: HttpRequest) -> HttpResponse:
    """The reference, and what happens next: the same for everybody."""
    number = request.session.get(SENT)
    return render(request, "renewals/renew/done.html", {"number": number}) if number else _begin_again()


def _send(request: HttpRequest, once: str, answer: list[HttpResponse]) -> str | None:
    """Keep the request and return the address of what comes next; where it can't be taken, `answer` gets the page."""
    kept = _answers(request)
    form = _details_form(request, kept, kept.get("details") or {})
    if not kept.get("serials") or once != kept.get("once") or not form.is_valid():
        return None
    serials = serials_in(kept["serials"]).serials
    try:
        seconds = limits.seconds_held(request, serials, form.cleaned_data["email"])
        if not seconds:
            limits.count(request, serials, form.cleaned_data["email"])
    except RedisError:
        answer.append(_unavailable(request, form))
        return None
    if seconds:
        answer.append(_held(request, form, seconds))
        return None
    asked = attempt(
        form,
        ask_for_quote,
        serials=serials,
        wanted=form.wanted,
        is_machine=form.is_machine,
        **form.contact,
        actor=PORTAL,
        at=timezone.now(),
    )
    if asked is None:
        answer.append(_check(request, form, " ".join(form.non_field_errors()), 422))
        return None
    del request.session[ANSWERS]
    request.session[SENT] = asked.number
    return reverse("renewals:renew_done")


def _held(request: HttpRequest, form: DetailsForm, seconds: int) -> HttpResponse:
    words = (
        "More requests than usual came from your network, for one of these serial numbers or with this e-mail address."
        f" Try again in {limits.in_words(seconds)}; your answers are kept here for"
        f" {KEPT_SECONDS // 3600} hours. If it is urgent, write to {settings.VENDOR['email']}."
    )
    response = _check(request, form, words, 429)
    response["Retry-After"] = str(seconds)
    return response


def _unavailable(request: HttpRequest, form: DetailsForm) -> HttpResponse:
    words = (
        "Requests can’t be taken at this moment. Try again in a few minutes; your answers are kept. If it is urgent,"
        f" write to {settings.VENDOR['email']}."
    )
    return _check(request, form, words, 503)


def _check(request: HttpRequest, form: DetailsForm, refusal: str, status: int) -> HttpResponse:
    kept = _answers(request)
    serials = serials_in(kept["serials"]).serials
    wanted = wishes_in_words(form.wanted, len(serials))
    context = {"form": form, "serials": serials, "wanted": wanted, "once": kept["once"], "refusal": refusal}
    return render(request, "renewals/renew/check.html", context, status=status)


def _details_form(request: HttpRequest, kept: dict[str, Any], typed: Any) -> DetailsForm:
    user = request.user
    known = {"name": user.name, "email": user.email} if user.is_authenticated else {}
    askable = askable_on(timezone.localdate())
    serials = serials_in(kept.get("serials", "")).serials
    return DetailsForm(typed, initial=known, serials=serials, **askable._asdict())


def _has_session(request: HttpRequest) -> bool:
    """Whether the visitor's session is there: `done_once` waits for its row."""
    request.session.get(ANSWERS)  # a session that is gone loses its key when it is read
    key = request.session.session_key
    return key is not None and Session.objects.filter(pk=key).exists()


def _begin_again() -> HttpResponse:
    return redirect(f"{reverse('renewals:renew')}?again")


def _status(request: HttpRequest, form: Any) -> int:
    if request.method != "POST":
        return 200
    return 403 if _is_without_cookie(request) else 422 if form.errors else 200
