"""The months of the ledger through their pages: closing, opening again by two, proving (F1).

A dongle is renewed in the month before last, for two products at 1,200.00 and 900.00, so that both months are over.
"""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from portal import outbox
from portal.models import Job
from renewals.calendar import following
from renewals.models import AccountingMonth, MonthClose, MonthFigures, MonthReopening, UnsummarisedSegment
from renewals.month_sums import last_segment_id, sums_by_formula
from renewals.services.summaries import summarise_all
from tests import world
from tests.web.reading import text_of


@pytest.fixture
def month(catalogue, today):
    """The month before last, in which something was sold."""
    found = following(today.replace(day=1), -2)
    world.sell(world.make_dongle(licences=[("VOL-VIS", str(today)), ("VOL-QNT", str(today))]), str(found))
    summarise_all()
    return found


def page_of(month):
    return reverse("renewals:month", args=[f"{month:%Y-%m}"])


def deed(client, name, month, data=None, *more):
    return client.post(reverse(f"renewals:{name}", args=[f"{month:%Y-%m}", *more]), data or {}, follow=True)


def close(client, month):
    return deed(client, "close_month", month, {"is_confirmed": "on"})


@pytest.fixture
def another(db):
    client = Client()
    world.log_in(client, world.make_user("finance", "ben@vendor.example"))
    return client


def test_the_list_leads_to_the_month_that_is_next(finance, month):
    page = finance.get(reverse("renewals:months"))
    assert f"{month:%b %Y} can be closed." in text_of(page)
    assert f'href="{page_of(month)}">Look at' in page.content.decode()


def test_without_a_sale_the_list_says_so(finance):
    assert "Nothing has been booked yet." in text_of(finance.get(reverse("renewals:months")))


def test_a_month_is_closed_once_that_is_confirmed(finance, month):
    page = text_of(finance.get(page_of(month)))
    assert "It can be closed." in page
    assert "As it would be closed now" in page
    assert "2,100.00" in page
    refused = deed(finance, "close_month", month)
    assert refused.status_code == 422
    assert "Look at both, and confirm it." in text_of(refused)
    assert not MonthClose.objects.exists()
    page = text_of(close(finance, month))
    assert f"{month:%b %Y} is closed." in page
    assert MonthClose.objects.get().sha256 in page


def test_a_month_that_can_not_be_closed_says_why_and_leads_there(finance, month):
    page = finance.get(page_of(following(month)))
    assert f"{month:%b %Y} is open." in text_of(page)
    assert f'href="{page_of(month)}"' in page.content.decode()
    refused = close(finance, following(month))
    assert refused.status_code == 422
    assert "months are closed in order" in text_of(refused)
    assert not MonthClose.objects.exists()


def test_a_month_is_opened_again_by_two(finance, another, month):
    close(finance, month)
    page = text_of(deed(finance, "ask_reopening", month, {"reason": "A credit came late"}))
    assert "asks to open it again" in page
    assert "Take it back" in page
    assert f"Open {month:%b %Y} again" not in page
    asked = MonthReopening.objects.get()
    alone = deed(finance, "decide_reopening", month, {"is_granted": "yes"}, asked.pk)
    assert alone.status_code == 422
    assert "can’t decide it alone" in text_of(alone)
    assert AccountingMonth.objects.get(month=month).is_closed
    assert "asks to open" in text_of(another.get(reverse("renewals:months")))
    assert f"Open {month:%b %Y} again" in text_of(another.get(page_of(month)))
    page = text_of(deed(another, "decide_reopening", month, {"is_granted": "yes"}, asked.pk))
    assert "It was opened again and can be closed anew." in page
    assert not AccountingMonth.objects.get(month=month).is_closed


def test_a_request_to_open_it_is_taken_back(finance, month):
    close(finance, month)
    deed(finance, "ask_reopening", month, {"reason": "A slip"})
    page = text_of(deed(finance, "decide_reopening", month, {"is_granted": "no"}, MonthReopening.objects.get().pk))
    assert "left closed" in page
    assert AccountingMonth.objects.get(month=month).is_closed


