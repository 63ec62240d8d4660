"""The quote builder: several dongles, offers side by side, what waiting costs, concessions, somebody else's version.

VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00, each upgrade twice as much; 19 % tax.
"""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from dongles.terms import ONE_DAY, term_end
from portal.wording import write_day
from renewals.models import PolicySettings, PriceList, PriceListEntry, QuoteVersion
from tests import world
from tests.web import reading
from tests.web.test_quote_pages import builder

LIVE = {"HX-Request": "true"}


def text_of(answer):
    """The page's words without its marks: what stood in a mark of its own is followed by no space before a comma."""
    return re.sub(r" (?=[,.])", "", reading.text_of(answer))


@pytest.fixture
def ends(today):
    """The day through which the dongle is covered."""
    return today + timedelta(days=30)


@pytest.fixture
def other(dongle, today):
    """Another dongle of the same customer: one Volocity licence, covered for 60 days more."""
    until = (today + timedelta(days=60)).isoformat()
    return world.make_dongle("777", dongle.customer, licences=[("VOL-VIS", until)])


def test_several_dongles_of_a_customer_go_into_one_quote(dongle, other, sales):
    page = sales.get(builder(dongle), {"dongles": "777", "renew_years": "1"})
    # 1,200.00 + 900.00 and 1,200.00: 3,300.00, with 19 % tax 627.00
    assert "€3,927.00 in total, 2 dongles" in text_of(page)
    sales.post(builder(dongle), {"dongles": ["777"], "renew_years": "1", "add_777_VOL-QNT": "2", "once": "a"})
    version = QuoteVersion.objects.get()
    # two seats of VOL-QNT more: 9,000.00, from today to the other's new last day
    assert [(row.dongle.serial, row.added) for row in version.dongles.all()] == [
        (dongle.serial, []),
        ("777", [{"product": "VOL-QNT", "seats": 2}]),
    ]


def test_dongles_of_other_customers_are_neither_offered_nor_taken(dongle, sales, today):
    stranger = world.make_dongle("888", world.make_customer("Somebody else"))
    assert "888" not in sales.get(builder(dongle)).content.decode()
    answer = sales.post(builder(dongle), {"dongles": [stranger.serial], "renew_years": "1", "once": "a"})
    assert answer.status_code == 422
    assert "888 is not one of the available choices" in text_of(answer)
    assert not QuoteVersion.objects.exists()


def test_all_dongles_are_aligned_to_one_date(dongle, other, sales, today):
    to = term_end(today, 24)
    sales.post(builder(dongle), {"dongles": ["777"], "align_to": to.isoformat(), "once": "a"})
    assert [row.covered_through for row in QuoteVersion.objects.get().dongles.all()] == [to, to]


def test_a_new_version_of_several_dongles_starts_as_the_one_before(dongle, other, sales, today):
    sales.post(
        builder(dongle),
        {"dongles": ["777"], "renew_years": "2", "add_777_VOL-QNT": "1", "discount": "5", "free_months": "1",
         "part_month": "whole", "discount_reason": "Loyal", "once": "a"},
    )  # fmt: skip
    first = QuoteVersion.objects.get()
    page = sales.get(reverse("renewals:quote", args=[first.quote_id])).content.decode()
    address = re.search(r'href="([^"]*/quote/\?revises=[^"]*)"', page)[1].replace("&amp;", "&")
    form = sales.get(address).content.decode()
    typed = dict(re.findall(r'<input type="(?:number|hidden)" name="([^"]*)" value="([^"]*)"', form))
    assert (typed["add_777_VOL-QNT"], typed["discount"], typed["free_months"]) == ("1", "5", "1")
    assert '<option value="whole" selected>' in form
    assert re.search(r'value="777"[^>]*checked', form)


def test_offers_stand_side_by_side_with_their_totals_and_the_cost_per_licence_and_year(dongle, sales, today, ends):
    page = text_of(sales.get(builder(dongle)))
    # a year: 2,100.00, 1,050.00 for each of two licences; three years three times as much
    assert (
        f"1 year €2,499.00 €1,050.00 net per licence and year through {write_day(term_end(ends + ONE_DAY, 12))}" in page
    )
    assert "3 years €7,497.00 €1,050.00 net per licence and year" in page
    assert ", to the day €" in page
    assert ", whole months €" in page


def test_whole_months_cost_a_month_begun_in_full(dongle, sales, ends):
    # six months and a day of (1,200.00 + 900.00) ÷ 12 = 175.00 a month: seven months as whole ones are 1,225.00
    to = term_end(ends + ONE_DAY, 6) + ONE_DAY
    page = text_of(sales.get(builder(dongle), {"renew_years": "", "align_to": to.isoformat(), "part_month": "whole"}))
    assert "Net €1,225.00" in page
    sales.post(builder(dongle), {"align_to": to.isoformat(), "part_month": "whole", "once": "a"})
    version = QuoteVersion.objects.get()
    assert (version.net, version.part_month) == (122_500, "whole")


