"""A customer accepts a quote on its page, also one that was overtaken while they looked."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from dongles.models import Product
from portal.models import AuditEvent, Customer, OutboxMessage
from portal.wording import write_day
from renewals.models import Order, PolicySettings, PriceList, PurchaseOrderFile, QuoteVersion
from tests import papers, world
from tests.races import at_once
from tests.web.customer_quote.links import CONCEDED, TERMS, accept, given, opened, page_of, written
from tests.web.reading import text_of


def test_accepting_says_who_when_and_to_whom_the_code_is_mailed(version, today):
    client = opened(version)
    upload = SimpleUploadedFile("order.pdf", papers.PDF)
    answer = accept(version, client, purchase_order_file=upload)
    assert answer.status_code == 302
    order = Order.objects.get()
    assert (order.state, order.accepted_by, order.purchase_order_number, order.terms) == (
        "fulfilled",
        "Pat Buyer, Purchasing",
        "PO-77",
        TERMS,
    )
    assert order.files.get().name == "order.pdf"
    page = text_of(client.get(answer.url))
    assert "accepted. Thank you." in page
    assert f"{order.number} of {write_day(today)}" in page
    assert "is mailed to a…@cells.example ." in page
    assert version.quote.customer.contacts.get().email not in page
    event = AuditEvent.objects.get(action="accept", subject_kind="order")
    assert event.actor_name == f"Pat Buyer, Purchasing, by the link of quote {version.quote.number}"
    assert event.after["terms"] == TERMS


def test_a_double_click_a_reload_and_a_second_tab_accept_once(version):
    client, other = opened(version), opened(version)
    assert {accept(version, client).status_code for _ in range(3)} == {302}
    assert accept(version, other, accepted_by="Bo Late", purchase_order_file=_upload()).status_code == 302
    assert Order.objects.get().accepted_by == "Pat Buyer, Purchasing"
    assert "Pat Buyer, Purchasing" in text_of(other.get(page_of(version)))
    assert not PurchaseOrderFile.objects.exists()


def _upload(content=papers.PDF):
    return SimpleUploadedFile("order.pdf", content)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"purchase_order_number": ""}, "Enter the purchase order number."),
        ({"accepted_by": ""}, "Enter your name."),
        ({"role": ""}, "Enter your role, for example Purchasing."),
        ({"agrees": ""}, "Tick the box to agree to the terms"),
        ({"terms_version": "0" * 16}, "The terms have changed since you opened this page"),
    ],
)
def test_what_is_refused_writes_nothing_and_keeps_what_was_typed(version, fields, words):
    client, before = opened(version), written()
    answer = accept(version, client, **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    typed = {key: value for key, value in given(version, **fields).items() if value and key in ("role", "accepted_by")}
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values())
    assert written() == before


def test_who_looked_at_a_version_that_was_replaced_meanwhile_is_shown_the_newest_first(version, dongle, today):
    client = opened(version)
    world.send(dongle, today, renew_years=3, revises=version.quote)
    before = written()
    answer = accept(version, client)
    assert answer.status_code == 422
    assert "version 2, has taken the place of the one that you looked at" in text_of(answer)
    assert 'value="Pat Buyer"' in answer.content.decode()
    assert written() == before


def test_a_file_that_is_none_of_the_kinds_is_refused_and_a_good_one_is_to_be_chosen_again(version):
    client, before = opened(version), written()
    answer = accept(version, client, purchase_order_file=_upload(papers.PROGRAM))
    assert "This is no whole PDF, PNG or JPEG file" in text_of(answer)
    answer = accept(version, client, purchase_order_file=_upload(), role="")
    assert "Choose your file again" in text_of(answer)
    assert written() == before


def test_of_many_at_once_one_order_is_made(transactional_db):
    results, orders = accepted_at_once(locked=True)
    assert results == [302] * 6
    assert orders == 1


def test_without_the_lock_many_at_once_do_not_end_well(transactional_db):
    results, _ = accepted_at_once(locked=False)
    assert results != [302] * 6


def accepted_at_once(*, locked):
    """Six people press the button of one quote at the same moment; what each was answered."""
    world.make_catalogue()
    today = timezone.localdate()
    ends = (today + timedelta(days=30)).isoformat()
    version = world.send(world.make_dongle(licences=[("VOL-VIS", ends)]), today)
    clients = [opened(version) for _ in range(6)]
    calls = [lambda client=client: accept(version, client) for client in clients]
    results = at_once(calls, locked=locked)
    return [getattr(result, "status_code", None) for result in results], Order.objects.count()


def test_what_has_changed_meanwhile_is_sent_anew_at_once_and_nothing_typed_is_lost(version, dongle):
    """One licence is withdrawn: 900.00 a year are left, 1,071.00 with tax."""
    client = opened(version)
    dongle.licences.filter(product__code="VOL-VIS").update(withdrawn_on=timezone.localdate(), withdrawal_reason="Sold")
    answer = accept(version, client)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Version 2 takes its place, and stands below: look at it, then accept it." in text_of(answer)
    assert "€1,071.00 in total instead of €2,499.00." in text_of(answer)
    assert 'value="Pat Buyer"' in page
    assert 'name="version" value="2"' in page
    assert not Order.objects.exists()
    newer = QuoteVersion.objects.get(number=2)
    assert newer.state == "sent"
    assert OutboxMessage.objects.filter(kind="quote_sent", payload__version=newer.pk).exists()
    assert accept(newer, client).status_code == 302
    assert Order.objects.get().version == newer


def test_where_something_was_conceded_the_new_version_is_sales_business(dongle, today):
    version = world.send(dongle, today, **CONCEDED)
    client = opened(version)
    dongle.licences.filter(product__code="VOL-VIS").update(withdrawn_on=today, withdrawal_reason="Sold")
    answer = accept(version, client)
    assert "We make you a new offer and mail it: there is nothing that you have to do." in text_of(answer)
    assert QuoteVersion.objects.get(number=2).state == "draft"
    assert not Order.objects.exists()


def test_while_another_order_waits_no_version_after_version_is_sent(version, dongle, today):
    Customer.objects.update(fulfil_on="payment")
    world.accept(world.send(dongle, today), today)
    client = opened(version)
    for _ in range(3):
        assert "We make you a new offer" in text_of(accept(version, client))
    assert list(version.quote.versions.values_list("state", flat=True)) == ["sent", "draft"]


def test_a_quote_that_a_release_has_overtaken_is_sent_anew_under_requote(dongle, today):
    """Its SMA ended with the day before the release; the upgrades are 2,400.00 and 1,800.00, with tax 4,998.00."""
    PolicySettings.objects.update(straddle="requote")
    dongle.licences.first().periods.model.objects.update(ends_on=today - timedelta(days=3))
    version = world.send(dongle, today - timedelta(days=2))
    world.make_release("9.0", (today - timedelta(days=1)).isoformat())
    answer = accept(version, opened(version))
    assert "A major release has come out since this quote was made" in text_of(answer)
    assert QuoteVersion.objects.get(number=2).total == 499_800


def test_one_that_ran_out_is_made_anew_with_todays_prices(dongle, today):
    """Prices doubled since: 2 × 2,499.00 = 4,998.00."""
    version = world.send(dongle, today - timedelta(days=31))
    client = opened(version)
    page = text_of(client.get(page_of(version)))
    assert "No longer open" in page
    assert "Accept for" not in page
    _double_prices(today)
    assert client.post(page_of(version, "again")).url == page_of(version)
    assert client.post(page_of(version, "again")).status_code == 302  # pressed twice
    newer = QuoteVersion.objects.get(number=2)
    assert (newer.state, newer.total) == ("sent", 499_800)
    assert QuoteVersion.objects.count() == 2
    page = text_of(client.get(page_of(version)))
    assert "€4,998.00 in total instead of €2,499.00." in page
    assert "Accept for €4,998.00" in page


def _double_prices(day):
    dearer = PriceList.objects.create(name="EUR doubled", currency="EUR", segment="commercial", valid_from=day)
    for product in Product.objects.filter(code__in=world.PRICES):
        licence, year, upgrade = (2 * price for price in world.PRICES[product.code])
        dearer.entries.create(product=product, licence=licence, sma_year=year, upgrade=upgrade)


def test_accepted_from_a_page_that_is_too_old_it_is_made_anew_too(dongle, today):
    version = world.send(dongle, today - timedelta(days=31))
    answer = accept(version, opened(version))
    assert "The last day on which this quote could be accepted is over. Version 2 takes its place" in text_of(answer)
    assert 'value="Pat Buyer"' in answer.content.decode()
    assert not Order.objects.exists()


def test_one_with_terms_of_its_own_that_ran_out_is_asked_for(dongle, today):
    version = world.send(dongle, today - timedelta(days=31), **CONCEDED)
    client, before = opened(version), written()
    page = text_of(client.get(page_of(version)))
    assert "Its terms were agreed with our SMA team" in page
    assert "Get a new quote" not in page
    assert "made by our sales team" in text_of(client.post(page_of(version, "again")))
    assert written() == before
