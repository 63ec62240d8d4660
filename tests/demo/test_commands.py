"""`manage.py quote` and `manage.py story`: sums worked by hand, refusals with nothing written, a story told twice."""

import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from dongles.models import CodeReceipt, Dongle, Licence, UnlockCode
from dongles.queries import licences_of
from portal.models import AuditEvent, OutboxMessage
from renewals import demo
from renewals.management.commands.story import by_year, simulated
from renewals.models import Order, Quote
from renewals.recognition import Segment
from tests import world


def run(*arguments: str, **options) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [(), ("--list",)])
def test_the_demo_of_a_database_without_tables_ends_in_a_sentence(arguments):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE portal_user CASCADE")
    with pytest.raises(CommandError, match=r"^The database is empty: begin with make run, or manage.py migrate\.$"):
        run("demo", *arguments)


@pytest.mark.django_db
class TestQuote:
    """Two licences covered through 31 Mar 2026: 1,200.00 and 900.00 a year, 19 % tax."""

    def test_the_table_can_be_checked_by_hand_p3_p9(self, dongle):
        world.make_release("7.0", "2026-05-05")
        text = run("quote", "104-233", "--renew", "2", "--on", "2026-02-01")
        assert "Covered through 31 Mar 2028, because not earlier than" in text
        assert "P2  31 Mar 2028: 2 years more, which decides" in text
        assert "C4  covered through 31 Mar 2026" in text
        assert text.count("P3  1,200.00 × 1 seat × 12 ÷ 12 = 1,200.00") == 2
        lines = {
            line.split()[0]: line.split()[-1] for line in text.splitlines() if line.startswith("   ") and line.strip()
        }
        # 2 × 1,200.00 + 2 × 900.00 = 4,200.00; 19 % of it 798.00
        assert (lines["Net"], lines["Tax,"], lines["Total"]) == ("4,200.00", "798.00", "€4,998.00")
        assert "The dongle's SMA date: 31 Mar 2026 → 31 Mar 2028 (C3)" in text
        assert "newly: 7.0 (5 May 2026) (C2)" in text

    def test_a_lapse_over_a_major_release_is_told_c5_p7(self, catalogue):
        world.make_release("7.0", "2026-01-15")
        world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        text = run("quote", "104233", "--on", "2026-02-01")
        assert "C5  missed 7.0 (built 15 Jan 2026)" in text
        assert "P7  2,400.00 × 1 seat = 2,400.00" in text

    def test_json_has_the_keys_of_a_priced_scenario(self, dongle):
        result = json.loads(run("quote", "104233", "--align-to", "2026-12-05", "--on", "2026-02-01", "--json"))
        # 8 months and 5/31: 1,200.00 × (8 + 5/31) ÷ 12 = 816.13, 900.00 × … = 612.10
        assert [line["net"] for line in result["lines"]] == ["816.13", "612.10"]
        assert (result["net"], result["tax"], result["total"]) == ("1428.23", "271.36", "1699.59")
        assert result["lines"][0]["months"] == [8, 5, 31]
        assert result["lines"][0]["steps"] == ["P3  1,200.00 × 1 seat × (8 + 5/31) ÷ 12 = 816.13"]

    def test_part_month_can_be_tried_out_p3(self, dongle):
        asked = ["quote", "104233", "--align-to", "2026-12-05", "--on", "2026-02-01", "--json"]
        assert json.loads(run(*asked, "--part-month", "whole"))["net"] == "1575.00"  # 900.00 + 675.00

    def test_licences_can_be_added_p5(self, dongle):
        result = json.loads(run("quote", "104233", "--add", "vol-vis:2", "--on", "2026-02-01", "--json"))
        assert result["lines"][-1]["list"] == "12000.00"

    @pytest.mark.parametrize(
        ("arguments", "code", "status"),
        [
            (["999999"], "unknown_serial", 1),
            (["!"], "not_a_serial", 1),
            (["104233", "--renew", "6"], "years_out_of_range", 1),
            (["104233", "--renew", "-1"], "years_out_of_range", 1),
            (["104233", "--renew", "1", "--align-to", "2027-01-01"], "renew_or_align", 1),
            (["104233", "--add", "OPL-FUL"], "wrong_family", 1),
            (["104233", "--add", "VOL-NEW"], "no_price", 1),
            (["104233", "--add", "NONE"], "unknown_product", 1),
            (["104233", "--add", "VOL-VIS:0"], "seats_out_of_range", 2),
            (["104233", "--add", "VOL-VIS:-3"], "seats_out_of_range", 2),
            (["104233", "--add", "VOL-VIS:many"], "malformed_seats", 2),
            (["104233", "--on", "1 Feb"], "malformed_date", 2),
            (["104233", "--align-to", "2026-02-30"], "malformed_date", 2),
            (["104233", "--discount", "0.12345"], "malformed_rate", 2),
            (["104233", "--discount", "1.5"], "discount_out_of_range", 2),
        ],
    )
    def test_what_is_refused_ends_with_its_code_and_nothing_is_written(self, dongle, arguments, code, status):
        asked = arguments if "--on" in arguments else [*arguments, "--on", "2026-02-01"]
        with pytest.raises(CommandError) as refused:
            run("quote", *asked)
        assert f"({code})" in str(refused.value)
        assert refused.value.returncode == status
        assert not Quote.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_a_dongle_without_owner_is_refused(self, dongle):
        Dongle.objects.update(customer=None)
        with pytest.raises(CommandError, match="dongle_without_owner"):
            run("quote", "104233")


@pytest.mark.django_db
def test_the_story_is_told_with_another_dongle_each_time():
    call_command("demo", history=0, stdout=io.StringIO())
    before = {model: model.objects.count() for model in (Order, UnlockCode, CodeReceipt)}
    stories = [run("story") for _ in range(2)]
    serials = [story.splitlines()[0].split()[-1] for story in stories]
    assert serials[0] != serials[1]
    assert not {each.serial for each in demo.situations()} & set(serials)
    for story, serial in zip(stories, serials, strict=True):
        assert "it says: applied" in story
        assert "P7  " in story  # the telling case comes first: lapsed over a major release
        assert max(map(len, story.splitlines())) <= 100
        dongle = Dongle.objects.get(serial=serial)
        assert dongle.issued_expiry_on == dongle.confirmed_expiry_on > timezone.localdate()
        mails = OutboxMessage.objects.filter(done_at__isnull=False, mail__text__contains=serial)
        assert sorted(mails.values_list("kind", flat=True)) == ["code_issued", "quote_sent"]
    assert {model: model.objects.count() - number for model, number in before.items()} == {
        Order: 2,
        UnlockCode: 2,
        CodeReceipt: 2,
    }


def test_the_revenue_of_a_story_is_told_by_calendar_year_f2():
    # 1,200.00 over the 365 days from 1 Jul 2026, of which 184 lie in 2026: 120,000 × 184 ÷ 365 = 60,493.2 cents.
    year = Segment.daily(120_000, date(2026, 7, 1), date(2027, 6, 30))
    fee = Segment.at_once(10_000, date(2026, 7, 1))
    assert by_year([year, fee]) == [(2026, 70_493), (2027, 59_507)]


def test_a_simulated_dongle_holds_all_seats_of_a_product_together(dongle):
    Licence.objects.create(
        dongle=dongle, product=dongle.licences.first().product, seats=4, acquired_on=date(2026, 1, 1)
    )
    assert simulated(dongle, list(licences_of([dongle]))).licences == ((101, 5), (102, 1))


@pytest.mark.django_db
def test_where_nothing_is_due_the_story_says_so(catalogue):
    assert "every story has been told" in run("story")
