"""Where a customer asks for a quote: the price lives beside the form, one button gets it, refusals say how to mend it.

VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00, each upgrade twice as much; 19 % tax.
"""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dongles.models import Dongle
from dongles.terms import term_end
from portal.models import AuditEvent, OutboxMessage
from portal.wording import write_day
from renewals.models import PriceListEntry, QuoteVersion
from tests import world
from tests.web.test_builder import text_of

ADDRESS = "/my/renew/"


def ask(owner, *dongles, **asked):
    serials = [dongle.serial for dongle in dongles]
    return owner.post(ADDRESS, {"dongle": serials, "way": "years", "years": "1", "once": "a", **asked})


def errors_beside(answer):
    """By the id of each field the sentence that stands beside it."""
    found = re.findall(
        r'id="id_(\w+)_error"><span class="visually-hidden">Error: </span>([^<]+)', answer.content.decode()
    )
    return dict(found)


def nothing_was_written():
    return not QuoteVersion.objects.exists() and not OutboxMessage.objects.exists()


@pytest.fixture
def other(dongle, today):
    """Another dongle of the same owner: one Volocity licence, covered for 60 days more."""
    return world.make_dongle("777", dongle.customer, [("VOL-VIS", str(today + timedelta(days=60)))])


def test_the_address_says_what_is_wanted(owner, dongle, other, today):
    page = text_of(owner.get(ADDRESS, {"dongle": [dongle.serial, "777"], "years": "2"}))
    # 2 × (1,200.00 + 900.00) and 2 × 1,200.00: 6,600.00, with 19 % tax 1,254.00
    assert "€7,854.00 in total, 2 dongles" in page
    assert "€6,600.00 and 19% tax." in page
    to = term_end(today, 24)
    page = owner.get(ADDRESS, {"dongle": "104-233", "align_to": str(to)}).content.decode()
    assert f'covered until <span class="nowrap">{write_day(to)}' in page
    assert re.search(r'name="way" value="date"[^>]* checked', page)
    page = text_of(owner.get(ADDRESS, {"dongle": dongle.serial, "add": "VOL-QNT:2", "way": "add"}))
    # two seats at 4,500.00; the two licences there lack 11 months to its new date, and some days
    assert "Volocity Quantitation" in page
    assert QuoteVersion.objects.count() == 0


def test_bringing_to_one_date_proposes_one_a_year_after_the_last_and_says_what_it_costs(owner, dongle, other, today):
    asked = {"dongle": [dongle.serial, "777"], "way": "date"}
    proposed = term_end(today + timedelta(days=61), 12)  # 777 is covered for 60 days more
    page = owner.get(ADDRESS, asked)
    assert f'name="align_to" value="{proposed}"' in page.content.decode()
    assert "Enter the date" not in text_of(page)
    # a year more counts from each dongle's own day
    first, last = (write_day(term_end(today + timedelta(days=days), 12)) for days in (31, 61))
    assert f"until {first} to {last}, by dongle" in text_of(page)
    assert "in total, 2 dongles" in text_of(page)
    lapsed = world.make_dongle("778", dongle.customer, [("VOL-VIS", str(today - timedelta(days=200)))])
    page = text_of(owner.get(ADDRESS, {"dongle": lapsed.serial, "way": "date"}))
    assert f"are covered until {write_day(term_end(today, 12))}" in page
    assert ask(owner, dongle, other, way="date").status_code == 422
    assert QuoteVersion.objects.count() == 0


def test_what_can_not_be_added_is_said(owner, dongle):
    page = text_of(owner.get(ADDRESS, {"dongle": dongle.serial, "add": "OPL-FUL"}))
    assert f"OPL-FUL can’t be added to dongle {dongle.serial}." in page


def test_without_a_dongle_there_are_those_to_choose_from(owner, dongle, other):
    page = owner.get(ADDRESS).content.decode()
    assert re.findall(r'name="dongle" value="(\w+)"', page) == [dongle.serial, "777"]
    answer = owner.post(ADDRESS, {"way": "years", "years": "3"})
    assert answer.status_code == 422
    assert errors_beside(answer) == {"dongle": "Tick at least one dongle."}
    assert '<option value="3" selected>' in answer.content.decode()  # what was typed is there still
    assert nothing_was_written()


def test_the_quote_is_made_at_once_and_mailed_to_who_asked(owner, dongle, other):
    answer = ask(owner, dongle, other, years="3")
    version = QuoteVersion.objects.get()
    assert answer.url == f"/my/quotes/{version.quote_id}/"
    assert version.state == "sent"
    assert version.net == 3 * (120_000 + 90_000) + 3 * 120_000
    assert {row.dongle.serial for row in version.dongles.all()} == {dongle.serial, "777"}
    contact = dongle.customer.contacts.get()
    assert OutboxMessage.objects.get(kind="quote_sent").payload["recipients"] == [contact.email]
    assert AuditEvent.objects.get(action="ask").actor_name == dongle.customer.users.get().name


def test_where_dongles_end_on_different_days_each_length_says_from_when_to_when(owner, dongle, other, today):
    page = text_of(owner.get(ask(owner, dongle, other).url))
    first, last = (write_day(term_end(today + timedelta(days=days), 12)) for days in (31, 61))
    assert f"until {first} to {last}, by dongle Shown here" in page
    first, last = (write_day(term_end(today + timedelta(days=days), 36)) for days in (31, 61))
    assert f"until {first} to {last}, by dongle Choose 3 years" in page


def test_a_double_click_makes_one_quote(owner, dongle):
    first, second = ask(owner, dongle), ask(owner, dongle)
    assert first.url == second.url
    assert QuoteVersion.objects.count() == 1
    assert OutboxMessage.objects.filter(kind="quote_sent").count() == 1


