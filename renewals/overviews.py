"""What pages show of dongles, quotes and orders, read in a fixed number of queries each."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import OuterRef, QuerySet, Subquery

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage, Period
from dongles.coverage import Release as PublishedRelease
from dongles.models import Dongle, Licence, UnlockCode
from dongles.timeline import Timeline, TimelineLicence, build_timeline
from portal.models import AuditEvent
from portal.wording import count, write_day, write_expiry
from renewals import queries, recognition
from renewals.models import Order, Quote, QuoteDongle, QuoteLine, QuoteVersion
from renewals.queries import PricedQuote
from renewals.rows import rows_of
from renewals.states import OrderState, QuoteState


class LicenceStanding(NamedTuple):
    """A licence on a dongle and how its SMA stands on the day asked for."""

    licence: Licence
    covered: LicenceCoverage
    covered_through: date
    status: str
    missed: Sequence[PublishedRelease]


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


def dongle_overview(dongle: Dongle, today: date) -> dict[str, Any]:
    """The dongle's page: licences and coverage, what runs, what is worth selling, its quotes, orders and codes."""
    grace = queries.policy_on(today).grace_days
    licences = list(dongle_queries.licences_of([dongle]))
    covered = [dongle_queries.coverage_of(licence) for licence in licences]
    releases = dongle_queries.published_releases({each.family for each in covered})
    released = [release for release in releases if release.build_on <= today]
    standings = [
        LicenceStanding(
            licence,
            each,
            coverage.covered_through(each),
            coverage.sma_status([each], released, today, grace),
            coverage.missed_majors(each, released, today, grace),
        )
        for licence, each in zip(licences, covered, strict=True)
    ]
    expiry_on = dongle.issued_expiry_on
    return {
        "dongle": dongle,
        "today": today,
        "status": (status := coverage.sma_status(covered, released, today, grace)),
        "standing": standing_of_dongle(dongle, status, standings, today),
        "timeline": build_timeline(
            [
                TimelineLicence(
                    str(each.licence.product),
                    each.covered.family,
                    each.covered.acquired_on,
                    each.covered.periods,
                    missed=tuple(each.missed),
                )
                for each in standings
            ],
            releases,
            today,
            expires_on=expiry_on,
        ),
        "standings": standings,
        "withdrawn": list(dongle.licences.filter(withdrawn_on__isnull=False).select_related("product")),
        "paid_through": coverage.paid_through(covered, today, grace),
        "newest_running": newest_by_family(
            release for release in released if expiry_on and coverage.runs(release.build_on, expiry_on)
        ),
        "newest": newest_by_family(released),
        "releases": releases,
        "contacts": list(dongle.customer.contacts.filter(left_on__isnull=True)) if dongle.customer else [],
        "versions": list(newest_versions().filter(dongles__dongle=dongle)[:20]),
        "orders": list(orders_newest_first().filter(version__dongles__dongle=dongle)[:20]),
        "codes": list(dongle.codes.select_related("receipt").order_by("-pk")[:20]),
    }


def standing_of_dongle(dongle: Dongle, status: str, standings: Sequence[LicenceStanding], today: date) -> str:
    """How a dongle stands, in a sentence or two."""
    if dongle.state != Dongle.State.ACTIVE:
        return f"This dongle is {dongle.get_state_display().lower()}: nothing can be sold for it."
    if not standings:
        return "This dongle carries no licences."
    first, last = min(each.covered_through for each in standings), max(each.covered_through for each in standings)
    licences = count(len(standings), "licence")
    if first != last:
        return (
            f"Ragged: its {licences} are covered through days between {write_day(first)} and {write_day(last)}."
            " The next quote brings them to one day."
        )
    sentence = f"The SMA of its {licences} {write_expiry(last, today)}."
    missed = {f"{release.family} {release.version}" for each in standings for release in each.missed}
    if missed:
        sentence += f" Since then {' and '.join(sorted(missed))} came out: coming back takes an upgrade."
    return sentence


def newest_by_family(releases: Iterable[PublishedRelease]) -> dict[str, PublishedRelease]:
    """Of each family the release with the latest build date."""
    return {release.family: release for release in sorted(releases, key=lambda release: release.build_on)}


def versions_with_quote() -> QuerySet[QuoteVersion]:
    return QuoteVersion.objects.select_related("quote__customer", "policy", "price_list", "drafted_by", "approved_by")


def newest_versions() -> QuerySet[QuoteVersion]:
    """The newest version of each quote, newest first, with the serials of its dongles at hand."""
    newest = QuoteVersion.objects.filter(quote=OuterRef("quote")).order_by("-number").values("pk")[:1]
    return versions_with_quote().filter(pk=Subquery(newest)).order_by("-quote_id")


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
        "shown": shown_dongles(_saved_rows(version), today),
        "standing": standing_of_version(version, order, is_expired),
        "revise_query": revise_query(version),
        "siblings": siblings,
        "newest": siblings[0],
        "order": order,
        "is_expired": is_expired,
        "is_outdated": version.state == QuoteState.DRAFT and version.priced_on != today,
        "history": history_of(siblings, [order] if order else []),
    }


def _saved_rows(version: QuoteVersion) -> Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]]:
    quoted = list(version.dongles.select_related("dongle").order_by("pk"))
    lines: dict[int, list[QuoteLine]] = {row.pk: [] for row in quoted}
    for line in QuoteLine.objects.filter(quoted__in=quoted).select_related("product__family").order_by("pk"):
        lines[line.quoted_id].append(line)
    return [(row, lines[row.pk]) for row in quoted]


