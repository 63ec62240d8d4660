"""What a quote's page shows, drafted, sent or only tried out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dongles import queries as dongle_queries
from dongles.coverage import Period
from dongles.coverage import Release as PublishedRelease
from dongles.models import Licence
from dongles.timeline import Timeline, TimelineLicence, build_timeline
from portal.wording import write_day, write_money
from renewals.models import Order, Quote, QuoteDongle, QuoteLine, QuoteVersion
from renewals.overviews.dongles import listed
from renewals.overviews.history import history_of
from renewals.queries import PricedQuote
from renewals.rows import rows_of
from renewals.states import QuoteState


class LineGroup(NamedTuple):
    """A licence of a quote with its lines in plain words (templates/parts/quote_lines.html)."""

    title: str
    facts: Sequence[str]
    net: int
    lines: Sequence[QuoteLine]


class ShownDongle(NamedTuple):
    """A dongle of a quote, saved or not: its lines by licence, and its coverage with what the quote adds."""

    quoted: QuoteDongle
    groups: Sequence[LineGroup]
    timeline: Timeline


def quote_overview(version: QuoteVersion, today: date) -> dict[str, Any]:
    """A version's page: its dongles with their lines, the other versions, what can be done now, who did what."""
    siblings = list(version.quote.versions.order_by("-number"))
    order = Order.objects.filter(quote=version.quote_id).first()
    is_expired = version.state == QuoteState.SENT and version.valid_until is not None and today > version.valid_until
    return {
        "version": version,
        "quote": version.quote,
        "customer": version.quote.customer,
        "contacts": list(version.quote.customer.contacts.filter(left_on__isnull=True)),
        "today": today,
        "shown": shown_dongles(rows := saved_rows(version), carried_by(rows), today),
        "standing": standing_of_version(version, order, is_expired),
        "revise_query": revise_query(version),
        "siblings": siblings,
        "newest": siblings[0],
        "order": order,
        "is_expired": is_expired,
        "is_outdated": version.state == QuoteState.DRAFT and version.priced_on != today,
        "history": history_of(siblings, [order] if order else []),
    }


def saved_rows(version: QuoteVersion) -> Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]]:
    quoted = list(version.dongles.select_related("dongle").order_by("pk"))
    lines: dict[int, list[QuoteLine]] = {row.pk: [] for row in quoted}
    by_id = {row.pk: row for row in quoted}
    for line in QuoteLine.objects.filter(quoted__in=quoted).select_related("product__family").order_by("pk"):
        line.quoted = by_id[line.quoted_id]  # its arithmetic asks for the currency of the version
        line.quoted.version = version
        lines[line.quoted_id].append(line)
    return [(row, lines[row.pk]) for row in quoted]


def standing_of_version(version: QuoteVersion, order: Order | None, is_expired: bool) -> str:
    """How a version stands, in a sentence."""
    until = write_day(version.valid_until) if version.valid_until else ""
    total = write_money(version.total, version.currency)
    if is_expired:
        return f"{total}, sent and expired: it was valid until {until}."
    return {
        QuoteState.DRAFT: f"{total}, a draft: the customer has not seen it.",
        QuoteState.SENT: f"{total}, promised until {until}, that day included.",
        QuoteState.ACCEPTED: f"Accepted: order {order.number}." if order else "Accepted.",
        QuoteState.DECLINED: "The customer declined it.",
        QuoteState.SUPERSEDED: "A newer version has replaced it.",
    }[QuoteState(version.state)]


def revise_query(version: QuoteVersion) -> str:
    """The builder's address for a new version that asks for the same again; reason and note it finds itself."""
    quoted = version.dongles.first()
    assert quoted is not None
    asked: dict[str, Any] = {"revises": version.quote_id}
    if quoted.renew_years:
        asked["renew_years"] = quoted.renew_years
    if quoted.align_to:
        asked["align_to"] = quoted.align_to.isoformat()
    for added in quoted.added:
        asked[f"add_{added['product']}"] = added["seats"]
    if version.discount:
        asked["discount"] = f"{version.discount * 100:f}".rstrip("0").rstrip(".")
    return urlencode(asked)


