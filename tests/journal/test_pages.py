"""Finance's pages of accounts and journals."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dongles.models import Product
from portal.sheets import csv_lines
from renewals.models import (
    AccountingMonth,
    AccountMapEntry,
    DatevDetails,
    JournalExport,
    JournalFile,
    MonthFigures,
    RevenueSegment,
)
from renewals.overviews.finance import detail
from renewals.services.summaries import summarise_all
from tests import world
from tests.journal.books import DATEV
from tests.journal.closed import make_accounts, make_close
from tests.web.conftest import client_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def finance(db):
    return client_of("finance")


@pytest.fixture
def close(catalogue):
    make_accounts()
    return make_close()


def text_of(answer):
    return answer.content.decode()


def journal(month="2026-01"):
    return reverse("renewals:journal", args=[month])


def export(client, layout="generic", **extra):
    address = reverse("renewals:export_journal", args=["2026-01", 1])
    return client.post(address, {"layout": layout}, **extra)


def test_a_journal_is_made_and_fetched_as_it_was_made(close, finance):
    page = text_of(finance.get(journal()))
    assert "EUR: debit 1,602.42 = credit 1,602.42." in page
    assert "has not been tested with DATEV’s own checker" in page
    assert export(finance).url == journal()
    page = text_of(finance.get(journal()))
    for file in JournalFile.objects.all():
        address = reverse("renewals:journal_file", args=["2026-01", 1, file.name])
        assert address in page
        assert file.sha256 in page
        answer = finance.get(address)
        assert answer.content == bytes(file.content)
        assert answer["Content-Disposition"] == f'attachment; filename="{file.name}"'
        assert answer["Content-Type"].startswith("text/csv" if file.name.endswith("csv") else "application/vnd.open")
    assert "The map has changed" not in page
    AccountMapEntry.objects.filter(role="revenue").update(account="9999")
    assert "The map has changed since; these files have not" in text_of(finance.get(journal()))


def test_datev_files_say_that_they_are_in_windows_1252(close, finance):
    DatevDetails.objects.create(pk=1, **DATEV._asdict())
    export(finance, "datev")
    answer = finance.get(reverse("renewals:journal_file", args=["2026-01", 1, "EXTF_2026-01_r1_EUR_1.csv"]))
    assert answer["Content-Type"] == "text/csv; charset=windows-1252"
    assert answer.content.startswith(b'"EXTF";700;21;')


def test_a_month_that_is_not_closed_has_no_journal(close, finance):
    AccountingMonth.objects.create(month=date(2026, 2, 1))
    for month in ("2026-02", "2027-05"):
        answer = finance.get(journal(month))
        assert answer.status_code == 409
        assert "month_not_closed" in text_of(answer)
    address = reverse("renewals:export_journal", args=["2026-02", 1])
    assert finance.post(address, {"layout": "generic"}).status_code == 409
    assert finance.get(reverse("renewals:journal_detail", args=["2026-02", 1])).status_code == 409
    assert not JournalExport.objects.exists()


def test_what_is_not_there_is_not_found(close, finance):
    assert {finance.get(journal(month)).status_code for month in ("2026-13", "x", "0001-01")} == {404}
    assert finance.get(reverse("renewals:journal_file", args=["2026-01", 1, "other.csv"])).status_code == 404
    assert finance.get(reverse("renewals:journal_detail", args=["2026-01", 2])).status_code == 404
    assert export(finance, "lotus").status_code == 404


def test_a_refusal_comes_back_to_the_page(close, finance):
    AccountMapEntry.objects.filter(role="deferred").delete()
    page = text_of(finance.get(journal()))
    assert "the journal can’t be exported yet" in page
    assert "Deferred revenue" in page
    answer = export(finance, headers={"referer": f"http://testserver{journal()}"})
    assert answer.url.endswith(journal())
    assert "The account map has no account for: Deferred revenue of" in text_of(finance.get(journal()))
    assert not JournalExport.objects.exists()


def test_sales_sees_and_posts_nothing_of_it(close):
    other = client_of("sales")
    entry = AccountMapEntry.objects.first()
    pages = [
        journal(),
        reverse("renewals:journal_detail", args=["2026-01", 1]),
        reverse("renewals:journal_file", args=["2026-01", 1, "journal_2026-01_r1.csv"]),
        reverse("renewals:accounts"),
        reverse("renewals:new_account"),
        reverse("renewals:account", args=[entry.pk]),
        reverse("renewals:datev"),
    ]
    assert {other.get(page).status_code for page in pages} == {403}
    assert export(other).status_code == 403
    assert other.post(reverse("renewals:remove_account", args=[entry.pk])).status_code == 403
    assert not JournalExport.objects.exists()
    assert AccountMapEntry.objects.filter(pk=entry.pk).exists()


def test_accounts_are_added_changed_and_removed(catalogue, finance):
    product = Product.objects.get(code="VOL-VIS")
    typed = {"role": "revenue", "account": "8400", "name": "<Erlöse>", "country": "DE", "segment": ""}
    assert (
        finance.post(reverse("renewals:new_account"), {**typed, "sold": f"family-{product.family_id}"}).status_code
        == 302
    )
    entry = AccountMapEntry.objects.get()
    assert (entry.family, entry.product, entry.country) == (product.family, None, "DE")
    address = reverse("renewals:account", args=[entry.pk])
    assert f'<option value="family-{product.family_id}" selected>' in text_of(finance.get(address))
    finance.post(address, {**typed, "sold": f"product-{product.pk}"})
    entry.refresh_from_db()
    assert (entry.family, entry.product) == (None, product)
    page = text_of(finance.get(reverse("renewals:accounts")))
    assert "&lt;Erlöse&gt;" in page
    assert "Germany" in page
    finance.post(reverse("renewals:remove_account", args=[entry.pk]))
    assert not AccountMapEntry.objects.exists()


def test_what_is_refused_stands_beside_its_field(close, finance):
    typed = {"role": "revenue", "account": "=1", "name": "", "sold": "", "country": "", "segment": ""}
    answer = finance.post(reverse("renewals:new_account"), typed)
    assert answer.status_code == 422
    assert "a letter or digit first" in text_of(answer)
    answer = finance.post(reverse("renewals:new_account"), {**typed, "account": "8401"})
    assert answer.status_code == 422
    assert "Revenue of the same has an account already, 8400 Erlöse: change that one." in text_of(answer)
    typed = {"consultant": "1000", "client": "1", "account_length": "9", "year_begins": "1"}
    assert finance.post(reverse("renewals:datev"), typed).status_code == 422
    assert AccountMapEntry.objects.count() == 4
    assert not DatevDetails.objects.exists()


def test_datev_is_set_up(finance):
    assert "Not set up" in text_of(finance.get(reverse("renewals:accounts")))
    finance.post(reverse("renewals:datev"), {key: str(value) for key, value in DATEV._asdict().items()})
    assert DatevDetails.objects.get().settings == DATEV
    assert 'value="29098"' in text_of(finance.get(reverse("renewals:datev")))


def test_what_the_ledger_lacks_accounts_for_is_told(catalogue, finance):
    assert "nothing in the ledger asks for one" in text_of(finance.get(reverse("renewals:accounts")))
    world.sell(world.make_dongle(), "2026-01-10")
    summarise_all()
    page = text_of(finance.get(reverse("renewals:accounts")))
    assert "Accounts are lacking" in page
    for role in ("Receivables", "Deferred revenue", "Revenue"):
        assert page.count(f'<th scope="row">{role}</th>') == 2  # of two products
    make_accounts()
    assert "Everything that the ledger has amounts of has its accounts." in text_of(
        finance.get(reverse("renewals:accounts"))
    )


# The segments behind a month

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def sold(catalogue):
    """A sale in January that goes on in February, and one of February."""
    dongle = world.make_dongle()
    world.sell(dongle, "2026-01-10")
    world.sell(world.make_dongle("204233", dongle.customer), "2026-02-20")
    summarise_all()


def close_of(month):
    newest = RevenueSegment.objects.filter(booked_month__lte=month).order_by("-pk").first()
    return make_close(("booked", 1), month=month, last_segment_id=newest.pk if newest else 0)


def detail_of(client, month):
    answer = client.get(reverse("renewals:journal_detail", args=[f"{month:%Y-%m}", 1]))
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def cents(text):
    return round(float(text) * 100)


@pytest.mark.parametrize("month", [JANUARY, FEBRUARY])
def test_the_segments_of_a_month_sum_to_its_figures(sold, finance, month):
    close_of(month)
    rows = detail_of(finance, month)
    figures = MonthFigures.objects.filter(month=month).aggregate(
        *map(Sum, ("booked", "credited", "recognised", "caught_up"))
    )
    for name in ("booked", "credited", "recognised", "caught up"):
        assert sum(cents(row[name]) for row in rows) == figures[f"{name.replace(' ', '_')}__sum"], name
    assert [int(row["segment"]) for row in rows] == sorted(int(row["segment"]) for row in rows)
    for row in rows:
        flows = cents(row["booked"]) + cents(row["credited"]) - cents(row["recognised"]) - cents(row["caught up"])
        assert cents(row["deferred before"]) + flows == cents(row["deferred after"])


def test_what_is_deferred_goes_over_into_the_next_month(sold, finance):
    close_of(JANUARY)
    close_of(FEBRUARY)
    after = {row["segment"]: row["deferred after"] for row in detail_of(finance, JANUARY)}
    before = {row["segment"]: row["deferred before"] for row in detail_of(finance, FEBRUARY)}
    assert {key: value for key, value in before.items() if key in after} == after
    assert {before[key] for key in before.keys() - after.keys()} == {"0.00"}  # booked in February


def test_what_was_booked_after_a_close_is_not_in_it(sold, finance):
    close = close_of(FEBRUARY)
    expected = [row["segment"] for row in detail_of(finance, FEBRUARY)]
    world.sell(world.make_dongle("304233", world.make_customer("Another")), "2026-02-21")
    assert [row["segment"] for row in detail_of(finance, FEBRUARY)] == expected
    assert len(list(detail.detail_rows(close))) == len(expected)


def test_the_segments_are_read_through_a_cursor_a_part_at_a_time(sold):
    """Nobody holds all rows: the first line is there before the second part is read."""
    close = close_of(FEBRUARY)
    with CaptureQueriesContext(connection) as queries:
        lines = csv_lines(detail.COLUMNS, detail.detail_rows(close))
        assert next(lines).startswith("\ufeffsegment,")
        assert len(queries) == 0
        assert len(list(lines)) > 3
    assert len(queries) <= 3  # a savepoint about one statement