def test_a_close_is_proven_on_its_page(sales, finance, month):
    close(finance, month)
    page = text_of(deed(sales, "prove_month", month, {"revision": "1"}))
    assert "Count, totals and digest are those of the close." in page
    assert deed(sales, "prove_month", month, {"revision": "2"}).status_code == 404
    assert deed(sales, "prove_month", month, {"revision": "x"}).status_code == 422


def add_segments(month, number):
    """As many more of the month, as no sale would make them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO renewals_revenuesegment (order_line_id, currency, amount, starts_on, ends_on, method,"
            " booked_month, reason, basis_amount, basis_starts_on, annual_amount, customer_id, product_id, country,"
            " customer_segment) SELECT order_line_id, currency, amount, starts_on, ends_on, method, booked_month,"
            " reason, basis_amount, basis_starts_on, annual_amount, customer_id, product_id, country, customer_segment"
            " FROM (SELECT * FROM renewals_revenuesegment WHERE booked_month = %s LIMIT 1) one,"
            " generate_series(1, %s)",
            [month, number],
        )
    UnsummarisedSegment.objects.all().delete()


def test_a_close_of_more_than_20_000_segments_is_proven_as_long_work(sales, month):
    add_segments(month, 19_999)
    sums = sums_by_formula(month)
    assert sums.segments == 20_001
    MonthClose.objects.create(
        month=AccountingMonth.objects.get(month=month),
        revision=1,
        closed_at=world.at(following(month)),
        segments=sums.segments,
        last_segment_id=last_segment_id(month),
        totals={currency: total._asdict() for currency, total in sums.totals.items()},
        sha256=sums.sha256,
    )
    deed(sales, "prove_month", month, {"revision": "1"})
    while outbox.drain():
        pass
    job = Job.objects.get(kind="proof")
    page = text_of(sales.get(reverse("job", args=[job.pk])))
    assert "Proven: count, totals and digest are those of revision 1." in page


def test_the_entries_of_a_close_are_listed(sales, finance, month):
    close(finance, month)
    page = text_of(sales.get(reverse("renewals:entries", args=[f"{month:%Y-%m}", 1])))
    assert "2 entries" in page
    assert "€1,200.00" in page


def test_sales_see_months_and_do_nothing_to_them(sales, finance, month):
    assert "Close the month" not in text_of(sales.get(page_of(month)))
    assert close(sales, month).status_code == 403
    close(finance, month)
    assert deed(sales, "ask_reopening", month, {"reason": "x"}).status_code == 403
    assert deed(sales, "decide_reopening", month, {"is_granted": "no"}, 1).status_code == 403


@pytest.mark.parametrize("address", ["2026-13", "1999-12", "soon", "2026-1"])
def test_what_is_no_month_is_not_there(finance, address):
    assert finance.get(f"/finance/months/{address}/").status_code == 404


def test_a_month_outside_of_the_ledger_is_refused(finance, month):
    answer = finance.get(page_of(date(2001, 1, 1)))
    assert answer.status_code == 409
    assert "is none of its months" in text_of(answer)


def test_the_long_checks_of_more_than_20_000_segments_are_made_when_they_are_asked_for(finance, month):
    assert "Make the long checks now" not in text_of(finance.get(page_of(month)))
    add_segments(month, 19_999)
    MonthFigures.objects.filter(month=month).update(current=1)
    page = text_of(finance.get(page_of(month)))
    assert "the long checks have not been made yet" in page
    assert "Make the long checks now" in page
    assert "The sums that reports read are what the segments come to" not in page
    page = text_of(finance.get(page_of(month), {"check": "all"}))
    assert "The sums that reports read are what the segments come to" in page
    assert "It can’t be closed yet" in page
    assert "Make the long checks now" not in page
