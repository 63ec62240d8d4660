"""What the rules made of a request, as the rows that a quote keeps; and back into what Q1 needs at fulfilment."""

from collections.abc import Mapping, Sequence
from typing import Any

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.models import Dongle
from dongles.terms import Months
from renewals.models import PriceListEntry, QuoteDongle, QuoteLine, QuoteVersion
from renewals.pricing import AddedLicence, Discount, Line, Request
from renewals.pricing.fulfilment import QuotedDongle, QuotedLine
from renewals.pricing.steps import steps_as_json
from renewals.queries import (
    Concessions,
    DongleRequest,
    PricedQuote,
    PricedRequest,
    ReplacementRequest,
    terms_of,
)
from renewals.recognition import sma_share


def rows_of(version: QuoteVersion, priced: PricedQuote) -> list[tuple[QuoteDongle, list[QuoteLine]]]:
    """The unsaved rows of a version: for each dongle its row and its lines."""
    rows = []
    for each in priced.dongles:
        quoted = _dongle_row(version, each, priced.policy.grace_days)
        rows.append((quoted, [_line_row(quoted, each, line, priced.entries) for line in each.priced.lines]))
    return rows


def _dongle_row(version: QuoteVersion, each: PricedRequest, grace_days: int) -> QuoteDongle:
    request, priced = each.request, each.priced
    missed = priced.missed_majors
    return QuoteDongle(
        version=version,
        dongle=request.dongle,
        renew_years=request.renew_years or None,
        align_to=request.align_to,
        added=[{"product": added.product, "seats": added.seats} for added in request.added],
        replacement=request.replacement._asdict() if request.replacement else {},
        paid_through=priced.paid_through,
        covered_through=priced.covered_through,
        fingerprint=each.fingerprint,
        net=priced.net,
        licences=[
            {
                "licence": licence.pk,
                "product": covered.product,
                "covered_through": (through := coverage.covered_through(covered)).isoformat(),
                "is_lapsed": coverage.is_lapsed(through, priced.on, grace_days),
                "missed": [[release.version, release.build_on.isoformat()] for release in missed.get(index, ())],
            }
            for index, (licence, covered) in enumerate(each.licences)
        ],
    )


def _line_row(quoted: QuoteDongle, each: PricedRequest, line: Line, entries: Mapping[str, PriceListEntry]) -> QuoteLine:
    return QuoteLine(
        quoted=quoted,
        kind=line.kind,
        licence_index=line.licence,
        product=each.product_of(line.licence),
        seats=line.seats,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        months=list(line.months),
        list_amount=line.list,
        discounts=[discount_as_json(discount) for discount in line.discounts],
        net=line.net,
        sma_net=_sma_net(line, entries),
        rules=list(line.rules),
        steps=steps_as_json(line),
    )


def discount_as_json(discount: Discount) -> dict[str, Any]:
    return {"reason": discount.reason, "rate": str(discount.rate), "amount": discount.amount}


def _sma_net(line: Line, entries: Mapping[str, PriceListEntry]) -> int:
    """F3, F4, Q8: the part of a line's net that is earned over time."""
    if line.kind in (QuoteLine.Kind.SMA_YEAR, QuoteLine.Kind.SMA_PART):
        return line.net
    if line.kind in (QuoteLine.Kind.BACK_PAY, QuoteLine.Kind.REINSTATEMENT_FEE, QuoteLine.Kind.REPLACEMENT):
        return 0
    entry = entries[line.product]
    alone = entry.licence_alone if line.kind == QuoteLine.Kind.LICENCE else entry.upgrade_alone
    stand_alone = None if alone is None else alone * line.seats
    return sma_share(line.net, line.list, line.months.whole, entry.sma_year, line.seats, stand_alone)


def quoted_terms(quoted: QuoteDongle, version: QuoteVersion, lines: Sequence[QuoteLine]) -> QuotedDongle:
    """Q1: what the rules need of a stored quote to date its lines at fulfilment."""
    return QuotedDongle(
        policy=terms_of(version.policy),
        request=Request(
            version.priced_on,
            quoted.renew_years,
            quoted.align_to,
            added_licences(quoted),
            replacement=quoted.replacement.get("cause", ""),
        ),
        covered_through=quoted.covered_through,
        paid_through=quoted.paid_through,
        lapsed=[licence["is_lapsed"] for licence in quoted.licences],
        lines=[
            QuotedLine(line.kind, line.licence_index, line.starts_on, line.ends_on, Months(*line.months))
            for line in lines
        ],
    )


def added_licences(quoted: QuoteDongle) -> tuple[AddedLicence, ...]:
    return tuple(AddedLicence(added["product"], added["seats"]) for added in quoted.added)


def concessions_of(version: QuoteVersion) -> Concessions:
    """What a version concedes, to concede it again."""
    return Concessions(version.discount, version.waives_upgrades, version.free_months)


def requests_of(version: QuoteVersion) -> list[DongleRequest]:
    """What a version asks for, to ask for it again; what was asked of a dongle that was replaced, of its successor."""
    asked = list(version.dongles.select_related("dongle"))
    chains = dongle_queries.successors_of(quoted.dongle_id for quoted in asked)
    successors = Dongle.objects.in_bulk(chain[-1] for chain in chains.values() if chain)
    newest = {first: successors[chain[-1]] for first, chain in chains.items() if chain}
    return [
        DongleRequest(
            newest.get(quoted.dongle_id, quoted.dongle),
            quoted.renew_years,
            quoted.align_to,
            added_licences(quoted),
            ReplacementRequest(**quoted.replacement) if quoted.replacement else None,
        )
        for quoted in asked
    ]