def test_choosing_an_offer_puts_it_into_the_form_and_keeps_what_was_typed(dongle, sales, today):
    typed = {"renew_years": "1", "note": "With thanks", "choose": "3_years", "once": "a"}
    page = sales.post(builder(dongle), typed)
    assert page.status_code == 200
    assert '<option value="3" selected>' in page.content.decode()
    assert "With thanks</textarea>" in page.content.decode()
    assert "€7,497.00 in total" in text_of(page)
    to = term_end(today, 36).isoformat()
    page = sales.post(builder(dongle), {**typed, "choose": f"whole_{to}"}).content.decode()
    assert f'value="{to}"' in page
    assert '<option value="whole" selected>' in page
    assert not QuoteVersion.objects.exists()


@pytest.mark.parametrize("choice", ["", "x", "_", "9_years", "whole_tomorrow", "3_years_" * 500])
def test_an_offer_that_is_none_harms_nothing(dongle, sales, choice):
    page = sales.post(builder(dongle), {"renew_years": "1", "choose": choice, "work_it_out": "1", "once": "a"})
    assert page.status_code in (200, 422)
    assert not QuoteVersion.objects.exists()


def test_it_says_from_when_waiting_costs_more_and_why(dongle, sales, today, ends):
    due = ends + timedelta(days=40)
    world.make_release("9.0", due.isoformat())
    page = text_of(sales.get(builder(dongle)))
    # lapsed over 9.0 each licence takes an upgrade, twice its year: 4,200.00, with 19 % tax 4,998.00
    assert (
        f"Waiting costs: after {write_day(due - ONE_DAY)} this becomes €4,998.00, since Volocity 9.0"
        f" ({write_day(due)}) will have been missed, which takes an upgrade." in page
    )


def test_a_lapse_alone_costs_nothing_more_so_nothing_is_said(dongle, sales):
    assert "Waiting costs" not in text_of(sales.get(builder(dongle)))


def test_a_dearer_price_list_to_come_is_a_reason_not_to_wait(dongle, sales, today):
    dearer = PriceList.objects.create(
        name="EUR next", currency="EUR", segment="commercial", valid_from=today + timedelta(days=10)
    )
    for entry in PriceListEntry.objects.exclude(price_list=dearer):
        entry.pk, entry.price_list, entry.sma_year, entry.upgrade = None, dearer, entry.sma_year * 2, entry.upgrade * 2
        entry.save()
    page = text_of(sales.get(builder(dongle)))
    # the same year at twice the price: 4,200.00, with tax 4,998.00
    assert f"after {write_day(today + timedelta(days=9))} this becomes €4,998.00, since “EUR next” holds from" in page


@pytest.mark.parametrize(
    ("straddle", "sentence"),
    [("honour", "its price is honoured"), ("requote", "can’t be accepted any more from that day on")],
)
def test_a_release_before_the_last_valid_day_is_warned_of(dongle, sales, today, straddle, sentence):
    PolicySettings.objects.update(straddle=straddle)
    world.make_release("9.0", (today + timedelta(days=30)).isoformat())
    world.make_release("10.0", (today + timedelta(days=31)).isoformat())
    page = text_of(sales.get(builder(dongle)))
    assert f"Volocity 9.0 comes out on {write_day(today + timedelta(days=30))}, before the last day" in page
    assert sentence in page
    assert "Volocity 10.0 comes out" not in page
    version = world.draft(dongle, today)
    assert "Volocity 9.0 comes out on" in text_of(sales.get(reverse("renewals:quote", args=[version.quote_id])))


def test_free_months_and_waived_upgrades_take_a_reason_and_somebody_elses_approval(dongle, sales, today):
    typed = {"renew_years": "1", "free_months": "2", "once": "a"}
    answer = sales.post(builder(dongle), typed)
    assert answer.status_code == 422
    assert "Reason for what is conceded: Say why this is given." in text_of(answer)
    assert not QuoteVersion.objects.exists()
    sales.post(builder(dongle), {**typed, "discount_reason": "A long outage"})
    version = QuoteVersion.objects.get()
    assert (version.free_months, version.needs_approval, version.net) == (2, True, 210_000)
    page = text_of(sales.get(reverse("renewals:quote", args=[version.quote_id])))
    assert "Needs approval" in page
    assert "2 months free" in page


def test_a_waived_upgrade_is_kept_with_the_version(catalogue, sales, today):
    lapsed = world.make_dongle("999", licences=[("VOL-VIS", (today - timedelta(days=90)).isoformat())])
    world.make_release("9.0", (today - timedelta(days=30)).isoformat())
    # the upgrade costs 2,400.00, waived it is a year of SMA for 1,200.00
    typed = {"renew_years": "1", "waives_upgrades": "on", "discount_reason": "Our delay", "once": "a"}
    sales.post(builder(lapsed), typed)
    version = QuoteVersion.objects.get()
    assert (version.waives_upgrades, version.needs_approval, version.net) == (True, True, 120_000)


