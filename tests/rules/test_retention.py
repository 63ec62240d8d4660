"""F5: due, renewed in time, won back, lost; annual value, GRR and NRR; cohorts. Amounts are cents, worked by hand."""

import doctest
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.retention import (
    Carried,
    Chain,
    Covered,
    Held,
    Outcome,
    Renewal,
    Retention,
    Scope,
    Valued,
    Worth,
    cohort_of,
    compare,
    due_dongle,
    outcome_on,
    retention_changes,
    retention_of,
    values_at_month_ends,
)
from renewals.retention.values import Key

E = date(2026, 3, 31)
ADA, BEN = 1, 2
ONE_DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def on_record(ends_on: str = "2026-03-31", licence: int = 7) -> Covered:
    return Covered(licence, date(2020, 1, 1), day(ends_on), None)


class Bought(NamedTuple):
    """A renewal with the periods and annual values that it bought."""

    renewal: Renewal
    periods: Sequence[Covered]
    worths: Sequence[Worth]


def order(number: int, on: str, stood: str, *spans: str, annual: int = 120_000, currency="EUR", licence=7, **known):
    """An order fulfilled on a day for licence 7, covered through `stood`, of spans “from/through”."""
    known = {"cancelled_from": None, "grace_days": 0, **known}
    dates = [tuple(map(day, span.split("/"))) for span in spans]
    return Bought(
        Renewal(number, day(on), currency=currency, stood={licence: day(stood)}, **known),
        [Covered(licence, starts_on, ends_on, number) for starts_on, ends_on in dates],
        [Worth(licence, starts_on, ends_on, annual, currency) for starts_on, ends_on in dates],
    )


def chain(*bought: Bought, record: Sequence[Covered] = (), **facts) -> Chain:
    licences = {each.licence for each in record} | {licence for each in bought for licence in each.renewal.stood}
    facts = {
        "licences": {licence: Carried(product=100 + licence, family=1) for licence in licences},
        "owners": ((date.min, ADA),),
        "grace": ((date(2020, 1, 1), 0),),
        **facts,
    }
    return Chain(
        periods=[*record, *(period for each in bought for period in each.periods)],
        worths=[worth for each in bought for worth in each.worths],
        renewals=[each.renewal for each in bought],
        **facts,
    )


RENEWED = order(1, "2026-03-01", "2026-03-31", "2026-04-01/2027-03-31")


def told(found, today="2030-01-01"):
    return [(str(due.due_on), str(outcome_on(due, day(today)))) for due in found]


def test_f5_a_dongle_that_nobody_renews_is_open_through_its_grace_and_lost_after_it():
    [due] = due_dongle(chain(record=[on_record()], grace=((date(2020, 1, 1), 10),)))
    assert due.due_on == E
    assert not due.is_valued
    assert [share.scope for share in due.shares] == [Scope(), Scope(1), Scope(1, 107)]
    assert due.grace_ends_on == date(2026, 4, 10)  # 31 Mar + 10 days
    assert outcome_on(due, date(2026, 4, 10)) == Outcome.OPEN
    assert outcome_on(due, date(2026, 4, 11)) == Outcome.LOST


def test_f5_a_renewal_makes_one_due_at_the_date_before_and_one_at_the_new_date():
    found = due_dongle(chain(RENEWED, record=[on_record()]))
    assert told(found, "2026-06-01") == [("2026-03-31", "renewed"), ("2027-03-31", "open")]
    assert found[0].order == 1
    assert found[0].covered_again_on == date(2026, 4, 1)


def test_f5_an_advance_purchase_of_years_is_due_once_at_the_date_before_and_once_at_the_end_of_all():
    three = order(1, "2024-07-01", "2026-03-31", "2026-04-01/2027-03-31", "2027-04-01/2028-03-31")
    found = due_dongle(chain(three, record=[on_record()]))
    assert told(found, "2027-06-01") == [("2026-03-31", "renewed"), ("2028-03-31", "open")]


