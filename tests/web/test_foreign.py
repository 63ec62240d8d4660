"""To a customer what is another one's is as what is not there: alike on every address and by every method."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import signing
from django.test import Client

from dongles.models import ReleaseFile
from dongles.web.downloads import SALT
from renewals.models import Order, QuoteVersion
from tests import world
from tests.web.test_guards import patterns

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")

# By every address of customers' pages that names a thing: another customer's, and one that nobody has.
# `theirs` is the dongle of somebody else; each entry makes of it the two things that the address is asked for.
NAMING = {
    "my/dongles/<slug:serial>/": lambda theirs: [(theirs.serial,), ("999999",)],
    "my/dongles/<slug:serial>/codes/<int:code_id>/": lambda theirs: codes_of(theirs),
    "my/dongles/<slug:serial>/codes/<int:code_id>/qr.svg": lambda theirs: codes_of(theirs),
    "my/dongles/<slug:serial>/codes/<int:code_id>/file/": lambda theirs: codes_of(theirs),
    "my/dongles/<slug:serial>/codes/<int:code_id>/receipt/": lambda theirs: codes_of(theirs),
    "my/orders/<int:order_id>/": lambda theirs: [(orders_of(theirs).pk,), (999_999,)],
    "my/downloads/<int:file_id>/": lambda theirs: [(build_of_another_family().pk,), (700_002,)],
    "my/downloads/<slug:serial>/addresses/": lambda theirs: [(theirs.serial,), ("NOBODYS",)],
    "downloads/<str:signed>/": lambda theirs: [(link_of(theirs),), ("nonsense",)],
    **{
        f"my/quotes/<int:quote_id>/{step}": lambda theirs: [(theirs.quoted.get().version.quote_id,), (999_999,)]
        for step in ("", "document/", "accept/", "decline/", "ask/", "choose/", "again/")
    },
    "my/account/contacts/<int:contact_id>/": lambda theirs: contacts_asked(theirs),
    "my/account/contacts/<int:contact_id>/left/": lambda theirs: contacts_asked(theirs),
    "my/account/contacts/<int:contact_id>/back/": lambda theirs: contacts_asked(theirs),
    "my/account/contacts/<int:contact_id>/reminders/": lambda theirs: contacts_asked(theirs),
    "my/account/passkeys/<int:passkey_id>/remove/": lambda theirs: passkeys_asked(theirs),
}
# Addresses that name nothing, and show or do what is of one's own organisation alone.
NAMING_NOTHING = {
    "my/",
    "my/quotes/",
    "my/renew/",
    "my/downloads/",
    "my/support/",
    "my/organisation/",
    "my/account/",
    "my/account/contacts/new/",
    "my/account/addresses/",
    "my/account/passkeys/add/",
    "my/account/export/",
    "my/account/export/file.json",
}


def contacts_asked(theirs):
    return [[theirs.customer.contacts.get().pk], [987_654]]


def passkeys_asked(theirs):
    user = world.make_user("customer", "passkey@elsewhere.example", customer=theirs.customer)
    return [[Authenticator.objects.create(user=user, type="webauthn", data={"name": "Theirs"}).pk], [987_654]]


def codes_of(theirs):
    return [(theirs.serial, theirs.codes.get().pk), ("999999", 999_999)]


def orders_of(theirs):
    return Order.objects.get(version__dongles__dongle=theirs)


def build_of_another_family():
    """The file of a build of a family that the one who asks has no licence of."""
    file = world.make_release_file(world.make_release("7.0", "2025-05-05", family="Openlab"))
    ReleaseFile.objects.filter(pk=file.pk).update(id=700_001)  # a number that stands nowhere else in the answer
    file.pk = 700_001
    return file


def link_of(theirs):
    """A link to a file of theirs, as their own user gets it, to a build that would be anybody's here."""
    file = world.make_release_file(world.make_release("6.0", "2025-05-05"))
    user = world.make_user("customer", email="other@cells.example", customer=theirs.customer)
    return signing.dumps({"file": file.pk, "customer": theirs.customer_id, "user": user.pk}, salt=SALT)


def customers_addresses():
    return {address for address, view in patterns() if hasattr(view, "is_for_customers")}


@pytest.fixture
def theirs(catalogue, today):
    """Another customer's dongle with everything that one can have."""
    dongle = world.make_dongle("204233", world.make_customer("Somebody else"), [("VOL-VIS", today.isoformat())])
    world.sell(dongle, today)
    return dongle


def test_every_address_of_customers_pages_is_asked_here():
    assert customers_addresses() == {*NAMING, *NAMING_NOTHING}


def path_of(address, thing):
    parts = iter(thing)
    return "/" + re.sub(r"<[^>]+>", lambda _: str(next(parts)), address)


def said(answer, path):
    """All that an answer says, but for its own address, the token of a form, and the moment."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode().replace(path, ""))
    return answer.status_code, body, {**answer.headers, "Content-Length": "", "Expires": ""}


@pytest.mark.parametrize("address", sorted(NAMING))
def test_what_is_somebody_elses_is_as_what_is_not_there(address, owner, theirs):
    paths = [path_of(address, thing) for thing in NAMING[address](theirs)]
    for method in METHODS:
        is_theirs, is_nobodys = (said(getattr(owner, method)(path), path) for path in paths)
        assert is_theirs == is_nobodys, method
        assert is_theirs[0] in (404, 405), method


def test_who_is_not_logged_in_is_asked_to_whatever_the_address_names(theirs):
    for address in sorted({*NAMING, *NAMING_NOTHING}):
        for thing in NAMING[address](theirs) if address in NAMING else [()]:
            path = path_of(address, thing)
            answer = Client().get(path)
            assert answer.status_code in (302, 405), path
            if answer.status_code == 302:
                assert answer.url.startswith(f"/accounts/login/code/?next={path[:4]}"), path


def test_staff_have_pages_of_their_own(sales):
    assert {sales.get(f"/{address}").status_code for address in NAMING_NOTHING} == {403, 405}


def test_a_quote_for_somebody_elses_dongle_can_not_be_asked_for(owner, dongle, theirs):
    quotes = QuoteVersion.objects.count()
    for method in (owner.get, owner.post):
        answers = [
            method("/my/renew/", {"dongle": [dongle.serial, serial], "way": "years", "years": "1", "once": "a"})
            for serial in (theirs.serial, "999999", "?")
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert len({re.sub(r"\w{64}", "", answer.content.decode()) for answer in answers}) == 1
    assert QuoteVersion.objects.count() == quotes


def test_access_ends_with_the_contact(owner, dongle, today):
    assert dongle.serial in owner.get("/my/").content.decode()
    dongle.customer.contacts.update(left_on=today)
    assert owner.get("/my/").status_code == 403


def test_who_is_on_file_with_two_organisations_sees_the_one_chosen_last(owner, dongle):
    other = world.make_customer("Another institute")
    other.contacts.update(email=dongle.customer.contacts.get().email.upper())
    assert dongle.customer.name in owner.get("/my/").content.decode()
    dongle.customer.users.update(customer=other)
    page = owner.get("/my/").content.decode()
    assert other.name in page
    assert dongle.serial not in page
