"""Who logs in as what: made, changed and deactivated by administrators, each time recorded."""

from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client
from knox.models import get_token_model

from portal.access import ABILITIES, ABILITIES_IN_WORDS, role_in_words
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage, User
from portal.services import users as services
from portal.services.users import Account
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db
AT = world.at("2026-02-01")


@pytest.fixture
def admin(db):
    return world.make_user("administrator")


def create(by, **fields):
    account = Account(**{"email": "New@Vendor.example", "name": "Nora New", "role": "sales", **fields})
    return services.create_user(account=account, actor=Actor.of(by), at=AT)


def change(user, by, **fields):
    present = Account(user.email, user.name, user.role, user.customer, user.is_active)
    return services.change_user(user=user, account=present._replace(**fields), actor=Actor.of(by), at=AT)


def test_a_new_user_chooses_a_password_by_mail(admin):
    user = create(admin)
    assert (user.email, user.role, user.is_active) == ("new@vendor.example", "sales", True)
    assert not user.has_usable_password()
    message = OutboxMessage.objects.get()
    assert (message.kind, message.payload) == ("password_reset", {"user_id": user.pk})
    event = AuditEvent.objects.get(action="create")
    assert event.after["email"] == "new@vendor.example"
    assert not any("password" in name for name in event.after)


@pytest.mark.parametrize(
    ("code", "fields"),
    [("email_taken", {"email": "ADMINISTRATOR@vendor.example"}), ("customer_missing", {"role": "customer"})],
)
def test_a_user_that_cannot_be_is_refused_and_not_written(admin, code, fields):
    with pytest.raises(DomainError, match=code):
        create(admin, **fields)
    assert list(User.objects.all()) == [admin]
    assert not OutboxMessage.objects.exists()
    assert not AuditEvent.objects.exists()


def test_who_is_deactivated_is_logged_out_everywhere_and_has_no_token(admin):
    user = world.make_user("sales")
    client = Client()
    world.log_in(client, user)
    get_token_model().objects.create(user=user)
    assert client.get("/queue/").status_code == 200
    sessions = Session.objects.count()
    change(user, admin, is_active=False)
    assert Session.objects.count() == sessions - 1
    assert not get_token_model().objects.exists()
    assert client.get("/queue/").status_code == 302
    event = AuditEvent.objects.get(action="change")
    assert (event.before, event.after) == ({"is_active": True}, {"is_active": False})


def test_a_role_is_changed_by_another_and_recorded(admin):
    user = change(world.make_user("sales"), admin, role="finance")
    assert User.objects.get(pk=user.pk).role == "finance"
    event = AuditEvent.objects.get()
    assert (event.actor, event.before, event.after) == (admin, {"role": "sales"}, {"role": "finance"})


@pytest.mark.parametrize("fields", [{"role": "sales"}, {"is_active": False}])
def test_nobody_changes_what_they_are_themselves(admin, fields):
    world.make_user("administrator", "second@vendor.example")
    with pytest.raises(DomainError, match="own_role"):
        change(admin, admin, **fields)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("administrator", True)
    assert change(admin, admin, name="Ada Renamed").name == "Ada Renamed"


def test_the_last_administrator_stays(admin):
    world.make_user("administrator", "gone@vendor.example", is_active=False)
    with pytest.raises(DomainError, match="last_administrator"):
        services.change_user(user=admin, account=Account(admin.email, admin.name, "sales"), actor=world.SALES, at=AT)
    assert User.objects.get(pk=admin.pk).role == "administrator"
    assert not AuditEvent.objects.exists()


def test_only_who_keeps_people_may(admin):
    seller = world.make_user("sales")
    for refused in (lambda: create(seller), lambda: change(admin, seller, role="sales")):
        with pytest.raises(DomainError, match="not_allowed"):
            refused()
    assert User.objects.count() == 2


def test_every_ability_is_said_in_words():
    assert set(ABILITIES_IN_WORDS) == set().union(*ABILITIES.values())
    assert role_in_words("finance") == "Looks at everything, records payments and closes months, cancels orders."
    assert role_in_words("customer") == "Sees none of the staff's pages."


def deactivate_each_other(*, locked):
    ada, eve = (world.make_user("administrator", f"{name}@vendor.example") for name in ("ada", "eve"))
    results = at_once(
        [partial(change, ada, eve, is_active=False), partial(change, eve, ada, is_active=False)], locked=locked
    )
    return results, User.objects.filter(role="administrator", is_active=True).count()


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_deactivate_each_other_leave_one():
    results, left = deactivate_each_other(locked=True)
    assert left == 1
    assert [result.code for result in results if isinstance(result, DomainError)] == ["last_administrator"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_leave_none():
    assert deactivate_each_other(locked=False)[1] == 0


def test_a_customer_who_becomes_staff_keeps_neither_password_nor_passkey_and_is_told_by_mail(admin, catalogue):
    user = world.make_user("customer", "ada@cells.example", customer=world.make_customer())
    passkey = Authenticator.Type.WEBAUTHN
    Authenticator.objects.create(user=user, type=passkey, data={"name": "Telephone", "credential": {}})
    change(user, admin, role="sales")
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert not Authenticator.objects.filter(user=user).exists()
    assert [message.payload for message in OutboxMessage.objects.filter(kind="password_reset")] == [
        {"user_id": user.pk}
    ]
    events = AuditEvent.objects.order_by("pk").values_list("action", "before", "after")
    assert list(events) == [
        ("remove_second_factors", {"factors": ["webauthn"]}, {}),
        ("change", {"role": "customer"}, {"role": "sales"}),
    ]


def test_staff_who_change_roles_keep_both(admin):
    user = world.make_user("sales")
    change(user, admin, role="finance")
    user.refresh_from_db()
    assert user.has_usable_password()
    assert Authenticator.objects.filter(user=user).exists()
    assert not OutboxMessage.objects.exists()