@pytest.mark.parametrize(
    ("fulfilled_on", "covered", "outcome"),
    [
        ("2026-04-10", "2026-04-01/2027-03-31", "renewed"),  # the last of ten days of grace
        ("2026-04-11", "2026-04-01/2027-03-31", "won_back"),  # back to back by Q1's promise, but after the grace
        ("2026-06-01", "2026-06-01/2027-05-31", "won_back"),  # after a gap
    ],
)
def test_f5_in_time_is_back_to_back_before_the_grace_is_over_and_whatever_comes_later_is_won_back(
    fulfilled_on, covered, outcome
):
    late = order(1, fulfilled_on, "2026-03-31", covered, grace_days=10)
    assert told(due_dongle(chain(late, record=[on_record()])))[0] == ("2026-03-31", outcome)


def test_f5_by_value_what_was_renewed_counts_up_to_what_it_was_worth():
    first = order(1, "2025-03-01", "2025-03-31", "2025-04-01/2026-03-31", annual=120_000)
    dearer = order(2, "2026-03-01", "2026-03-31", "2026-04-01/2027-03-31", annual=150_000)
    cheaper = order(3, "2027-03-01", "2027-03-31", "2027-04-01/2028-03-31", annual=90_000)
    _, second, third, _ = due_dongle(chain(first, dearer, cheaper, record=[on_record("2025-03-31")]))
    assert second.whole[1:] == (120_000, 150_000, 120_000)  # old, new, kept: not more than it was
    assert third.whole[1:] == (150_000, 90_000, 90_000)


def test_f5_what_came_on_record_is_due_by_count_but_its_value_is_not_known():
    [due, after] = due_dongle(chain(RENEWED, record=[on_record()]))
    assert not due.is_valued
    assert due.whole[1:] == (0, 0, 0)
    assert after.is_valued
    assert after.whole[1:] == (120_000, 0, 0)


def test_f5_a_renewal_in_another_currency_has_no_value_that_could_be_compared():
    in_dollars = order(2, "2027-03-01", "2027-03-31", "2027-04-01/2028-03-31", currency="USD")
    _, due, after = due_dongle(chain(RENEWED, in_dollars, record=[on_record()]))
    assert (due.is_valued, due.currency) == (False, "EUR")
    assert (after.is_valued, after.currency) == (True, "USD")


def test_f5_a_ragged_dongle_is_due_at_its_latest_date_with_what_is_worth_something_then():
    record = [on_record("2026-03-31"), on_record("2025-12-31", licence=8)]
    assert told(due_dongle(chain(record=record)), "2026-01-10") == [("2026-03-31", "open")]
    mended = order(1, "2026-01-10", "2025-12-31", "2026-01-10/2026-03-31", licence=8)
    mended.renewal.stood[7] = E
    assert told(due_dongle(chain(mended, record=record)), "2026-01-10") == [("2026-03-31", "open")]


def test_f5_a_dongle_that_was_handed_on_is_due_from_who_owned_it_on_the_day():
    owners = ((date.min, ADA), (date(2026, 3, 15), BEN))
    assert [due.customer for due in due_dongle(chain(RENEWED, record=[on_record()], owners=owners))] == [BEN, BEN]
    owners = ((date.min, ADA), (date(2026, 4, 15), BEN))
    assert [due.customer for due in due_dongle(chain(RENEWED, record=[on_record()], owners=owners))] == [ADA, BEN]


def test_f5_a_dongle_of_nobody_is_not_due():
    assert due_dongle(chain(record=[on_record()], owners=((date.min, None),))) == []


def test_f5_an_order_cancelled_later_had_renewed_and_the_dongle_is_due_again_when_it_ends():
    cut = order(1, "2026-03-01", "2026-03-31", "2026-04-01/2026-05-31", cancelled_from=date(2026, 6, 1))
    assert told(due_dongle(chain(cut, record=[on_record()])), "2026-07-01") == [
        ("2026-03-31", "renewed"),
        ("2026-05-31", "lost"),
    ]


