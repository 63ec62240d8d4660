"""What a quote's page shows, drafted, sent or only tried out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dongles import queries as dongle_queries
from dongles.coverage import Period
from dongles.coverage import Release as PublishedRelease
from dongles.models import Licence
from dongles.timeline import Timeline, TimelineLicence, build_timeline
from portal.wording import write_day, write_money
from renewals.models import Order, Quote, QuoteDongle, QuoteLine, QuoteQuestion, QuoteVersion
from renewals.overviews.bridges import bridging_of
from renewals.overviews.differences import differences
from renewals.overviews.dongles import listed
from renewals.overviews.history import history_of
from renewals.overviews.mails import mails_about
from renewals.overviews.offers import DueRelease, due_releases
from renewals.queries import PricedQuote
from renewals.rows import rows_of
from renewals.states import QuoteState


class LineGroup(NamedTuple):
    """A licence of a quote with its lines in plain words (templates/parts/quote_lines.html); an added one has no id.

    `facts` are in the rulebook's words, `facts_for_customers` in those of the customers' pages.
    """

    title: str
    facts: Sequence[str]
    net: int
    lines: Sequence[QuoteLine]
    licence_id: int | None = None
    facts_for_customers: Sequence[str] = ()


class ShownDongle(NamedTuple):
    """A dongle of a quote, saved or not: its lines by licence, and its coverage with what the quote adds."""

    quoted: QuoteDongle
    groups: Sequence[LineGroup]
    timeline: Timeline


def quote_overview(version: QuoteVersion, today: date) -> dict[str, Any]:
    """A version's page: its dongles with their lines, the other versions, what can be done now, who did what."""
    siblings = list(version.quote.versions.select_related("drafted_by").order_by("-number"))
    order = Order.objects.filter(quote=version.quote_id).first()
    is_expired = version.is_expired_on(today)
    rows = saved_rows(version)
    shown = shown_dongles(rows, carried_by(rows), today)
    return {
        "version": version,
        "quote": version.quote,
        "customer": version.quote.customer,
        "contacts": list(version.quote.customer.reachable_contacts()),
        "today": today,
        "shown": shown,
        "standing": standing_of_version(version, order, is_expired),
        "revise_query": revise_query(version, [quoted for quoted, _ in rows]),
        "asks_differ": len({(quoted.renew_years, quoted.align_to) for quoted, _ in rows}) > 1,
        "siblings": siblings,
        "newest": siblings[0],
        "changes": changes_since_sibling(version, rows, siblings),
        "order": order,
        "is_expired": is_expired,
        "is_outdated": version.state == QuoteState.DRAFT and version.priced_on != today,
        "due_releases": due_releases_of(version, rows, last_day := last_day_of(version, today), today),
        "last_day": last_day,
        "mails": mails_about(version),
        "questions": list(QuoteQuestion.objects.filter(version__in=siblings).select_related("version")),
        "bridging": bridging_of(version, [quoted for quoted, _ in rows], today),
        "history": history_of(siblings, [order] if order else []),
    }


def last_day_of(version: QuoteVersion, today: date) -> date:
    """The last day on which a version is valid, or would be if it were sent today (Q1)."""
    return version.valid_until or today + timedelta(days=version.policy.quote_valid_days)


def due_releases_of(
    version: QuoteVersion, rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]], last_day: date, today: date
) -> Sequence[DueRelease]:
    """Q1: the major releases that come out while a draft or sent version is, or would be, valid."""
    if version.state not in (QuoteState.DRAFT, QuoteState.SENT):
        return []
    families = {line.product.family.name for quoted, lines in rows for line in lines if not quoted.replacement}
    coming = dongle_queries.coming_majors(families, after=today, through=last_day)
    return due_releases(coming, version.policy, last_day)


def changes_since_sibling(
    version: QuoteVersion, rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]], siblings: Sequence[QuoteVersion]
) -> tuple[QuoteVersion, Sequence[str]] | None:
    """What a version changes against the one before it, in words; none for the first."""
    before = next((each for each in siblings if each.number == version.number - 1), None)
    return (before, differences(before, saved_rows(before), version, rows)) if before else None


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


