"""`manage.py quote SERIAL`: what a dongle's renewal costs and why, to be checked by hand. Nothing is written."""

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import Release
from portal.errors import DomainError
from portal.wording import currency_exponent, write_day, write_figure, write_money, write_months, write_rate
from renewals import queries
from renewals.management.arguments import Refused, read_added, read_day, read_rate
from renewals.models import QuoteLine
from renewals.pricing import Line, Request
from renewals.pricing.explain import explain_licence, explain_steps, explain_target
from renewals.pricing.scenarios import write_amount, write_result
from renewals.pricing.steps import steps_as_json, steps_from_json
from renewals.queries import Concessions, DongleRequest, PricedQuote

KINDS = dict(QuoteLine.Kind.choices)


class Command(BaseCommand):
    help = "Price a dongle of the database and show every step. Renews for a year unless something else is asked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("serial", help="the dongle's serial number, in any spelling")
        parser.add_argument("--renew", type=int, metavar="N", help="renew for N years")
        parser.add_argument("--align-to", metavar="DATE", help="the last valid day of all licences")
        parser.add_argument("--add", action="append", default=[], metavar="PRODUCT[:SEATS]", help="add a licence")
        parser.add_argument("--on", metavar="DATE", help="price as of this day, not today")
        parser.add_argument("--part-month", choices=["exact", "whole"], help="instead of the policy's")
        parser.add_argument("--discount", default="0", metavar="RATE", help="negotiated rate, like 0.05")
        parser.add_argument("--json", action="store_true", help="one JSON document, as of manage.py price")

    def handle(self, *args: Any, **options: Any) -> None:
        on = read_day(options["on"], "--on") if options["on"] else timezone.localdate()
        align_to = read_day(options["align_to"], "--align-to") if options["align_to"] else None
        added = tuple(read_added(text) for text in options["add"])
        years = options["renew"]
        if years is None and align_to is None and not added:
            years = 1
        discount = read_rate(options["discount"], "--discount")
        try:
            dongle = dongle_queries.dongle_by_serial(options["serial"])
            request = DongleRequest(dongle, years, align_to, added)
            quote = queries.price_quote(
                dongle_queries.owner_of(dongle),
                [request],
                on=on,
                concessions=Concessions(discount),
                part_month=options["part_month"] or "",
            )
        except DomainError as refusal:
            raise Refused(refusal) from None
        families = {covered.family for _, covered in quote.dongles[0].licences}
        families |= {product.family.name for product in quote.dongles[0].added_products}
        releases = dongle_queries.published_releases(families)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(quote, releases), ensure_ascii=False))
            return
        for line in as_text(quote, releases):
            self.stdout.write(line)


def newly_running(quote: PricedQuote, releases: list[Release]) -> tuple[list[Release], list[Release]]:
    """The builds that will run with the new date, and those of them that do not run now (C2)."""
    dongle, until = quote.dongles[0].request.dongle, quote.dongles[0].priced.covered_through
    runs = [release for release in releases if coverage.runs(release.build_on, until)]
    now: date | None = dongle.issued_expiry_on
    return runs, [release for release in runs if now is None or not coverage.runs(release.build_on, now)]


def as_json(quote: PricedQuote, releases: list[Release]) -> dict[str, Any]:
    """The keys of a priced scenario, and what the table shows beside them. Tax and total are the quote's."""
    each = quote.dongles[0]
    exponent = currency_exponent(quote.currency)
    result = write_result(each.priced)
    for written, line in zip(result["lines"], each.priced.lines, strict=True):
        written["steps"] = arithmetic(line, quote.currency)
    runs, new = newly_running(quote, releases)
    return {
        "serial": each.request.dongle.serial,
        "customer": quote.customer.name,
        "price_list": quote.price_list.name,
        **result,
        "tax_rate": str(quote.tax_rate),
        "tax": write_amount(quote.tax, exponent),
        "total": write_amount(quote.total, exponent),
        "runs": [f"{release.family} {release.version}" for release in runs],
        "runs_newly": [f"{release.family} {release.version}" for release in new],
    }


def arithmetic(line: Line, currency: str) -> list[str]:
    return explain_steps(steps_from_json(steps_as_json(line)), currency)


def as_text(quote: PricedQuote, releases: list[Release]) -> Iterator[str]:
    """The table, line by line."""
    each = quote.dongles[0]
    dongle, priced = each.request.dongle, each.priced
    yield f"Dongle {dongle.serial} · {dongle.get_kind_display()} · {quote.customer.name}"
    yield f"Priced on {write_day(quote.priced_on)} with “{quote.price_list.name}”, amounts in {quote.currency}"
    yield ""
    yield f"Covered through {write_day(priced.covered_through)}, because not earlier than"
    policy = queries.terms_of(quote.policy, quote.part_month)
    request = Request(quote.priced_on, each.request.renew_years, each.request.align_to, each.request.added)
    covered = [licence for _, licence in each.licences]
    yield from (f"  {sentence}" for sentence in explain_target(policy, covered, request, priced))
    for index in range(len(each.licences) + len(each.added_products)):
        yield ""
        yield f"{index + 1}  {each.product_of(index).name} ({each.product_of(index).code})"
        if index < len(covered):
            missed = priced.missed_majors.get(index, ())
            told = explain_licence(covered[index], missed, quote.priced_on, policy.grace_days, priced.covered_through)
            yield from (f"   {sentence}" for sentence in told)
        else:
            yield "   P5  new on this dongle"
        for line in priced.lines:
            if line.licence == index:
                yield from line_as_text(line, quote.currency)
    yield ""
    yield from totals_as_text(quote)
    yield ""
    yield from what_runs(quote, releases)


def line_as_text(line: Line, currency: str) -> Iterator[str]:
    span = f"{write_day(line.starts_on)} – {write_day(line.ends_on)}" if line.starts_on and line.ends_on else "no dates"
    what = f"{KINDS[line.kind]}, {span}, {write_months(line.months)}"
    yield f"   {what:<72}{write_figure(line.net, currency):>16}  {' '.join(line.rules)}"
    yield from (f"       {step}" for step in arithmetic(line, currency))


def totals_as_text(quote: PricedQuote) -> Iterator[str]:
    rate = write_rate(Fraction(quote.tax_rate))
    for what, amount in (("Net", quote.net), (f"Tax, {rate} (P9)", quote.tax)):
        yield f"   {what:<72}{write_figure(amount, quote.currency):>16}"
    yield f"   {'Total':<72}{write_money(quote.total, quote.currency):>16}"


def what_runs(quote: PricedQuote, releases: list[Release]) -> Iterator[str]:
    """The date that the dongle will have and what runs then (C2, C3)."""
    dongle, until = quote.dongles[0].request.dongle, quote.dongles[0].priced.covered_through
    before = write_day(dongle.issued_expiry_on) if dongle.issued_expiry_on else "none"
    yield f"The dongle's SMA date: {before} → {write_day(until)} (C3)"
    runs, new = newly_running(quote, releases)
    for family in dict.fromkeys(release.family for release in runs):
        newest = [release for release in runs if release.family == family][-1]
        more = ", ".join(
            f"{release.version} ({write_day(release.build_on)})" for release in new if release.family == family
        )
        yield f"{family} up to {newest.version} ({write_day(newest.build_on)}) will run; newly: {more or 'none'} (C2)"