def test_f5_an_order_cancelled_before_it_covered_a_day_renewed_nothing():
    gone = order(1, "2026-03-01", "2026-03-31", cancelled_from=date(2026, 3, 20))
    assert told(due_dongle(chain(gone, record=[on_record()]))) == [("2026-03-31", "lost")]


def test_f5_the_one_day_that_a_cancelled_upgrade_keeps_wins_nobody_back():
    kept = order(1, "2026-06-01", "2026-03-31", "2026-06-01/2026-06-01", cancelled_from=date(2026, 6, 1))
    assert told(due_dongle(chain(kept, record=[on_record()]))) == [("2026-03-31", "lost")]


def test_f5_what_was_annulled_never_was_and_the_next_order_renews():
    annulled = order(1, "2026-02-01", "2026-03-31", cancelled_from=date(2026, 2, 1))
    again = order(2, "2026-03-02", "2026-03-31", "2026-04-01/2027-03-31")
    found = due_dongle(chain(annulled, again, record=[on_record()]))
    assert [(due.due_on, due.order) for due in found] == [(E, 2), (date(2027, 3, 31), None)]


def test_f5_a_dongle_that_is_bought_with_its_first_sma_was_not_due():
    first = order(1, "2026-03-01", "2026-03-01", "2026-03-01/2027-02-28")  # C(l) is the day of acquisition (C4)
    assert told(due_dongle(chain(first)), "2026-06-01") == [("2027-02-28", "open")]


def test_f5_a_licence_withdrawn_before_its_end_is_not_due_one_withdrawn_later_was():
    def withdrawn(on: str) -> Chain:
        return chain(record=[on_record()], licences={7: Carried(107, 1, day(on))})

    assert due_dongle(withdrawn("2026-03-31")) == []
    assert told(due_dongle(withdrawn("2026-04-01"))) == [("2026-03-31", "lost")]


def test_f5_a_product_has_its_own_share_of_the_dongle():
    first = order(1, "2025-03-01", "2025-03-31", "2025-04-01/2026-03-31", annual=120_000)
    other = order(1, "2025-03-01", "2025-03-31", "2025-04-01/2026-03-31", annual=90_000, licence=8)
    both = Bought(
        first.renewal._replace(stood={7: day("2025-03-31"), 8: day("2025-03-31")}),
        [*first.periods, *other.periods],
        [*first.worths, *other.worths],
    )
    record = [on_record("2025-03-31"), on_record("2025-03-31", licence=8)]
    licences = {7: Carried(107, 1), 8: Carried(108, 2)}
    [_, due] = due_dongle(chain(both, record=record, licences=licences))
    assert {share.scope: share.old for share in due.shares} == {
        Scope(): 210_000,
        Scope(1): 120_000,
        Scope(1, 107): 120_000,
        Scope(2): 90_000,
        Scope(2, 108): 90_000,
    }


def test_f5_of_two_customers_what_grew_doesnt_make_up_for_what_shrank():
    # 1,000 → 1,200, 2,000 → 1,500, 500 → nothing, and a new one of 700.
    total = retention_of([(100_000, 120_000), (200_000, 150_000), (50_000, 0), (0, 70_000)])
    assert total == Retention(
        value=340_000, then=350_000, kept=250_000, now=270_000, lost=50_000, customers_then=3, customers_kept=2
    )
    assert total.shrunk == 50_000  # of the 2,000
    # GRR 250/350 = 71.4 %, NRR 270/350 = 77.1 %; churn 100/350 = 28.6 %, half of it lost.


def valued(starts_on: str, ends_on: str, annual: int = 120_000, **other) -> Valued:
    known = {"family": 1, "product": 101, "currency": "EUR", **other}
    return Valued(starts_on=day(starts_on), ends_on=day(ends_on), annual=annual, **known)


