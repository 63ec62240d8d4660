"""What will be earned month by month: from what is sold, and from what falls due and is expected to be renewed (F5)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from portal.sheets import Amount
from portal.wording import count, write_money, write_month, write_share
from renewals.calendar import following
from renewals.charts import ChartSpec
from renewals.forecasting import Expected, Falling, Share, expected_renewals
from renewals.overviews.finance import figures
from renewals.overviews.finance.addresses import lines_of
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.renewal_figures import RenewalRate, due_dongles, renewal_rate
from renewals.overviews.finance.reports import (
    Chart,
    Column,
    Definition,
    Report,
    ReportKind,
    Row,
    Section,
    Table,
)

FEWEST_DUE = 10  # dongles, for a rate of their own to say anything

COLUMNS = (
    Column("Month", 10, "month"),
    Column("Certain", 16, "amount"),
    Column("Falls due", 16, "amount"),
    Column("Expected renewals", 16, "amount"),
    Column("Certain and expected", 20, "amount"),
    Column("If all is renewed", 18, "amount"),
)
DEFINITIONS = (
    Definition(
        "Certain",
        "What is earned in the month of what is sold already, by day over its period: the least that is to come, unless"
        " something is taken back.",
        "F2",
    ),
    Definition(
        "Falls due",
        "The annual value of what ends in the month, from today on, and has not been renewed yet. Dongles whose value"
        " is not on record add nothing.",
        "F5",
    ),
    Definition(
        "Expected renewals",
        "All that falls due from today on, renewed on the day after its end for a year, at its annual value times the"
        " renewal rate by value of the last twelve whole months, without those in which the grace of something runs"
        " still; what was renewed so falls due again a year later. Earned by day from the day after the end.",
        "F2, F5",
    ),
    Definition(
        "If all is renewed",
        "The same at a rate of 100%, beside what is certain: the most that comes of what customers have now. New"
        " customers, winning back and changes of price are in neither.",
        "F5",
    ),
    Definition(
        "Renewal rate by value",
        "Of what was due, the smaller of old and new annual value where it was renewed in time, as a part of the old"
        f" annual value. Where fewer than {FEWEST_DUE} dongles with a value were due, the rate of all of the currency"
        " is taken; where those are too few as well, the rate by count of all dongles.",
        "F5",
    ),
)


class Open(NamedTuple):
    """What falls due and is not renewed yet, by day; and how many dongles, how many of them without a known value."""

    falling: Sequence[Falling]
    dongles: int
    unvalued: int


class UsedRate(NamedTuple):
    """The rate that is used, and in words where it is from; none where nothing was ever due."""

    share: Share | None
    words: str


def read_report(filters: ReportFilters, today: date) -> Report:
    """What is to come in the months asked for, a section for each currency."""
    if filters.currency == REPORTING:
        lead = "Months to come have no exchange rate yet: choose a currency to see what they bring."
        return Report(lead, (), DEFINITIONS)
    currencies = figures.currencies_of(filters)
    if not currencies:
        return Report("Nothing has been sold yet, so nothing is to come.", (), DEFINITIONS)
    sections = [_section(filters, currency, today) for currency in currencies]
    lead = (
        f"What will be earned from {write_month(filters.first_month)} to {write_month(filters.last_month)}: of what is"
        " sold, and of what falls due and is expected to be renewed."
    )
    over = "Months that have begun show under “Certain” what is earned in them as booked so far."
    return Report(lead, sections, DEFINITIONS, [over] if filters.first_month <= today else [])


def _section(filters: ReportFilters, currency: str, today: date) -> Section:
    months = list(filters.months())
    certain = _certain(filters, currency)
    found = _still_open(filters, currency, today)
    rate = rate_used(filters, currency, today)
    expected = expected_renewals(found.falling, rate.share, months)
    rows = [
        _row(filters, currency, month, certain.get(month, 0), _due_in(found.falling, month), each)
        for month, each in zip(months, expected, strict=True)
    ]
    sold = sum(certain.get(month, 0) for month in months)
    of_due, if_all = sum(each.by_rate for each in expected), sum(each.if_all for each in expected)
    due = sum(_due_in(found.falling, month) for month in months)
    total: Row = ("All months", *_amounts(currency, sold, due, of_due, if_all))
    lead = (
        f"{write_money(sold, currency)} is certain. With the renewals that are expected it is"
        f" {write_money(sold + of_due, currency)}; {write_money(sold + if_all, currency)} if all that falls due is"
        f" renewed. {rate.words}{_left_out(found)}"
    )
    table = Table("months", "Revenue to come", COLUMNS, rows, total)
    return Section(currency, lead, (table,), (_chart(currency, months, certain, expected),))


def _certain(filters: ReportFilters, currency: str) -> Mapping[date, int]:
    sums = figures.month_figures(filters, currency, figures=figures.BY_BOOKING)
    return {month: row["recognised"] + row["caught_up"] for (month,), row in sums.items()}


def _still_open(filters: ReportFilters, currency: str, today: date) -> Open:
    """What falls due from today on and is not covered again yet."""
    asked = due_dongles(filters._replace(first_month=today.replace(day=1)), currency)
    days = asked.filter(outcome="", due_on__gte=today).order_by("due_on").values("due_on")
    counted = days.annotate(
        value=Sum("old_value"), dongles=Count("*"), valued=Count("is_valued", filter=Q(is_valued=True))
    )
    falling, dongles, valued = [], 0, 0
    for day in counted:
        dongles, valued = dongles + day["dongles"], valued + day["valued"]
        if day["value"] > 0:
            falling.append(Falling(day["due_on"], int(day["value"])))
    return Open(falling, dongles, dongles - valued)


def _due_in(falling: Sequence[Falling], month: date) -> int:
    return sum(each.value for each in falling if each.due_on.replace(day=1) == month)


def _row(filters: ReportFilters, currency: str, month: date, certain: int, due: int, expected: Expected) -> Row:
    opened = lines_of("earned", filters, currency, month, certain)
    return (month, opened, *_amounts(currency, certain, due, *expected)[1:])


def _amounts(currency: str, certain: int, due: int, expected: int, if_all: int) -> tuple[Amount, ...]:
    return tuple(Amount(each, currency) for each in (certain, due, expected, certain + expected, certain + if_all))


def _left_out(found: Open) -> str:
    if not found.unvalued:
        return ""
    verb = "has" if found.unvalued == 1 else "have"
    return f" Of the {count(found.dongles, 'dongle')} falling due, {found.unvalued} {verb} no value on record."


def _chart(currency: str, months: Sequence[date], certain: Mapping[date, int], expected: Sequence[Expected]) -> Chart:
    least = [certain.get(month, 0) for month in months]
    series = (
        ("Certain", least),
        ("If all is renewed", [sold + each.if_all for sold, each in zip(least, expected, strict=True)]),
        ("Certain and expected", [sold + each.by_rate for sold, each in zip(least, expected, strict=True)]),
    )
    return Chart(
        "band",
        "Revenue to come",
        f"Month by month, in {currency}, a band from what is certain to what it is if all that falls due is renewed,"
        " and in it the line of what is expected.",
        ChartSpec("band", months, series, currency),
        "months",
    )


def rate_used(filters: ReportFilters, currency: str, today: date) -> UsedRate:
    """The renewal rate of the twelve whole months before today's: of what is asked for, or of more where that is too
    little to say anything.
    """
    first, last = following(today.replace(day=1), -12), following(today.replace(day=1), -1)
    span = f"from {write_month(first)} to {write_month(last)}"
    own = renewal_rate(filters._replace(first_month=first, last_month=last), currency, today)
    if _is_enough(own):
        return _by_value(own, f"The renewal rate by value {span} was")
    valued = own.sums.valued
    few = f"Only {count(valued, 'dongle')} with a known value {'was' if valued == 1 else 'were'} due {span}"
    of_currency = renewal_rate(ReportFilters(first, last), currency, today)
    if _is_enough(of_currency):
        return _by_value(of_currency, f"{few}, so the rate of all in {currency} is taken:")
    rate = renewal_rate(ReportFilters(first, last), "", today).by_count
    if rate.value is not None:
        return UsedRate(
            Share(*rate),
            f"{few}, so the rate by count of all dongles is taken: {write_share(rate.value)} of"
            f" {count(rate.denominator, 'dongle')}.",
        )
    return UsedRate(None, f"Nothing was due {span}: there is no renewal rate, and no renewal is expected.")


def _is_enough(rate: RenewalRate) -> bool:
    return rate.sums.valued >= FEWEST_DUE and rate.by_value.value is not None


def _by_value(rate: RenewalRate, words: str) -> UsedRate:
    assert rate.by_value.value is not None, "there is something to be a share of"
    said = f"{words} {write_share(rate.by_value.value)} of {count(rate.sums.valued, 'dongle')}."
    return UsedRate(Share(*rate.by_value), said)


KIND = ReportKind(
    "forecast",
    "Forecast",
    "What will be earned in the months to come, for certain and with renewals?",
    read_report,
    span="ahead",
)
