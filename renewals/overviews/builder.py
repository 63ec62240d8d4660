"""What the quote builder shows beside its form."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from dongles import queries as dongle_queries
from dongles.coverage import Release as PublishedRelease
from portal.errors import DomainError
from portal.models import Customer
from renewals.facts import PricingFacts
from renewals.overviews.offers import cost_of_waiting, due_releases, horizon, offers_for
from renewals.overviews.quotes import preview_of
from renewals.queries import Concessions, DongleRequest, PricedQuote, facts_of, price_on


def builder_overview(
    customer: Customer,
    requests: Sequence[DongleRequest],
    concessions: Concessions,
    part_month: str,
    today: date,
) -> dict[str, Any]:
    """The priced request or why it is refused, other offers, what waiting costs, what comes out meanwhile.

    Refuses what can't be quoted at all (`facts_of`).
    """
    facts = facts_of(customer, requests, since=today, through=horizon(today))
    shown: dict[str, Any] = {"offers": offers_for(facts, requests, concessions, part_month)}
    try:
        priced = price_on(facts, requests, on=today, concessions=concessions, part_month=part_month)
    except DomainError as refusal:
        return {**shown, "refusal": refusal}
    coming = coming_majors_for(facts, priced)
    last_day = today + timedelta(days=priced.policy.quote_valid_days)
    return {
        **shown,
        "preview": preview_of(priced),
        "waiting": cost_of_waiting(facts, coming, requests, priced),
        "due_releases": due_releases(coming, priced.policy, last_day),
        "last_day": last_day,
    }


def coming_majors_for(facts: PricingFacts, priced: PricedQuote) -> Sequence[PublishedRelease]:
    """The major releases to come that what was priced could miss, as far ahead as the facts go."""
    families = {each.product_of(line.licence).family.name for each in priced.dongles for line in each.priced.lines}
    return dongle_queries.coming_majors(families, after=facts.since, through=facts.through)
