"""The page on which finance credits a concession (F4). VOL-VIS costs 1,200.00 a year."""

import re

import pytest
from django.urls import reverse

from renewals.models import OrderLine, RevenueSegment
from renewals.services.credits import credit_line
from tests import world
from tests.web.reading import text_of

WANTED = {"amount": "365.00", "reason": "Support was slow", "once": "one"}


@pytest.fixture
def line(catalogue, today):
    dongle = world.make_dongle(licences=[("VOL-VIS", str(today))])
    return OrderLine.objects.get(order=world.sell(dongle, today))


@pytest.fixture
def address(line):
    return reverse("renewals:credit", args=[line.order_id, line.pk])


def test_finance_credits_a_line_and_finds_it_on_the_order_s_page(line, address, finance):
    order = reverse("renewals:order", args=[line.order_id])
    assert address in finance.get(order).content.decode()
    page = text_of(finance.get(address))
    assert "was sold for €1,200.00. By today €0.00 are earned." in page
    assert "No credit note is written here" in page
    answer = finance.post(address, WANTED, follow=True)
    assert answer.redirect_chain == [(order, 302)]
    page = text_of(answer)
    assert "€365.00 of order" in page
    assert "credited −365.00" in page
    assert re.search(r"Concession credited.*Support was slow", page)
    assert "of which €835.00 are left after earlier concessions" in text_of(finance.get(address))


def test_the_same_form_sent_twice_credits_once(line, address, finance):
    for _ in range(2):
        assert finance.post(address, WANTED).status_code == 302
    assert line.segments.filter(reason="concession").count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"amount": ""}, "Enter the amount."),
        ({"amount": "much"}, "Write an amount like 1,200.00."),
        ({"amount": "1.005"}, "EUR has 2 decimals: 1.005 is finer than its minor unit."),
        ({"amount": "0"}, "A credit is an amount above 0."),
        ({"amount": "1,200.01"}, "Of this line €1,200.00 are left: more can’t be credited."),
        ({"reason": " "}, "Say what the credit is for."),
    ],
)
def test_what_is_refused_is_said_and_nothing_is_booked(line, address, finance, typed, sentence):
    answer = finance.post(address, WANTED | typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert RevenueSegment.objects.count() == 1


def test_where_nothing_is_left_to_credit_the_page_says_so(line, address, finance, today):
    credit_line(order_line=line, amount=120_000, reason="All of it", actor=world.SALES, at=world.at(today))
    page = finance.get(address)
    assert "Nothing of this line is left to credit." in text_of(page)
    assert b'name="amount"' not in page.content
    assert address not in finance.get(reverse("renewals:order", args=[line.order_id])).content.decode()


def test_a_line_of_another_order_is_not_there(line, finance, today):
    other = world.sell(world.make_dongle("204233"), today)
    assert finance.get(reverse("renewals:credit", args=[other.pk, line.pk])).status_code == 404


def test_sales_is_not_offered_a_credit_and_can_not_post_one(line, address, sales):
    assert address not in sales.get(reverse("renewals:order", args=[line.order_id])).content.decode()
    assert sales.get(address).status_code == 403
    assert sales.post(address, WANTED).status_code == 403
    assert not line.segments.filter(reason="concession").exists()
