"""What could be offered instead for the same dongles, and what waiting costs: shown beside a quote that is made."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from dongles import coverage
from dongles.coverage import Release as PublishedRelease
from dongles.terms import term_end
from portal.errors import DomainError
from portal.wording import count, write_day, write_rate
from renewals.facts import PricingFacts
from renewals.models import PolicySettings, QuoteVersion
from renewals.pricing.rounding import round_half_up
from renewals.queries import Concessions, DongleRequest, PricedQuote, price_on

ONE_DAY = timedelta(days=1)
MONTHS_LOOKED_AHEAD = 12
YEARS_OFFERED = (1, 3)


class Offer(NamedTuple):
    """One way to cover the same dongles. `key` is what the builder's button chooses; a refused one says why."""

    key: str
    title: str
    priced: PricedQuote | None
    refusal: str
    is_chosen: bool

    @property
    def licence_year(self) -> int:
        """What it comes to per licence and year, net, in minor units."""
        assert self.priced is not None
        return cost_per_licence_year(self.priced)

    @property
    def covered_through(self) -> date:
        assert self.priced is not None
        return max(each.priced.covered_through for each in self.priced.dongles)

    @property
    def first_covered_through(self) -> date:
        """Until when it covers the dongle that ends first: years count from each dongle's own day."""
        assert self.priced is not None
        return min(each.priced.covered_through for each in self.priced.dongles)


def is_at_list_terms(version: QuoteVersion) -> bool:
    """Whether a version offers what anybody gets: nothing was conceded (Q3), and no dongle is replaced (Q8)."""
    is_conceded = version.discount or version.waives_upgrades or version.free_months
    return not is_conceded and not version.needs_approval and not version.dongles.exclude(replacement={}).exists()


class Waiting(NamedTuple):
    """From the day after `until` the same request costs `total`, and why."""

    until: date
    total: int
    currency: str
    reasons: Sequence[str]


class DueRelease(NamedTuple):
    """A major release that comes out while the quote is valid, and what the policy makes of it (Q1)."""

    name: str
    build_on: date
    consequence: str


def horizon(today: date) -> date:
    """How far ahead waiting is looked at."""
    return term_end(today, MONTHS_LOOKED_AHEAD)


def offers_for(
    facts: PricingFacts, requests: Sequence[DongleRequest], concessions: Concessions, part_month: str
) -> Sequence[Offer]:
    """A year, three years, and to one date: by days and by whole months. Licences that are added are in each."""
    policy = facts.policy_on(facts.since)
    offers = []
    for years in YEARS_OFFERED:
        if years <= policy.max_years:
            asked = [each._replace(renew_years=years, align_to=None) for each in requests]
            is_chosen = all(each.renew_years == years for each in requests)
            offers.append(
                _offer(f"{years}_years", count(years, "year"), facts, asked, concessions, part_month, is_chosen)
            )
    align_to = next((each.align_to for each in requests if each.align_to), None) or _usual_date(facts, requests)
    if align_to is not None:
        asked = [each._replace(renew_years=None, align_to=align_to) for each in requests]
        is_aligned = all(each.align_to == align_to for each in requests)
        for way, words in (("exact", "to the day"), ("whole", "whole months")):
            is_chosen = is_aligned and way == (part_month or policy.part_month)
            title = f"To {write_day(align_to)}, {words}"
            offers.append(_offer(f"{way}_{align_to}", title, facts, asked, concessions, way, is_chosen))
    return offers


def _offer(
    key: str,
    title: str,
    facts: PricingFacts,
    requests: Sequence[DongleRequest],
    concessions: Concessions,
    part_month: str,
    is_chosen: bool,
) -> Offer:
    try:
        priced = price_on(facts, requests, on=facts.since, concessions=concessions, part_month=part_month)
    except DomainError as refusal:
        return Offer(key, title, None, refusal.message, is_chosen)
    return Offer(key, title, priced, "", is_chosen)


