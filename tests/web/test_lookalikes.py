"""E-mail addresses that look alike, or that the database takes for one another, are different people's.

PostgreSQL and Python take the dotless i, the long s and the Kelvin sign for i, s and k, each in ways of its own, and
Django takes them for letters of an address. Whoever owns such a domain reads the mail of its addresses.
"""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from portal import outbox
from portal.access import contacts_on_file, organisations_of
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, SentMail, User
from portal.services.customers import add_contact
from tests import world
from tests.web.mailed_codes import ask, confirm, is_in, mailed

pytestmark = pytest.mark.django_db
THEIRS = "mike@sky.example"
# Other mailboxes: a domain with such a letter is another domain.
LOOK_ALIKE = ["m\u0131ke@sky.example", "mike@\u017fky.example", "mi\u212ae@sky.example", "m\u0130ke@sky.example"]


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def victim(catalogue):
    customer = world.make_customer("Zeta Institute")
    Contact.objects.filter(customer=customer).update(email=THEIRS, name="Mike")
    return customer.contacts.get()


@pytest.fixture
def attacker(catalogue):
    """Somebody of an organisation that comes first by its name, and has written a contact for themselves."""
    customer = world.make_customer("Aardvark Laboratory")
    Contact.objects.filter(customer=customer).update(email=LOOK_ALIKE[1], name="Not Mike")
    return customer.contacts.get()


@pytest.mark.parametrize("address", LOOK_ALIKE)
def test_an_address_that_looks_like_a_contacts_is_on_file_nowhere(victim, address):
    assert list(contacts_on_file(THEIRS.upper())) == [victim]
    assert not contacts_on_file(address).exists()
    client = Client()
    ask(client, address)
    outbox.drain()
    # The form takes a Kelvin sign for a k, as domains do: that is the contact's own address.
    assert all(mail.recipients == [THEIRS] for mail in SentMail.objects.all())


def test_a_code_for_somebody_goes_to_them_and_not_to_an_address_like_theirs(victim, attacker, client):
    ask(client, THEIRS)
    mailed()
    assert [mail.recipients for mail in SentMail.objects.all()] == [[THEIRS]]


def test_who_logs_in_with_an_address_like_somebodys_sees_none_of_theirs(victim, attacker, client):
    ask(client, attacker.email)
    code = mailed()
    assert SentMail.objects.get().recipients == [attacker.email]
    confirm(client, code)
    assert is_in(client)
    user = User.objects.get()
    assert list(organisations_of(user)) == [attacker.customer]
    assert "Zeta" not in client.get("/my/").content.decode()
    chosen = client.post(reverse("renewals:choose_organisation"), {"organisation": victim.customer_id})
    assert chosen.status_code == 404


def test_a_user_who_is_deactivated_gets_in_by_no_other_spelling(victim, client):
    world.make_user("customer", THEIRS, customer=victim.customer, is_active=False)
    for address in (THEIRS, THEIRS.upper(), *LOOK_ALIKE):
        ask(client, address)
    outbox.drain()
    assert not SentMail.objects.exists()
    assert User.objects.count() == 1


def test_a_contact_whose_name_before_the_at_sign_has_such_a_letter_is_not_put_on_file(victim):
    with pytest.raises(DomainError) as refusal:
        add_contact(
            customer=victim.customer,
            name="Not Mike",
            email=LOOK_ALIKE[2],
            actor=world.SALES,
            at=world.at("2026-02-01"),
        )
    assert (refusal.value.code, refusal.value.data) == ("contact_invalid", {"field": "email"})
    assert victim.customer.contacts.count() == 1
    assert not AuditEvent.objects.exists()


def test_spelling_an_address_otherwise_buys_no_further_mails(victim, client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"request_login_code": "3/15m/key"}
    for address in (THEIRS, "Mike@sky.example", "MIKE@SKY.EXAMPLE", "mIKE@sky.example", "mike@SKY.example"):
        ask(client, address)
    outbox.drain()
    assert SentMail.objects.count() == 3
