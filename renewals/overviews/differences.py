"""What one version of a quote changes against another, in words."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from portal.wording import count, write_day, write_money, write_rate
from renewals.models import QuoteDongle, QuoteLine, QuoteVersion

Rows = Sequence[tuple[QuoteDongle, Sequence[QuoteLine]]]


def differences(
    before: QuoteVersion,
    rows_before: Rows,
    after: QuoteVersion,
    rows_after: Rows,
    *,
    for_customer: bool = False,
) -> Sequence[str]:
    """Sentences, the terms of the whole quote first, then dongle by dongle, then what it comes to.

    Customers are not told the names of price lists.
    """
    was = {quoted.dongle_id: (quoted, lines) for quoted, lines in rows_before}
    now = {quoted.dongle_id: (quoted, lines) for quoted, lines in rows_after}
    sentences = _of_terms(before, after, for_customer=for_customer)
    for key, (quoted, lines) in now.items():
        if key in was:
            sentences += _of_dongle(
                *was[key], quoted, lines, before.currency, after.currency, for_customer=for_customer
            )
        else:
            sentences.append(
                f"Dongle {quoted.dongle.serial} came in, for {write_money(quoted.net, after.currency)} net."
            )
    sentences += [f"Dongle {quoted.dongle.serial} was left out." for key, (quoted, _) in was.items() if key not in now]
    if (before.total, before.currency) != (after.total, after.currency):
        sentences.append(
            f"{write_money(after.total, after.currency)} in total instead of"
            f" {write_money(before.total, before.currency)}."
        )
    return sentences or ["Nothing." if for_customer else "Nothing that the customer sees."]


def _of_terms(before: QuoteVersion, after: QuoteVersion, *, for_customer: bool) -> list[str]:
    sentences = []
    if before.priced_on != after.priced_on:
        sentences.append(f"Priced on {write_day(after.priced_on)} instead of {write_day(before.priced_on)}.")
    if before.price_list_id != after.price_list_id and not for_customer:
        sentences.append(f"By “{after.price_list}” instead of “{before.price_list}”.")
    if before.discount != after.discount:
        sentences.append(f"Negotiated discount {_rate(after.discount)} instead of {_rate(before.discount)}.")
    if before.free_months != after.free_months:
        sentences.append(f"{_free(after)} instead of {_free(before).lower()}.")
    if before.waives_upgrades != after.waives_upgrades:
        sentences.append("Upgrades are waived." if after.waives_upgrades else "Upgrades are not waived any more.")
    if before.part_month != after.part_month:
        ways = {"": "as usual", "exact": "to the day", "whole": "as whole months"}
        sentences.append(f"Parts of a year count {ways[after.part_month]} instead of {ways[before.part_month]}.")
    if before.tax_rate != after.tax_rate:
        sentences.append(f"Tax {write_rate(after.tax_rate)} instead of {write_rate(before.tax_rate)}.")
    if before.note != after.note:
        note = "The note" if for_customer else "The note to the customer"
        sentences.append(f"{note} is another one." if after.note else "The note is gone.")
    return sentences


def _of_dongle(
    was: QuoteDongle,
    lines_before: Sequence[QuoteLine],
    now: QuoteDongle,
    lines_after: Sequence[QuoteLine],
    was_in: str,
    now_in: str,
    *,
    for_customer: bool,
) -> list[str]:
    changes = []
    if (was.renew_years, was.align_to) != (now.renew_years, now.align_to):
        changes.append(f"{_asked(now.renew_years, now.align_to)} instead of {_asked(was.renew_years, was.align_to)}")
    changes += [f"{_licence(added)} added" for added in now.added if added not in was.added]
    changes += [f"{_licence(added)} not added any more" for added in was.added if added not in now.added]
    if was.replacement.get("serial") != now.replacement.get("serial"):
        changes.append(f"{_replaced(now)} instead of {_replaced(was)}")
    if was.covered_through != now.covered_through:
        until = "until" if for_customer else "through"
        changes.append(f"covered {until} {write_day(now.covered_through)} instead of {write_day(was.covered_through)}")
    if was.fingerprint != now.fingerprint:
        changes.append("what it carries, or its coverage, has changed")
    is_charged, was_charged = (
        any(line.kind == QuoteLine.Kind.UPGRADE for line in lines) for lines in (lines_after, lines_before)
    )
    if is_charged != was_charged:
        changes.append("an upgrade is charged" if is_charged else "no upgrade is charged")
    if (was.net, was_in) != (now.net, now_in):
        changes.append(f"{write_money(now.net, now_in)} net instead of {write_money(was.net, was_in)}")
    return [f"Dongle {now.dongle.serial}: {'; '.join(changes)}."] if changes else []


def _rate(rate: Any) -> str:
    return write_rate(rate) if rate else "none"


def _free(version: QuoteVersion) -> str:
    return f"{count(version.free_months, 'month')} free" if version.free_months else "No free months"


def _asked(years: int | None, align_to: date | None) -> str:
    if align_to:
        return f"aligned to {write_day(align_to)}"
    return f"renewal for {count(years, 'year')}" if years else "no renewal"


def _replaced(quoted: QuoteDongle) -> str:
    return f"replaced by {quoted.replacement['serial']}" if quoted.replacement else "not replaced"


def _licence(added: dict[str, Any]) -> str:
    return f"{added['product']}, {count(added['seats'], 'seat')},"