def revise_query(version: QuoteVersion, rows: Sequence[QuoteDongle]) -> str:
    """The query of the builder's address for a new version that asks for the same again; reason and note it finds
    itself. Of a replacement, that of the page that replaces dongles (Q8).

    The builder asks for the same years or date for all dongles: where they differ, for what the first one has.
    """
    first, *others = rows
    asked: dict[str, Any] = {"revises": version.quote_id}
    asked |= first.replacement
    if first.renew_years:
        asked["renew_years"] = first.renew_years
    if first.align_to:
        asked["align_to"] = first.align_to.isoformat()
    if others:
        asked["dongles"] = [quoted.dongle.serial for quoted in others]
    for quoted in rows:
        for added in quoted.added:
            asked[f"add_{quoted.dongle.serial}_{added['product']}"] = added["seats"]
    if version.discount:
        asked["discount"] = f"{version.discount * 100:f}".rstrip("0").rstrip(".")
    if version.free_months:
        asked["free_months"] = version.free_months
    if version.waives_upgrades:
        asked["waives_upgrades"] = "on"
    if version.part_month:
        asked["part_month"] = version.part_month
    return urlencode(asked, doseq=True)


def carried_by(
    rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]], *, owner: int | None = None
) -> dict[int, list[Licence]]:
    """Of the dongles of a version the licences that were quoted, as they are today, wherever they went since (Q8).

    For a customer (`owner`, an id) only those that are theirs still: what became of others is the new owner's.
    """
    quoted_on = {facts["licence"]: quoted.dongle_id for quoted, _ in rows for facts in quoted.licences}
    carried: dict[int, list[Licence]] = {quoted.dongle_id: [] for quoted, _ in rows}
    licences = dongle_queries.licences_at(quoted_on)
    for licence in licences if owner is None else licences.filter(dongle__customer=owner):
        carried[quoted_on[licence.pk]].append(licence)
    return carried


def shown_dongles(
    rows: Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]],
    carried: Mapping[int, Sequence[Licence]],
    today: date,
    *,
    owner: int | None = None,
) -> Sequence[ShownDongle]:
    """The dongles of a version as its page shows them; to a customer (`owner`) without the date of one that went."""
    families = {line.product.family.name for _, lines in rows for line in lines}
    families |= {licence.product.family.name for licences in carried.values() for licence in licences}
    releases = dongle_queries.published_releases(families)
    return [
        _shown(quoted, lines, carried[quoted.dongle_id], releases, today, _date_of(quoted, owner))
        for quoted, lines in rows
    ]


def _date_of(quoted: QuoteDongle, owner: int | None) -> date | None:
    return quoted.dongle.issued_expiry_on if owner in (None, quoted.dongle.customer_id) else None


def _shown(
    quoted: QuoteDongle,
    lines: Sequence[QuoteLine],
    carried: Sequence[Licence],
    releases: Sequence[PublishedRelease],
    today: date,
    expires_on: date | None,
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
        groups.append(
            LineGroup(
                title,
                wording_of_facts(facts),
                sum(line.net for line in its_lines),
                its_lines,
                facts["licence"] if facts else None,
                wording_of_facts(facts, through="until", released="released "),
            )
        )
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
    return ShownDongle(quoted, groups, build_timeline(rows, releases, today, expires_on=expires_on))


def missed_by(facts: dict[str, Any] | None, releases: Sequence[PublishedRelease]) -> tuple[PublishedRelease, ...]:
    """The releases that a licence had missed when it was quoted."""
    missed = [tuple(each) for each in facts["missed"]] if facts else []
    return tuple(release for release in releases if (release.version, release.build_on.isoformat()) in missed)


def wording_of_facts(
    facts: dict[str, Any] | None,
    write_day: Callable[[date], str] = write_day,
    *,
    through: str = "through",
    released: str = "",
) -> list[str]:
    """What a licence had when it was quoted, what it missed, in sentences.

    `through` and `released` are what stands before the day until which it was covered, and before that of a release.
    """
    if facts is None:
        return ["New on this dongle."]
    until = f"{through} {write_day(date.fromisoformat(facts['covered_through']))}"
    if not facts["is_lapsed"]:
        return [f"Covered {until}."]
    missed = [f"{version} ({released}{write_day(date.fromisoformat(day))})" for version, day in facts["missed"]]
    if missed:
        what = "major release" if len(missed) == 1 else "major releases"
        return [f"Lapsed: covered {until}.", f"Missed the {what} {listed(missed)}."]
    return [f"Lapsed: covered {until}. No major release was missed."]


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
