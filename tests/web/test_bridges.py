"""Bridging codes through their pages (rule Q7). The dongle is paid for 30 days more: a bridge lasts 60 days at most."""

import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse

from dongles.models import UnlockCode
from portal.wording import write_day
from renewals.models import Bridge
from renewals.overviews.bridges import bridging_of
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.services.bridges import grant_bridge
from tests import world
from tests.web.reading import text_of


@pytest.fixture
def version(dongle, today):
    return world.send(dongle, today)


@pytest.fixture
def last(today):
    return today + timedelta(days=60)


def page_of(version):
    return reverse("renewals:bridge", args=[version.quote_id, version.number])


def grant(version, until, today, **options):
    options = {"reason": "The order is being signed", "actor": world.SALES, "at": world.at(today), **options}
    return grant_bridge(version=version, until=until, **options)


def part_of(version, today, **context):
    """What the quote's page says of bridges."""
    bridging = bridging_of(version, list(version.dongles.all()), today)
    return text_of(
        render_to_string(
            "renewals/parts/bridge.html",
            {"bridging": bridging, "version": version, "quote": version.quote, "may_sell": True, **context},
            RequestFactory().get("/"),
        )
    )


def test_the_page_says_what_a_bridge_is_and_offers_the_last_day(version, sales, today, last):
    page = sales.get(page_of(version))
    assert f"A bridge may last through {write_day(last)}" in text_of(page)
    assert f'value="{last.isoformat()}"' in page.content.decode()
    assert not Bridge.objects.exists()


def test_granting_one_leads_back_to_the_quote(version, sales, last):
    answer = sales.post(page_of(version), {"until": last.isoformat(), "reason": "With the dean"})
    assert answer.url == reverse("renewals:quote_version", args=[version.quote_id, 1])
    assert "is on its way to the customer" in text_of(sales.get(answer.url))
    assert Bridge.objects.get().reason == "With the dean"


def test_a_double_click_gives_one(version, sales, last):
    asked = {"until": last.isoformat(), "reason": "With the dean"}
    assert [sales.post(page_of(version), asked).status_code for _ in range(2)] == [302, 302]
    assert Bridge.objects.count() == UnlockCode.objects.count() == 1


@pytest.mark.parametrize(
    ("days", "reason", "sentence"),
    [
        (61, "With the dean", "a bridge may last through"),
        (30, "With the dean", "has to last beyond"),
        (45, " ", "Reason: Say why."),
        (None, "With the dean", "Bridge through: Say through which day it lasts."),
    ],
)
def test_what_is_refused_comes_back_as_typed_with_a_sentence(version, sales, today, days, reason, sentence):
    until = "" if days is None else (today + timedelta(days=days)).isoformat()
    answer = sales.post(page_of(version), {"until": until, "reason": reason})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert f'value="{until}"' in answer.content.decode() or not until
    assert not Bridge.objects.exists()


def test_a_second_one_is_refused_with_the_first_one_named(version, sales, today, last):
    grant(version, last, today)
    answer = sales.post(page_of(version), {"until": (last - timedelta(days=1)).isoformat(), "reason": "Again"})
    assert answer.status_code == 422
    assert "has had its bridge for this renewal already" in text_of(answer)


def test_where_none_can_be_given_there_is_no_form_but_why(dongle, sales, today):
    page = sales.get(page_of(world.draft(dongle, today)))
    assert "No bridge can be given" in text_of(page)
    assert 'name="until"' not in page.content.decode()


def test_of_several_dongles_one_can_be_chosen_and_none_is_refused(dongle, sales, today, last):
    other = world.make_dongle("204233", dongle.customer, [("VOL-VIS", (today + timedelta(days=30)).isoformat())])
    draft = quotes.draft_quote(
        customer=dongle.customer,
        requests=[DongleRequest(dongle, 1), DongleRequest(other, 1)],
        actor=world.SALES,
        at=world.at(today),
    )
    version = quotes.send_quote(version=draft, actor=world.SALES, at=world.at(today))
    asked = {"until": last.isoformat(), "reason": "Signed soon"}
    refused = sales.post(page_of(version), asked)
    assert (refused.status_code, "Choose a dongle at least." in text_of(refused)) == (422, True)
    assert sales.post(page_of(version), {**asked, "dongle_ids": ["999999"]}).status_code == 422
    assert not Bridge.objects.exists()
    assert sales.post(page_of(version), {**asked, "dongle_ids": [str(other.pk)]}).status_code == 302
    assert Bridge.objects.get().dongle == other