def test_a_version_that_somebody_else_made_meanwhile_is_shown_and_not_overwritten(dongle, sales, today):
    first = world.draft(dongle, today)
    address = f"{builder(dongle)}?revises={first.quote_id}"
    form = sales.get(address).content.decode()
    known = re.search(r'name="newest_known" value="(\d+)"', form)[1]
    second = world.draft(dongle, today, renew_years=3, revises=first.quote)
    answer = sales.post(address, {"renew_years": "2", "newest_known": known, "once": "a"})
    assert answer.status_code == 422
    assert "the portal has made version 2 of this quote" in text_of(answer)
    second.refresh_from_db()
    assert (second.state, first.quote.versions.count()) == ("draft", 2)


def test_the_page_of_a_version_says_in_words_what_has_changed(dongle, sales, today, ends):
    first = world.draft(dongle, today)
    second = world.draft(
        dongle, today, renew_years=3, discount=Decimal("0.05"), discount_reason="Three years", revises=first.quote
    )
    page = text_of(sales.get(reverse("renewals:quote_version", args=[second.quote_id, 2])))
    three, one = (write_day(term_end(ends + ONE_DAY, 12 * years)) for years in (3, 1))
    assert "Negotiated discount 5% instead of none." in page
    # three years: 6,300.00 less 5 % are 5,985.00, with 19 % tax 7,122.15
    assert (
        f"Dongle {dongle.serial}: renewal for 3 years instead of renewal for 1 year; covered through {three} instead"
        f" of {one}; €5,985.00 net instead of €2,100.00." in page
    )
    assert "€7,122.15 in total instead of €2,499.00." in page


def test_licences_can_be_withdrawn_first_and_one_comes_back_to_the_quote_c6(dongle, sales):
    page = sales.get(builder(dongle), {"renew_years": "2"}).content.decode()
    address = re.search(r'class="quote-withdraw" href="([^"]*)"', page)[1]
    answer = sales.post(address, {"reason": "Sold with the microscope"})
    assert answer.url == f"{builder(dongle)}?renew_years=2"
    # the other licence, VOL-QNT, for two years: 1,800.00, with tax 2,142.00
    assert "€2,142.00 in total" in text_of(sales.get(answer.url))


def test_withdrawing_leads_to_no_other_site(dongle, sales):
    licence = dongle.licences.first()
    address = reverse("renewals:withdraw", args=[dongle.serial, licence.pk])
    answer = sales.post(f"{address}?back=https://elsewhere.example/", {"reason": "Sold"})
    assert answer.url == reverse("renewals:dongle", args=[dongle.serial])


def test_ticking_a_dongle_brings_the_whole_builder_with_its_products(dongle, other, sales):
    asked = {"dongles": "777", "renew_years": "1", "note": "Typed before"}
    page = sales.get(builder(dongle), asked, headers={**LIVE, "HX-Target": "builder"}).content.decode()
    assert 'name="add_777_VOL-QNT"' in page
    assert "Typed before</textarea>" in page


def test_the_builder_asks_the_database_the_same_for_one_dongle_as_for_five(
    dongle, sales, today, django_assert_max_num_queries
):
    for number in range(5):
        ends = (today + timedelta(days=60)).isoformat()
        world.make_dongle(f"77{number}", dongle.customer, licences=[("VOL-VIS", ends), ("VOL-QNT", ends)])
    sales.get(builder(dongle))
    with django_assert_max_num_queries(18):
        sales.get(builder(dongle), {"renew_years": "1"}, headers=LIVE)
    with django_assert_max_num_queries(18):
        asked = {"renew_years": "1", "dongles": [f"77{number}" for number in range(5)]}
        sales.get(builder(dongle), asked, headers=LIVE)


def test_dates_and_numbers_out_of_this_world_are_refused_with_a_sentence(dongle, sales):
    for typed in (
        {"align_to": "9999-12-31"},
        {"align_to": "0001-01-01"},
        {"free_months": "99999999999999999999"},
        {"free_months": "-1"},
        {"part_month": "sometimes"},
        {"discount": "1e309"},
        {"renew_years": "1", f"add_{dongle.serial}_VOL-VIS": "65536"},
        {"dongles": "not a serial!", "renew_years": "1"},
    ):
        answer = sales.post(builder(dongle), {**typed, "once": "a"})
        assert answer.status_code == 422, typed
        assert "There is a problem" in text_of(answer)
    assert not QuoteVersion.objects.exists()


def test_the_live_refusal_names_its_field(dongle, sales):
    page = text_of(sales.get(builder(dongle), {"renew_years": "1", "discount": "500"}, headers=LIVE))
    assert "No price yet Negotiated discount: Ensure this value is less than or equal to 100." in page


def test_a_date_beyond_all_calendars_is_no_failure(dongle, sales):
    assert sales.get(builder(dongle), {"align_to": date.max.isoformat()}, headers=LIVE).status_code == 200
