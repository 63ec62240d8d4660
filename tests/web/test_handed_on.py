"""A dongle that goes to another customer: neither owner sees what is the other's."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dongles.services import confirm_receipt, exchange_dongle
from dongles.unlock import receipt_of
from portal.audit import Actor
from portal.models import Contact, OutboxMessage, User
from portal.wording import write_day
from renewals.models import Order, QuoteVersion
from renewals.services.replacements import transfer_dongle
from tests import world
from tests.web.conftest import client_of
from tests.web.reading import text_of

OLD, NEW = "Institute of Cells", "Nova Clinic"


@pytest.fixture
def nova(catalogue):
    customer = world.make_customer(NEW)
    Contact.objects.filter(customer=customer).update(name="Noor Nova", email="noor@nova.example")
    return customer


@pytest.fixture
def heir(nova):
    """Noor Nova of the new owner, logged in."""
    return client_of("customer", email="noor@nova.example", customer=nova)


@pytest.fixture
def bought(owner, dongle, today):
    """An order of the owner before, whose code they have applied."""
    order = world.sell(dongle, today - timedelta(days=9))
    code = dongle.codes.get()
    ada = Actor.of(User.objects.get(email=dongle.customer.contacts.get().email))._replace(name="Ada Lenz")
    typed = receipt_of(dongle.serial, code.generation, code.sequence, code.expiry_on)
    confirm_receipt(dongle=dongle, receipt=typed, actor=ada, at=world.at(today - timedelta(days=8)))
    return order


def hand_on(dongle, nova, today):
    transfer_dongle(dongle=dongle, customer=nova, reason="Sold", actor=world.SALES, at=world.at(today))
    dongle.refresh_from_db()


def test_the_owner_before_sees_nothing_of_what_the_new_one_buys(owner, bought, dongle, nova, today):
    version = bought.version
    visitor = Client()
    visitor.get(reverse("renewals:quote_of_key", args=[version.key]))
    hand_on(dongle, nova, today)
    theirs = world.sell(dongle, today, renew_years=3)
    dongle.refresh_from_db()
    gone = {"serial": "900001", "cause": "defective", "reason": "Broken", "issued_for": "a replacement"}
    exchange_dongle(dongle=dongle, **gone, actor=world.SALES, at=world.at(today, hour=13))
    codes = [str(code) for code in dongle.codes.order_by("pk")[1:]]
    for client, address in (
        (owner, f"/my/quotes/{version.quote_id}/"),
        (owner, "/my/quotes/"),
        (owner, f"/my/orders/{bought.pk}/"),
        (owner, "/my/"),
        (owner, "/my/account/export/file.json"),
        (visitor, reverse("renewals:quote_of_link", args=[version.quote.number])),
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        page = (answer.getvalue() if answer.streaming else answer.content).decode()
        for secret in (
            NEW,
            "900001",
            theirs.number,
            theirs.version.quote.number,
            write_day(dongle.issued_expiry_on),
            dongle.issued_expiry_on.isoformat(),
            *codes[1:],
        ):
            assert secret not in page, (address, secret)
    for code in dongle.codes.all():
        assert owner.get(f"/my/dongles/{dongle.serial}/codes/{code.pk}/").status_code == 404


def test_the_new_owner_sees_nobody_and_no_business_of_the_one_before(heir, bought, dongle, nova, today):
    hand_on(dongle, nova, today)
    code = dongle.codes.get()
    for address in (f"/my/dongles/{dongle.serial}/", f"/my/dongles/{dongle.serial}/codes/{code.pk}/", "/my/"):
        page = text_of(heir.get(address))
        assert dongle.serial in page
        for secret in ("Ada Lenz", OLD, "PO-77", bought.number, bought.version.quote.number):
            assert secret not in page, (address, secret)
    page = heir.get(f"/my/dongles/{dongle.serial}/codes/{code.pk}/").content.decode()
    assert "Applied" in page
    export = b"".join(heir.get("/my/account/export/file.json")).decode()
    for secret in ("Ada Lenz", OLD, "PO-77", bought.number, code.letters, "cells.example"):
        assert secret not in export


def test_the_link_of_the_owner_before_accepts_nothing_for_a_dongle_that_went(dongle, nova, today):
    version = world.send(dongle, today)
    visitor = Client()
    visitor.get(reverse("renewals:quote_of_key", args=[version.key]))
    hand_on(dongle, nova, today)
    page = reverse("renewals:quote_of_link", args=[version.quote.number])
    hidden = visitor.get(page).context["accept_form"]["terms_version"].value()
    before = (OutboxMessage.objects.count(), QuoteVersion.objects.count())
    given = {"version": 1, "purchase_order_number": "PO-1", "accepted_by": "A", "role": "B", "agrees": "on"}
    answer = visitor.post(f"{page}accept/", {**given, "terms_version": hidden})
    assert answer.status_code == 422
    assert answer.context["choices"] == []
    assert not Order.objects.exists()
    for step in ("choose", "again"):
        visitor.post(f"{page}{step}/", {"choice": "3_years"})
    assert (OutboxMessage.objects.count(), QuoteVersion.objects.count()) == before