def test_it_is_the_same_cents_as_the_staffs(owner, sales, dongle, today):
    """Ragged, one of the licences lapsed over a release: by the builder and by the customer's page."""
    world.make_release("7.0", str(today - timedelta(days=100)))
    ragged = world.make_dongle(
        "888",
        dongle.customer,
        [("VOL-VIS", str(today - timedelta(days=200))), ("VOL-QNT", str(today + timedelta(days=77)))],
    )
    asked = {"align_to": str(term_end(today, 19))}
    totals = {
        re.search(r'id="comes-to".*?<strong>([^<]+)</strong>', page.content.decode(), re.DOTALL)[1]
        for page in (
            owner.get(ADDRESS, {"dongle": "888", **asked}),
            sales.get(f"/dongles/{ragged.serial}/quote/", asked),
        )
    }
    assert len(totals) == 1
    assert "No price" not in totals.pop()


def test_what_waiting_costs_is_said_with_the_reason(owner, dongle, today):
    due = today + timedelta(days=70)
    world.make_release("9.0", str(due))
    page = text_of(owner.get(ADDRESS, {"dongle": dongle.serial}))
    # lapsed over 9.0 each licence takes an upgrade, twice its year: 4,200.00, with 19 % tax 4,998.00
    assert f"ordered after {write_day(due - timedelta(days=1))} the same costs €4,998.00, because Volocity 9.0" in page


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({"way": "years", "years": "6"}, "years", "Choose 1 to 5 years."),
        ({"way": "date", "align_to": ""}, "align_to", "Enter the date until which you want to be covered."),
        ({"way": "date", "align_to": "soon"}, "align_to", "Write the date as day, month and year"),
        ({"way": "date", "align_to": "2026-11-30"}, "align_to", "Choose "),
        ({"way": "date", "align_to": "2099-12-31"}, "align_to", "This is more than ten years ahead."),
        ({"way": "date", "align_to": "E"}, "align_to", "Everything is covered to that day already."),
        ({"add_104233_VOL-QNT": "0"}, "add_104233_VOL-QNT", "Write 1 or more, or leave it empty."),
    ],
)
def test_a_refusal_stands_beside_its_field_in_words(owner, dongle, today, asked, field, said):
    if asked.get("align_to") == "E":
        asked = {**asked, "align_to": str(today + timedelta(days=30))}
    answer = ask(owner, dongle, **asked)
    assert answer.status_code == 422
    beside = re.search(rf'id="id_{field}_error">.*?</span>([^<]+)', answer.content.decode())
    assert beside[1].startswith(said)
    assert nothing_was_written()


def test_nothing_is_sold_for_a_lost_dongle(owner, dongle):
    Dongle.objects.update(state=Dongle.State.LOST)
    answer = ask(owner, dongle)
    assert answer.status_code == 422
    assert errors_beside(answer)["dongle"].startswith(f"Dongle {dongle.serial} is lost or not in use any more")
    assert nothing_was_written()


def test_what_has_no_price_is_left_to_people(owner, dongle, settings):
    PriceListEntry.objects.filter(product__code="VOL-QNT").delete()
    answer = ask(owner, dongle)
    assert answer.status_code == 422
    assert f"We can’t price this by ourselves at the moment. Please write to {settings.VENDOR['email']}" in text_of(
        answer
    )
    assert nothing_was_written()


def test_only_licences_can_be_added(owner, dongle):
    answer = ask(owner, dongle, way="add")
    assert answer.status_code == 422
    assert "Say how many seats of which product you want to add." in text_of(answer)
    assert nothing_was_written()
    ask(owner, dongle, way="add", **{"add_104233_VOL-QNT": "2"}, once="b")
    assert QuoteVersion.objects.get().dongles.get().added == [{"product": "VOL-QNT", "seats": 2}]


def test_the_button_of_another_length_puts_it_into_the_form(owner, dongle):
    page = owner.post(ADDRESS, {"dongle": dongle.serial, "way": "years", "years": "1", "choose": "3_years"})
    assert page.status_code == 200
    assert '<option value="3" selected>' in page.content.decode()
    assert nothing_was_written()


def test_the_price_lives_and_the_address_follows(owner, dongle):
    live = {"HX-Request": "true", "HX-Target": "preview"}
    answer = owner.get(ADDRESS, {"dongle": dongle.serial, "way": "years", "years": "2"}, headers=live)
    assert "<h1" not in answer.content.decode()
    assert "€4,998.00" in text_of(answer)  # 2 × 2,100.00, with 19 % tax
    assert answer["HX-Replace-Url"] == "/my/renew/?dongle=104233&way=years&years=2"
    half = owner.get(ADDRESS, {"dongle": dongle.serial, "way": "date", "align_to": "0202-01-01"}, headers=live)
    assert half.status_code == 204


def test_forty_dongles_are_priced_with_as_many_queries_as_two(owner, dongle, today):
    serials = [dongle.serial]

    def queries():
        with CaptureQueriesContext(connection) as asked:
            page = owner.get(ADDRESS, {"dongle": serials})
        assert f"in total, {len(serials)} dongles" in text_of(page)
        return len(asked)

    def more(numbers):
        for number in numbers:
            world.make_dongle(f"M{number}", dongle.customer, [("VOL-VIS", str(today + timedelta(days=number)))])
            serials.append(f"M{number}")

    more([10])
    queries()
    few = queries()
    more(range(20, 58))
    assert queries() == few <= 45
    page = text_of(owner.get(ADDRESS, {"dongle": serials}))
    covered, then = (write_day(day) for day in (today + timedelta(days=57), term_end(today + timedelta(days=58), 12)))
    assert f"M57 until {covered} {then} 1,200.00" in page