def test_finance_does_not_grant_but_sees_each_with_its_reason_and_outcome(version, finance, today, last):
    assert finance.post(page_of(version), {"until": last.isoformat(), "reason": "x"}).status_code == 403
    assert "No bridging codes" in text_of(finance.get(reverse("renewals:bridges")))
    grant(version, last, today)
    page = text_of(finance.get(reverse("renewals:bridges")))
    for shown in (
        "104233",
        "Institute of Cells",
        version.quote.number,
        write_day(today + timedelta(days=30)),
        write_day(last),
        "The order is being signed",
        "Waiting for the order",
    ):
        assert shown in page


def outcome(finance):
    row = re.search(r"<tbody>(.*?)</tbody>", finance.get(reverse("renewals:bridges")).content.decode(), re.DOTALL)
    return text_of(row.group(1))


def test_the_list_says_what_became_of_each(version, finance, today, last):
    grant(version, last, today)
    order = world.accept(version, today)
    assert outcome(finance).endswith(f"Ordered: {order.number}")


def test_the_list_says_that_it_was_declined(version, finance, today, last):
    grant(version, last, today)
    quotes.decline_quote(version=version, actor=world.SALES, at=world.at(today), reason="No")
    assert outcome(finance).endswith("Declined")


def test_the_list_says_that_nothing_was_ordered(catalogue, finance, today):
    ends = today - timedelta(days=20)
    sent = world.send(world.make_dongle(licences=[("VOL-VIS", ends.isoformat())]), ends - timedelta(days=10))
    grant(sent, ends + timedelta(days=10), ends)
    assert outcome(finance).endswith("Not ordered")


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(
    version, finance, today, last, django_assert_num_queries
):
    grant(version, last, today)
    address = reverse("renewals:bridges")
    with django_assert_num_queries(4):  # session, user, how many, the bridges
        finance.get(address)
    for serial in ("204233", "304233"):
        dongle = world.make_dongle(serial, version.quote.customer, [("VOL-VIS", today.isoformat())])
        grant(world.send(dongle, today), today + timedelta(days=30), today)
    with django_assert_num_queries(4):
        finance.get(address)


def test_the_dongle_s_page_says_that_its_date_is_a_bridge_s(version, sales, today, last):
    address = reverse("renewals:dongle", args=["104233"])
    assert "bridg" not in text_of(sales.get(address)).lower()
    grant(version, last, today)
    page = text_of(sales.get(address))
    assert f"Its date is bridged through {write_day(last)}, which is no SMA." in page
    assert f"SMA date as issued {write_day(last)} Bridged past what is paid, for quote {version.quote.number}" in page
    world.accept(version, today)
    assert "Bridged past" not in text_of(sales.get(address))


def test_the_code_s_page_says_what_it_was_issued_for(version, sales, today, last):
    (given,) = grant(version, last, today)
    page = text_of(sales.get(reverse("dongles:code", args=[given.code_id])))
    assert f"For Bridge of quote {version.quote.number} version 1" in page


def test_the_quote_s_page_offers_it_to_sales_and_shows_it_to_all(version, today, last):
    assert f"as far as {write_day(last)}" in part_of(version, today)
    assert part_of(version, today, may_sell=False) == ""
    grant(version, last, today)
    for may_sell in (True, False):
        shown = part_of(version, today, may_sell=may_sell)
        assert f"bridged through {write_day(last)} . Open the code The order is being signed" in shown
        assert "Bridge until the order comes" not in shown


@pytest.mark.parametrize("day", [31, 40])
def test_after_e_the_quote_s_page_offers_none(version, today, day):
    assert part_of(version, today + timedelta(days=day)) == ""


def test_the_way_to_a_bridge_leads_over_the_quote_s_page(version, sales, finance, today, last):
    quote = reverse("renewals:quote_version", args=[version.quote_id, 1])
    assert f'href="{page_of(version)}"' in sales.get(quote).content.decode()
    assert page_of(version) not in finance.get(quote).content.decode()
    grant(version, last, today)
    page = sales.get(quote)
    assert page_of(version) not in page.content.decode()
    assert f"promised until {write_day(last)}" in text_of(page)
    assert "Version 1 bridged" in text_of(page)
