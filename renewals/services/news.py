"""What has come between quoting and accepting (rule Q1): reported to sales and finance, or refused by policy."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.models import Licence
from portal.errors import DomainError
from renewals.models import Bridge, PolicySettings, QuoteDongle, QuoteVersion
from renewals.queries import price_list_on

Quoted = Iterable[tuple[QuoteDongle, Sequence[tuple[Licence, LicenceCoverage]]]]


def news_since(version: QuoteVersion, dongles: Quoted, today: date) -> dict[str, Any]:
    """Q1, Q7: the releases and the price list that would change the quote today; `quote_straddled` under `requote`."""
    missed = _missed_since(version, list(dongles), today)
    if missed and version.policy.straddle == PolicySettings.Straddle.REQUOTE:
        raise DomainError(
            "quote_straddled",
            f"Since this quote was made {' and '.join(missed)} came out, which changes it. Quote again.",
            {"releases": missed},
        )
    news: dict[str, Any] = {"released_since": missed} if missed else {}
    if today > version.priced_on:
        price_list = price_list_on(version.quote.customer, today)
        if price_list and price_list.pk != version.price_list_id:
            news["price_list_since"] = price_list.name
    return news


def _missed_since(version: QuoteVersion, dongles: Quoted, today: date) -> list[str]:
    """The major releases that were not missed when quoted and would be charged today.

    A licence that buys an upgrade already pays no more for a further release, unless each one counts (P7). While this
    quote's bridge lasts it keeps its E, and nothing is missed (Q7).
    """
    grace = version.policy.grace_days
    each_counts = version.policy.missed_majors == PolicySettings.MissedMajors.EACH
    lapsed = [
        (quoted.dongle_id, covered, {release for release, _ in quoted.licences[index]["missed"]})
        for quoted, carried in dongles
        for index, (_, covered) in enumerate(carried)
        if coverage.is_lapsed(coverage.covered_through(covered), today, grace)
    ]
    lapsed = [each for each in lapsed if each_counts or not each[-1]]
    if not lapsed:
        return []
    bridged = set(Bridge.objects.filter(version=version, ends_on__gte=today).values_list("dongle_id", flat=True))
    at_risk = [(covered, known) for dongle_id, covered, known in lapsed if dongle_id not in bridged]
    majors = dongle_queries.published_releases(
        {covered.family for covered, _ in at_risk}, through=today, majors_only=True
    )
    return sorted(
        {
            f"{release.family} {release.version}"
            for covered, known in at_risk
            for release in coverage.missed_majors(covered, majors, today, grace)
            if release.version not in known
        }
    )


def wording_of(news: dict[str, Any]) -> str:
    """The news in a sentence, for the history of the order."""
    since = [
        *news.get("released_since", ()),
        *([f"“{news['price_list_since']}”"] if "price_list_since" in news else ()),
    ]
    return f"Since the quote came {' and '.join(since)}; its prices were honoured." if since else ""
