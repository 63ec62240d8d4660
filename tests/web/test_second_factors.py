"""One's own second factors and password, and what administrators do for those of others."""

import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from portal.services import users as services
from tests import world
from tests.web.test_login import PASSWORD, SET_UP, actions, give_password, is_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(client):
    """A member of staff, logged in a moment ago."""
    user = world.make_user()
    world.log_in(client, user)
    return user


def add_passkey(user, name="Key"):
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})


def test_the_only_factor_can_not_be_removed(client, sam):
    page = client.get(SET_UP).content.decode()
    assert reverse("mfa_deactivate_totp") not in page
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code == 422
    assert "This is your only second factor." in answer.content.decode()
    Authenticator.objects.all().delete()
    RecoveryCodes.activate(sam)  # codes alone are no factor
    answer = client.post(reverse("mfa_remove_webauthn", args=[add_passkey(sam).pk]))
    assert answer.status_code == 422
    assert sorted(Authenticator.objects.values_list("type", flat=True)) == ["recovery_codes", "webauthn"]
    assert actions(sam) == []


def test_one_of_two_factors_can_be_removed_and_renamed(client, sam):
    passkey = add_passkey(sam)
    client.post(reverse("mfa_edit_webauthn", args=[passkey.pk]), {"name": "Desk"})
    assert "Desk" in client.get(SET_UP).content.decode()
    assert client.post(reverse("mfa_deactivate_totp")).url == SET_UP
    assert list(Authenticator.objects.values_list("type", flat=True)) == ["webauthn"]
    assert actions(sam) == ["rename_passkey", "remove_second_factor"]
    TOTP.activate(sam, world.FACTOR_SECRET)
    assert client.post(reverse("mfa_remove_webauthn", args=[passkey.pk])).url == SET_UP
    assert list(Authenticator.objects.values_list("type", flat=True)) == ["totp"]


def test_nobody_reaches_the_passkeys_of_others(client, sam):
    theirs = add_passkey(world.make_user("finance"))
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert client.post(reverse(name, args=[theirs.pk]), {"name": "Mine"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.data["name"] == "Key"


def test_after_five_minutes_the_password_is_asked_again_before_factors_change(client, sam):
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time() - 301}]
    session.save()
    add_passkey(sam)
    for name in ("mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).url.startswith(reverse("account_reauthenticate")), name
    again = reverse("account_reauthenticate") + "?next=" + reverse("mfa_deactivate_totp")
    assert client.post(again, {"password": "wrong"}).status_code == 422
    assert client.post(again, {"password": PASSWORD}).url == reverse("mfa_deactivate_totp")
    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200
    assert is_in(client)


def test_new_recovery_codes_replace_the_old_ones(client, sam):
    old = RecoveryCodes.activate(sam).get_unused_codes()
    client.post(reverse("mfa_generate_recovery_codes"))
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert len(re.findall(r"<li><code>\d{8}", page)) == 10
    assert not any(code in page for code in old)
    assert actions(sam) == ["renew_recovery_codes"]


def test_the_password_is_changed_and_other_sessions_end(client, sam):
    other = Client()
    world.log_in(other, sam)
    address, new = reverse("account_change_password"), "quite another password"
    wrong = {"oldpassword": "x", "password1": new, "password2": new}
    assert client.post(address, wrong).status_code == 422
    assert client.post(address, {**wrong, "oldpassword": PASSWORD}).url == SET_UP
    assert is_in(client)
    assert not is_in(other)
    assert actions(sam) == ["change_password"]


BOSS = Actor("Boss", None, "administrator")


def test_an_administrator_removes_a_users_factors_who_is_then_logged_out_everywhere(client, sam, administrator):
    RecoveryCodes.activate(sam)
    AuthToken.objects.create(user=sam)
    listed = reverse("admin:portal_user_changelist")
    page = administrator.post(listed, {"action": "remove_all_second_factors", "_selected_action": sam.pk}, follow=True)
    assert "has no second factor any more" in page.content.decode()
    assert not Authenticator.objects.filter(user=sam).exists()
    assert not AuthToken.objects.exists()
    assert client.get("/orders/").url.startswith("/accounts/login/")
    assert administrator.get(listed).status_code == 200  # others stay logged in
    event = AuditEvent.objects.get(action="remove_second_factors")
    assert (event.subject_id, event.before) == (sam.pk, {"factors": ["recovery_codes", "totp"]})
    give_password(client, sam)
    assert client.get("/orders/").url == SET_UP


def test_nobody_removes_their_own_in_the_back_office_and_only_administrators_remove(sam):
    boss = world.make_user("administrator")
    for user, actor, code in ((boss, boss, "own_second_factor"), (boss, sam, "not_allowed")):
        with pytest.raises(DomainError) as refusal:
            services.remove_second_factors(user=user, actor=Actor.of(actor), at=timezone.now())
        assert refusal.value.code == code
    with pytest.raises(DomainError, match="role"):
        services.unlock_login(user=boss, actor=Actor.of(sam), at=timezone.now())
    assert Authenticator.objects.count() == 2
    assert not AuditEvent.objects.exists()


def test_sessions_that_are_over_are_left_alone(sam):
    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    services.remove_second_factors(user=sam, actor=BOSS, at=timezone.now())
    assert Session.objects.count() == 1


def test_the_command_line_helps_the_only_administrator(capsys):
    user = world.make_user("administrator")
    call_command("remove_second_factors", "Administrator@vendor.example")
    assert "(1 removed)" in capsys.readouterr().out
    assert not Authenticator.objects.exists()
    assert actions(user) == ["remove_second_factors", "unlock_login"]
    with pytest.raises(CommandError, match="Nobody"):
        call_command("remove_second_factors", "nobody@vendor.example")