def carried_by(rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]]) -> dict[int, list[Licence]]:
    """What the dongles of a version carry today, by dongle."""
    carried: dict[int, list[Licence]] = {quoted.dongle_id: [] for quoted, _ in rows}
    for licence in dongle_queries.licences_of(quoted.dongle for quoted, _ in rows):
        carried[licence.dongle_id].append(licence)
    return carried


def shown_dongles(
    rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]], carried: Mapping[int, Sequence[Licence]], today: date
) -> Sequence[ShownDongle]:
    """The dongles of a version as its page shows them."""
    families = {line.product.family.name for _, lines in rows for line in lines}
    families |= {licence.product.family.name for licences in carried.values() for licence in licences}
    releases = dongle_queries.published_releases(families)
    return [_shown(quoted, lines, carried[quoted.dongle_id], releases, today) for quoted, lines in rows]


def _shown(
    quoted: QuoteDongle,
    lines: Sequence[QuoteLine],
    carried: Sequence[Licence],
    releases: Sequence[PublishedRelease],
    today: date,
) -> ShownDongle:
    by_licence: dict[int, list[QuoteLine]] = {}
    for index in range(len(quoted.licences)):
        by_licence[index] = []
    for line in lines:
        by_licence.setdefault(line.licence_index, []).append(line)
    names = {licence.pk: licence.product for licence in carried}
    groups, rows = [], []
    for index, its_lines in by_licence.items():
        facts = quoted.licences[index] if index < len(quoted.licences) else None
        product = its_lines[0].product if its_lines else names.get(facts["licence"]) if facts else None
        title = str(product or (facts or {}).get("product", ""))
        groups.append(LineGroup(title, wording_of_facts(facts, quoted), sum(line.net for line in its_lines), its_lines))
        licence = next((each for each in carried if facts and each.pk == facts["licence"]), None)
        covered = dongle_queries.coverage_of(licence) if licence else None
        added = tuple(Period(line.starts_on, line.ends_on) for line in its_lines if line.starts_on and line.ends_on)
        family = its_lines[0].product.family.name if its_lines else covered.family if covered else ""
        rows.append(
            TimelineLicence(
                label=title,
                family=family,
                acquired_on=covered.acquired_on if covered else added[0].starts_on if added else today,
                periods=tuple(period for period in (covered.periods if covered else ()) if period not in added),
                additions=added,
                missed=missed_by(facts, [release for release in releases if release.family == family]),
            )
        )
    return ShownDongle(quoted, groups, build_timeline(rows, releases, today, expires_on=quoted.dongle.issued_expiry_on))


def missed_by(facts: dict[str, Any] | None, releases: Sequence[PublishedRelease]) -> tuple[PublishedRelease, ...]:
    """The releases that a licence had missed when it was quoted."""
    missed = [tuple(each) for each in facts["missed"]] if facts else []
    return tuple(release for release in releases if (release.version, release.build_on.isoformat()) in missed)


def wording_of_facts(facts: dict[str, Any] | None, quoted: QuoteDongle) -> Sequence[str]:
    """What a licence had when it was quoted, what it missed, in sentences."""
    if facts is None:
        return ["New on this dongle."]
    through = write_day(date.fromisoformat(facts["covered_through"]))
    if not facts["is_lapsed"]:
        return [f"Covered through {through}."]
    missed = [f"{version} ({write_day(date.fromisoformat(day))})" for version, day in facts["missed"]]
    if missed:
        what = "major release" if len(missed) == 1 else "major releases"
        return [f"Lapsed: covered through {through}.", f"Missed the {what} {listed(missed)}."]
    return [f"Lapsed: covered through {through}. No major release was missed."]


def preview_of(priced: PricedQuote) -> dict[str, Any]:
    """What a quote would say, as its page shows it, with nothing saved."""
    version = QuoteVersion(
        quote=Quote(customer=priced.customer),
        priced_on=priced.priced_on,
        currency=priced.currency,
        discount=priced.concessions.discount,
        waives_upgrades=priced.concessions.waives_upgrades,
        free_months=priced.concessions.free_months,
        part_month=priced.part_month,
        tax_rate=priced.tax_rate,
        net=priced.net,
        tax=priced.tax,
        total=priced.total,
    )
    carried = {each.request.dongle.pk: [licence for licence, _ in each.licences] for each in priced.dongles}
    return {"version": version, "shown": shown_dongles(rows_of(version, priced), carried, priced.priced_on)}