def _usual_date(facts: PricingFacts, requests: Sequence[DongleRequest]) -> date | None:
    """The first end of a calendar year to which everything can be aligned."""
    for year in range(facts.since.year, facts.since.year + 6):
        end = date(year, 12, 31)
        try:
            price_on(facts, [each._replace(renew_years=None, align_to=end) for each in requests], on=facts.since)
        except DomainError:
            continue
        return end
    return None


def cost_per_licence_year(priced: PricedQuote) -> int:
    """The net sum by the years of SMA that it buys, all licences together; free months count as bought."""
    months = Fraction(0)
    for each in priced.dongles:
        for line in each.priced.lines:
            if line.starts_on is not None:
                whole, days, of = line.months
                months += whole + (Fraction(days, of) if days else 0)
        if priced.concessions.free_months:
            extended = {line.licence for line in each.priced.lines if line.net or line.list}
            months += priced.concessions.free_months * len(extended)
    if not months:
        return priced.net
    return round_half_up(priced.net * 12 * months.denominator, months.numerator)


def cost_of_waiting(
    facts: PricingFacts, coming: Iterable[PublishedRelease], requests: Sequence[DongleRequest], priced: PricedQuote
) -> Waiting | None:
    """The first day within the facts' days from which the same request costs more, and why; none if there is none.

    Days that can change a price are the ends of coverage (C4), releases (C5), and new terms of the vendor.
    """
    facts = facts._replace(majors=sorted({*facts.majors, *coming}, key=lambda release: release.build_on))
    for day in _turning_days(facts, priced):
        try:
            later = price_on(facts, requests, on=day, concessions=priced.concessions, part_month=priced.part_month)
        except DomainError:
            continue
        if later.total > priced.total:
            return Waiting(day - ONE_DAY, later.total, later.currency, _reasons(priced, later))
    return None


def _turning_days(facts: PricingFacts, priced: PricedQuote) -> Sequence[date]:
    grace = timedelta(days=priced.policy.grace_days)
    days = {
        coverage.covered_through(covered) + grace + ONE_DAY
        for licences in facts.carried.values()
        for _, covered in licences
    }
    days |= {release.build_on for release in facts.majors}
    days |= {entry.price_list.valid_from for entry in facts.entries}
    days |= {policy.valid_from for policy in facts.policies} | {valid_from for valid_from, _ in facts.tax_rates}
    return sorted(day for day in days if facts.since < day <= facts.through)


def _reasons(now: PricedQuote, later: PricedQuote) -> list[str]:
    """What has changed by the later day, as clauses after “since”."""
    known = {release for each in now.dongles for missed in each.priced.missed_majors.values() for release in missed}
    missed = {release for each in later.dongles for missed in each.priced.missed_majors.values() for release in missed}
    taking = "" if later.concessions.waives_upgrades else ", which takes an upgrade"
    reasons = [
        f"{release.family} {release.version} ({write_day(release.build_on)}) will have been missed{taking}"
        for release in sorted(missed - known, key=lambda release: (release.build_on, release.family))
    ]
    if later.price_list.pk != now.price_list.pk:
        reasons.append(f"“{later.price_list.name}” holds from {write_day(later.price_list.valid_from)}")
    if later.tax_rate != now.tax_rate:
        reasons.append(f"the tax rate is {write_rate(later.tax_rate)} then")
    if later.policy.pk != now.policy.pk:
        reasons.append(f"the policy settings of {write_day(later.policy.valid_from)} hold then")
    return reasons or ["the SMA will have lapsed"]


def due_releases(coming: Iterable[PublishedRelease], policy: PolicySettings, last_day: date) -> Sequence[DueRelease]:
    """Q1: of the major releases to come those that come out by the last valid day of a quote."""
    if policy.straddle == PolicySettings.Straddle.HONOUR:
        consequence = "The quote stays a promise: its price is honoured."
    else:
        consequence = "Where it is missed the quote can’t be accepted any more from that day on, and is made anew."
    return [
        DueRelease(f"{release.family} {release.version}", release.build_on, consequence)
        for release in coming
        if release.build_on <= last_day
    ]