def test_f5_annual_value_at_month_ends_changes_where_lines_begin_and_end():
    lines = [
        valued("2026-04-01", "2027-03-31"),
        valued("2027-04-01", "2028-03-30", 150_000),  # not through the last of March
        valued("2026-05-02", "2026-05-30", 90_000),  # no month's end in it
    ]
    steps = [(str(month // 12), month % 12 + 1, value) for month, value in values_at_month_ends(lines)[EUR]]
    assert steps == [("2026", 4, 120_000), ("2027", 4, 150_000), ("2028", 3, 0)]


EUR = Key(Scope(), "EUR")


def retention_at(lines: Sequence[Valued], month: date) -> Retention:
    total = Retention()
    for change in retention_changes(lines):
        if Key(change.scope, change.currency) == EUR and change.month <= month:
            total = total.plus(change.by)
    return total


def test_f5_retention_of_a_customer_month_by_month():
    lines = [valued("2026-04-01", "2027-03-31"), valued("2027-04-01", "2028-03-31", 90_000)]
    assert retention_at(lines, date(2027, 3, 1)) == Retention(value=120_000)  # a year ago there was nothing yet
    assert retention_at(lines, date(2027, 4, 1)) == Retention(90_000, 120_000, 90_000, 90_000, 0, 1, 1)
    assert retention_at(lines, date(2028, 3, 1)) == Retention(90_000, 120_000, 90_000, 90_000, 0, 1, 1)
    assert retention_at(lines, date(2028, 4, 1)) == Retention(0, 90_000, 0, 0, 90_000, 1, 0)
    assert retention_at(lines, date(2029, 4, 1)) == Retention()


def test_f5_a_cancellation_takes_its_value_from_the_day_on():
    lines = [valued("2026-04-01", "2027-03-31"), valued("2026-09-16", "2027-03-31", -120_000)]
    assert dict(values_at_month_ends(lines)[EUR]) == {2026 * 12 + 3: 120_000, 2026 * 12 + 8: 0}


def test_f5_a_cohort_is_the_year_of_the_first_sma_and_who_has_none_at_a_years_end_is_not_in_it():
    held = [Held(1, 101, day("2024-04-01"), day("2025-03-31")), Held(1, 101, day("2026-02-01"), day("2027-12-31"))]
    lines = [valued("2026-02-01", "2027-12-31", 90_000)]
    found = [each for each in cohort_of(held, lines) if each.scope == Scope()]
    assert [(each.first_year, each.year, each.is_covered, each.values) for each in found] == [
        (2024, 2024, True, ()),
        (2024, 2026, True, (("EUR", 90_000),)),
        (2024, 2027, True, (("EUR", 90_000),)),
    ]


def test_f5_another_product_does_not_make_a_customer_new():
    held = [Held(1, 101, day("2020-01-01"), day("2020-12-31")), Held(2, 201, day("2026-01-01"), day("2026-12-31"))]
    assert [(each.first_year, each.year) for each in cohort_of(held, []) if each.scope == Scope(2, 201)] == [
        (2020, 2026)
    ]


def test_f5_the_worked_examples_of_the_document_come_out_as_written():
    document = Path(__file__).parent.parent.parent / "docs/finance-renewals.md"
    results = doctest.testfile(str(document), module_relative=False, encoding="utf-8")
    assert results.attempted >= 6
    assert results.failed == 0


AMOUNTS = st.integers(0, 1_000_000)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@st.composite
def some_lines(draw):
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        starts_on = draw(DAYS)
        product = draw(st.sampled_from([(1, 101), (1, 102), (2, 201)]))
        ends_on = starts_on + timedelta(days=draw(st.integers(0, 1200)))
        lines.append(Valued(*product, draw(st.sampled_from(["EUR", "USD"])), starts_on, ends_on, draw(AMOUNTS)))
    return lines


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=9))
def test_f5_grr_is_never_more_than_the_whole_nor_than_nrr(customers):
    total = retention_of(customers)
    assert total.kept <= total.then
    assert total.kept <= total.now
    assert min(total.lost, total.shrunk) >= 0
    assert total.kept + total.lost + total.shrunk == total.then


@given(some_lines(), st.dates(date(2019, 1, 1), date(2035, 1, 1)))
def test_f5_changes_summed_up_to_a_month_are_the_months_last_day_against_the_year_before(lines, within):
    month = within.replace(day=1)

    def value_on(on: date) -> int:
        return sum(each.annual for each in lines if each.currency == "EUR" and each.starts_on <= on <= each.ends_on)

    def last_day(year: int) -> date:
        return (date(year, month.month, 1) + timedelta(days=31)).replace(day=1) - ONE_DAY

    assert retention_at(lines, month) == compare(value_on(last_day(month.year - 1)), value_on(last_day(month.year)))


@given(some_lines(), DAYS)
def test_f5_a_line_sold_as_two_that_follow_each_other_keeps_as_much(lines, cut):
    parts = [
        half
        for line in lines
        for half in (
            line._replace(ends_on=min(line.ends_on, cut)),
            line._replace(starts_on=max(line.starts_on, cut + ONE_DAY)),
        )
    ]
    split = [half for half in parts if half.starts_on <= half.ends_on]
    assert sorted(retention_changes(split), key=repr) == sorted(retention_changes(lines), key=repr)


@st.composite
def lives(draw):
    """A dongle that came on record and was renewed now and then: in advance, in time, late, or for years."""
    stands = date(2020, 12, 31)
    bought, record = [], [Covered(7, date(2020, 1, 1), stands, None)]
    on = date(2020, 6, 1)
    for number in range(1, draw(st.integers(1, 5)) + 1):
        on = max(on, stands + timedelta(days=draw(st.integers(-400, 400))))
        starts_on = max(stands + ONE_DAY, on)
        ends_on = starts_on + timedelta(days=draw(st.integers(30, 1100)))
        bought.append(order(number, str(on), str(stands), f"{starts_on}/{ends_on}", annual=draw(AMOUNTS)))
        stands = ends_on
    return bought, record


@given(lives())
def test_f5_renewing_changes_no_due_of_before_but_what_came_of_the_last(life):
    bought, record = life
    before, after = due_dongle(chain(*bought[:-1], record=record)), due_dongle(chain(*bought, record=record))
    assert [due.due_on for due in after[:-1]] == [due.due_on for due in before]
    assert after[:-2] == before[:-1]
    assert before[-1].outcome is None
    assert after[-2].outcome is not None


@given(lives())
def test_f5_once_the_grace_is_over_what_was_renewed_in_time_stays_as_it_is(life):
    bought, record = life
    whole = {due.due_on: due for due in due_dongle(chain(*bought, record=record))}
    for known in range(len(bought) + 1):
        today = bought[known].renewal.fulfilled_on - ONE_DAY if known < len(bought) else date(2040, 1, 1)
        for due in due_dongle(chain(*bought[:known], record=record)):
            if due.grace_ends_on <= today:
                assert (whole[due.due_on].outcome == Outcome.RENEWED) == (due.outcome == Outcome.RENEWED)


@given(lives(), st.integers(1, 300))
def test_f5_a_purchase_in_advance_changes_neither_when_a_dongle_was_due_nor_that_it_was_renewed(life, earlier):
    bought, record = life
    last = bought[-1]
    ends_on = min(bought[-2].renewal.fulfilled_on if len(bought) > 1 else date(2020, 6, 1), last.renewal.fulfilled_on)
    sooner = max(ends_on, last.renewal.fulfilled_on - timedelta(days=earlier))
    advanced = last._replace(renewal=last.renewal._replace(fulfilled_on=sooner))
    found, then = due_dongle(chain(*bought, record=record)), due_dongle(chain(*bought[:-1], advanced, record=record))
    assert [due.due_on for due in found] == [due.due_on for due in then]
    if found[-2].outcome == Outcome.RENEWED:
        assert then == found


@given(lives())
def test_f5_a_dongles_shares_of_products_come_to_its_whole(life):
    for due in due_dongle(chain(life[0][0], *life[0][1:], record=life[1])):
        products = [share for share in due.shares if share.scope.product is not None]
        assert sum(share.old for share in products) == due.whole.old
        assert sum(share.kept for share in products) <= due.whole.kept <= due.whole.old
