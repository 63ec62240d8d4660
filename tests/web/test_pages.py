"""The other pages of the sales desk: finding, the dongle, orders, codes; and how much they ask of the database."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.views.defaults import server_error

from dongles.keys import public_keys
from dongles.models import Dongle, Licence, UnlockCode
from dongles.unlock import apply, factory_state
from renewals.models import Order, QuoteVersion
from renewals.queries import DongleRequest
from renewals.services import quotes
from tests import world
from tests.web.reading import text_of

PRODUCTS = ("VOL-VIS", "VOL-QNT")


@pytest.mark.parametrize("spelling", ["104233", "104-233", " 104 233 ", "104‑233"])
def test_a_serial_in_any_spelling_leads_to_the_dongle(dongle, sales, spelling):
    assert sales.get(reverse("dongles:find"), {"q": spelling}).url == reverse("renewals:dongle", args=["104233"])


def test_several_dongles_of_a_customer_are_listed(dongle, sales, today):
    world.make_dongle("204233", dongle.customer, [])
    page = text_of(sales.get(reverse("dongles:find"), {"q": "cells"}))
    assert "2 dongles for “cells”" in page
    assert "204233" in page


def test_nothing_found_says_what_to_try(dongle, sales):
    assert "Nothing found" in text_of(sales.get(reverse("dongles:find"), {"q": "nobody"}))


def test_an_unknown_serial_is_a_page_that_says_so(dongle, sales):
    answer = sales.get(reverse("renewals:dongle", args=["999999"]))
    assert answer.status_code == 404
    assert "This is not possible" in text_of(answer)


def test_an_unknown_address_leads_back(sales):
    answer = sales.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is no such page" in text_of(answer)


def test_a_page_that_breaks_says_that_nothing_was_saved(rf):
    answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "What you did was not saved" in text_of(answer)


def test_a_page_of_another_role_says_so(dongle, finance):
    answer = finance.get(reverse("renewals:quote_builder", args=[dongle.serial]))
    assert answer.status_code == 403
    assert "This page is not for your role" in text_of(answer)


def test_the_dongle_page_says_how_it_stands(catalogue, sales, today):
    def standing(serial, *licences, **fields):
        world.make_dongle(serial, None, licences, **fields)
        return text_of(sales.get(reverse("renewals:dongle", args=[serial])))

    past, ahead = (today - timedelta(days=400)).isoformat(), (today + timedelta(days=200)).isoformat()
    assert "The SMA of its licence expires in" in standing("1", ("VOL-VIS", ahead))
    assert "The SMA of its 2 licences expires in" in standing("2", ("VOL-VIS", ahead), ("VOL-QNT", ahead))
    assert "The SMA of its licence expired" in standing("3", ("VOL-VIS", past))
    world.make_release("6.0", str(today - timedelta(days=300)))
    world.make_release("7.0", str(today - timedelta(days=100)))
    missed = standing("4", ("VOL-VIS", past))
    assert "Volocity 6.0 and 7.0 were missed: coming back takes an upgrade." in missed
    assert "Lapsed over a major release" in missed
    assert "Ragged: its 2 licences" in standing("5", ("VOL-VIS", past), ("VOL-QNT", ahead))
    assert "This dongle carries no licences." in standing("6")
    lost = standing("7", ("VOL-VIS", ahead), state=Dongle.State.LOST)
    assert "This dongle is lost: nothing can be sold for it." in lost
    assert "Make a quote" not in lost


def test_withdrawing_a_licence_wants_a_reason(dongle, sales):
    licence = dongle.licences.first()
    address = reverse("renewals:withdraw", args=[dongle.serial, licence.pk])
    assert "Say why." in text_of(sales.post(address, {"reason": " "}))
    licence.refresh_from_db()
    assert licence.withdrawn_on is None
    sales.post(address, {"reason": "Scrapped"})
    licence.refresh_from_db()
    assert licence.withdrawal_reason == "Scrapped"


def test_an_order_that_waits_for_its_payment_is_fulfilled_by_finance(dongle, finance, sales, today):
    dongle.customer.fulfil_on = "payment"
    dongle.customer.save()
    order = world.sell(dongle, today)
    address = reverse("renewals:order", args=[order.pk])
    waiting = text_of(sales.get(address))
    assert "Waiting for the payment" in waiting
    assert "€2,499.00" in waiting
    tomorrow = (today + timedelta(days=1)).isoformat()
    answer = finance.post(reverse("renewals:pay", args=[order.pk]), {"paid_on": tomorrow})
    assert answer.status_code == 422
    assert "This day is in the future." in text_of(answer)
    assert not UnlockCode.objects.exists()
    finance.post(reverse("renewals:pay", args=[order.pk]), {"paid_on": today.isoformat()})
    order.refresh_from_db()
    assert order.state == "fulfilled"
    assert "Apply the code" in text_of(sales.get(address))


def test_cancelling_refuses_a_day_before_the_order_and_a_missing_reason(dongle, sales, today):
    order = world.sell(dongle, today)
    address = reverse("renewals:cancel", args=[order.pk])
    for typed, sentence in (
        ({"from_on": today.isoformat(), "reason": ""}, "Say why."),
        ({"from_on": "31.2.2027", "reason": "Sold"}, "Enter a valid date."),
        ({"from_on": (today - timedelta(days=1)).isoformat(), "reason": "Sold"}, "can be cancelled from that day on"),
    ):
        answer = sales.post(address, typed)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
    order.refresh_from_db()
    assert order.state == "fulfilled"
    sales.post(address, {"from_on": today.isoformat(), "reason": "Sold", "is_mistake": "on"})
    order.refresh_from_db()
    assert order.state == "cancelled"
    page = text_of(sales.get(reverse("renewals:order", args=[order.pk])))
    assert "As it was ordered, before the cancellation" in page
    assert UnlockCode.objects.count() == 2


def receipt_shown_by(code):
    """What a simulated dongle shows once it has applied the code."""
    keys = public_keys()
    outcome, state = apply(factory_state(code.dongle.serial, keys.root, keys.slots), code.letters)
    assert outcome == "applied"
    return state.receipt


def test_the_code_page_has_rows_to_type_a_picture_and_a_file(dongle, sales, today):
    world.sell(dongle, today)
    code = dongle.codes.get()
    page = sales.get(reverse("dongles:code", args=[code.pk])).content.decode()
    rows = re.findall(r"<li><code>([^<]*)</code></li>", page)
    file = sales.get(reverse("dongles:code_file", args=[code.pk]))
    assert file.content.decode() == code.letters == re.sub(r"[- ]", "", "".join(rows))
    assert file["Content-Disposition"] == f'attachment; filename="104233-0-{code.sequence}.smacode"'
    assert sales.get(reverse("dongles:code_qr", args=[code.pk]))["Content-Type"] == "image/svg+xml"


def test_the_receipt_of_the_dongle_confirms_the_code_and_a_wrong_one_does_not(dongle, sales, today):
    world.sell(dongle, today)
    code = dongle.codes.get()
    address = reverse("dongles:receipt", args=[code.pk])
    answer = sales.post(address, {"receipt": "ABCD-EFGH"})
    assert answer.status_code == 422
    assert 'id="id_receipt_error"' in answer.content.decode()
    dongle.refresh_from_db()
    assert dongle.confirmed_expiry_on == today + timedelta(days=30)
    answer = sales.post(address, {"receipt": receipt_shown_by(code)}, follow=True)
    assert "Applied" in text_of(answer)
    dongle.refresh_from_db()
    assert dongle.confirmed_expiry_on == code.expiry_on


def queries_of(client, address):
    client.get(address)  # the session and what is cached
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def server(serial, customer, licences, ends):
    """A licence server whose licences each have periods of their own."""
    return world.make_dongle(
        serial, customer, [(PRODUCTS[i % 2], ends) for i in range(licences)], kind=Dongle.Kind.LICENCE_SERVER
    )


def test_no_page_asks_more_of_the_database_the_more_licences_there_are(catalogue, sales, today):
    customer, ends = world.make_customer(), (today + timedelta(days=30)).isoformat()
    asked: dict[int, dict[str, int]] = {}
    for number in (1, 20):
        dongle = server(f"QUOTED{number}", customer, number, ends)
        version = world.draft(dongle, today, renew_years=3)
        order = world.sell(server(f"SOLD{number}", customer, number, ends), today)
        asked[number] = {
            name: queries_of(sales, reverse(f"renewals:{name}", args=args))
            for name, args in (
                ("dongle", [dongle.serial]),
                ("quote_builder", [dongle.serial]),
                ("quote_version", [version.quote_id, version.number]),
                ("order", [order.pk]),
            )
        }
        asked[number]["code"] = queries_of(
            sales, reverse("dongles:code", args=[order.version.dongles.get().dongle.codes.get().pk])
        )
    assert asked[1] == asked[20]
    assert Licence.objects.count() == 42


def test_a_quote_asks_no_more_of_the_database_the_more_dongles_it_has(catalogue, sales, today):
    customer, ends = world.make_customer(), (today + timedelta(days=30)).isoformat()
    asked = []
    for number in (1, 5):
        dongles = [server(f"S{number}X{i}", customer, 2, ends) for i in range(number)]
        version = quotes.draft_quote(
            customer=customer,
            requests=[DongleRequest(each, 1) for each in dongles],
            actor=world.SALES,
            at=world.at(today),
        )
        asked.append(queries_of(sales, reverse("renewals:quote", args=[version.quote_id])))
    assert asked[0] == asked[1]


def test_lists_ask_no_more_of_the_database_the_longer_they_are(catalogue, sales, today):
    customer, ends = world.make_customer(), (today + timedelta(days=30)).isoformat()
    addresses = [reverse("renewals:quotes"), reverse("renewals:orders"), reverse("dongles:find") + "?q=cells"]
    world.sell(server("A1", customer, 1, ends), today)
    server("A2", customer, 1, ends)
    few = [queries_of(sales, address) for address in addresses]
    for number in range(3, 9):
        world.sell(server(f"A{number}", customer, 1, ends), today)
    assert [queries_of(sales, address) for address in addresses] == few
    assert (QuoteVersion.objects.count(), Order.objects.count()) == (7, 7)