def standing_of_version(version: QuoteVersion, order: Order | None, is_expired: bool) -> str:
    """How a version stands, in a sentence."""
    until = write_day(version.valid_until) if version.valid_until else ""
    if is_expired:
        return f"Sent, and expired: it was valid until {until}."
    return {
        QuoteState.DRAFT: "A draft: the customer has not seen it.",
        QuoteState.SENT: f"Sent: a promise until {until}, that day included.",
        QuoteState.ACCEPTED: f"Accepted: order {order.number}." if order else "Accepted.",
        QuoteState.DECLINED: "The customer declined it.",
        QuoteState.SUPERSEDED: "A newer version has replaced it.",
    }[QuoteState(version.state)]


def revise_query(version: QuoteVersion) -> str:
    """The builder's address for a new version that asks for the same again."""
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
        asked["discount_reason"] = version.discount_reason
    if version.note:
        asked["note"] = version.note
    return urlencode(asked)


def shown_dongles(rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]], today: date) -> Sequence[ShownDongle]:
    """The dongles of a version, in three queries however many they are."""
    carried: dict[int, list[Licence]] = {quoted.dongle_id: [] for quoted, _ in rows}
    for licence in dongle_queries.licences_of(quoted.dongle for quoted, _ in rows):
        carried[licence.dongle_id].append(licence)
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
        rows.append(
            TimelineLicence(
                label=title,
                family=its_lines[0].product.family.name if its_lines else covered.family if covered else "",
                acquired_on=covered.acquired_on if covered else added[0].starts_on if added else today,
                periods=tuple(period for period in (covered.periods if covered else ()) if period not in added),
                additions=added,
            )
        )
    return ShownDongle(quoted, groups, build_timeline(rows, releases, today, expires_on=quoted.dongle.issued_expiry_on))


def wording_of_facts(facts: dict[str, Any] | None, quoted: QuoteDongle) -> Sequence[str]:
    """What a licence had when it was quoted, what it missed, in sentences."""
    if facts is None:
        return ["New on this dongle."]
    through = write_day(date.fromisoformat(facts["covered_through"]))
    if not facts["is_lapsed"]:
        return [f"Covered through {through}."]
    missed = " and ".join(f"{version} ({write_day(date.fromisoformat(day))})" for version, day in facts["missed"])
    if missed:
        return [f"Lapsed: covered through {through}.", f"Missed the major release {missed}."]
    return [f"Lapsed: covered through {through}. No major release was missed."]


def preview_of(priced: PricedQuote) -> dict[str, Any]:
    """What a quote would say, as its page shows it, with nothing saved."""
    version = QuoteVersion(
        quote=Quote(customer=priced.customer),
        priced_on=priced.priced_on,
        currency=priced.currency,
        discount=priced.discount,
        tax_rate=priced.tax_rate,
        net=priced.net,
        tax=priced.tax,
        total=priced.total,
    )
    return {"version": version, "shown": shown_dongles(rows_of(version, priced), priced.priced_on)}


def orders_newest_first() -> QuerySet[Order]:
    return Order.objects.select_related("customer", "version", "quote").order_by("-pk")


class EarnedLine(NamedTuple):
    """An order line with its revenue: what of it is recognised through the day, what is deferred."""

    line: Any
    sold: int
    recognised: int
    deferred: int


def order_overview(order: Order, today: date) -> dict[str, Any]:
    """An order's page: its lines as fulfilled with their revenue, its codes, who did what."""
    lines = list(
        order.lines.select_related("licence__product", "licence__dongle", "period", "quote_line").prefetch_related(
            "segments"
        )
    )
    dongles = [row.dongle for row in order.version.dongles.select_related("dongle")]
    causes = [f"order {order.number}", f"cancellation of order {order.number}"]
    codes = list(
        UnlockCode.objects.filter(dongle__in=dongles, cause__in=causes)
        .select_related("dongle", "receipt")
        .order_by("pk")
    )
    return {
        "order": order,
        "version": order.version,
        "customer": order.customer,
        "today": today,
        "dongles": dongles,
        "earned": [_earned(line, today) for line in lines],
        "codes": codes,
        "standing": standing_of_order(order),
        "is_waiting": order.state == OrderState.ACCEPTED,
        "history": history_of([order.version], [order]),
    }


def standing_of_order(order: Order) -> str:
    """How an order stands, in a sentence."""
    if order.state == OrderState.ACCEPTED:
        return "Accepted; it is fulfilled once it is paid."
    if order.state == OrderState.CANCELLED and order.cancelled_from:
        return f"Cancelled from {write_day(order.cancelled_from)} on."
    assert order.fulfilled_on is not None
    return f"Fulfilled on {write_day(order.fulfilled_on)}: periods, revenue and unlock codes are written."


def _earned(line: Any, today: date) -> EarnedLine:
    segments = [row.segment for row in line.segments.all()]
    sold = sum(segment.amount for segment in segments)
    recognised = sum(recognition.recognised_through(segment, today) for segment in segments)
    return EarnedLine(line, sold, recognised, sold - recognised)


def history_of(versions: Sequence[QuoteVersion], orders: Sequence[Order]) -> Sequence[AuditEvent]:
    """Who did what to these when, newest first."""
    events = AuditEvent.objects.filter(
        subject_kind=QuoteVersion._meta.model_name, subject_id__in=[version.pk for version in versions]
    )
    if orders:
        events |= AuditEvent.objects.filter(
            subject_kind=Order._meta.model_name, subject_id__in=[order.pk for order in orders]
        )
    return list(events.order_by("-pk"))
