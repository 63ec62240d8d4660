"""A customer's passkeys: each logs in by itself, so that no code by mail is needed."""

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_registration
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import customer_page
from portal.accounts import passkeys
from portal.models import Customer, User
from portal.second_factor import AddPasskeyForm
from portal.services.logins import add_passkey, remove_passkey
from portal.web import by


def passkeys_of(user: User) -> QuerySet[Authenticator]:
    """The user's own, in the order in which they came."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk")


@require_http_methods(["GET", "POST"])
@customer_page
def add(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Make a passkey on this device. It has to verify its owner, and to be found without a name being typed."""
    form = AddPasskeyForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        made = {name: form.cleaned_data[name] for name in ("name", "credential")}
        passkey = add_passkey(user=request.user, **made, **by(request))
        messages.success(request, f"{passkey} logs you in from now on.")
        return redirect("renewals:my_account")
    context = {"form": form, **passkeys(request, begin_registration(request.user, True))}
    return render(request, "renewals/my/add_passkey.html", context, status=422 if form.errors else 200)


@require_POST
@customer_page
def remove(request: HttpRequest, customer: Customer, passkey_id: int) -> HttpResponse:
    """Let a passkey open nothing any more."""
    passkey = get_object_or_404(passkeys_of(request.user), pk=passkey_id)
    remove_passkey(passkey=passkey, **by(request))
    messages.success(request, f"{passkey} opens nothing any more. Delete it on the device too.")
    return redirect("renewals:my_account")
