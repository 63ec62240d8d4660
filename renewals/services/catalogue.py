"""Terms of trade, kept by people: price lists and policy settings, from a day on, unchanged once a quote has used them.

Whoever changes them is alone with them; whoever drafts a quote shares them (`hold_terms`), so that none changes or goes
between being read and being used.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from dongles.models import Product
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.changes import differing, values_of
from portal.errors import DomainError
from portal.wording import write_day, write_rate
from renewals.models import PolicySettings, PriceList, PriceListEntry, QuoteVersion
from renewals.pricing import Policy, Price
from renewals.pricing import PriceList as PriceTerms
from renewals.pricing.refusals import check_price_list
from renewals.pricing.rounding import round_half_up
from renewals.queries import terms_of
from renewals.rates import check_currency

TERMS_LOCK = 20_260_815  # the number by which the database knows the lock
MOST_AMOUNT = 10**11 - 1  # minor units; all licences of a dongle at that price still fit the database's columns
EARLIEST, LATEST_AFTER = date(1990, 1, 1), timedelta(days=3653)  # when terms may begin
LEAST_RAISE, MOST_RAISE = Fraction(-1, 2), Fraction(1)


class Prices(NamedTuple):
    """What one product costs, in minor units; the last two are stand-alone prices without SMA (F3)."""

    licence: int
    sma_year: int
    upgrade: int
    licence_alone: int | None = None
    upgrade_alone: int | None = None


def hold_terms() -> None:
    """Wait until nobody changes terms, and keep it so until the transaction ends; many hold them at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [TERMS_LOCK])


def _take_terms() -> None:
    """Wait until nobody else holds the terms; until the transaction ends nobody does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TERMS_LOCK])


def prices_of(price_list: PriceList) -> dict[Product, Prices]:
    """What stands in a list, by product in the order of their numbers."""
    entries = price_list.entries.select_related("product").order_by("product__number")
    return {entry.product: Prices(*(getattr(entry, name) for name in Prices._fields)) for entry in entries}


@transaction.atomic
def keep_price_list(
    *, price_list: PriceList, prices: Mapping[Product, Prices], actor: Actor, at: datetime, reason: str = ""
) -> PriceList:
    """Write a new price list, or one that no quote has used, with all its prices: what is not named goes.

    Refuses `price_list_used`, `currency_unknown`, `valid_from_far_off`, `price_list_day_taken`, `price_list_empty`,
    `amount_out_of_range` and `upgrade_not_above_sma` (P).
    """
    check_ability(actor, "keep_catalogue")
    _take_terms()
    _check_unused(price_list)
    check_currency(price_list.currency)
    _check_valid_from(price_list.valid_from, at)
    _check_day(price_list)
    _check_prices(price_list, prices)
    before = _told(PriceList.objects.get(pk=price_list.pk)) if price_list.pk else {}
    price_list.save()
    _write_entries(price_list, prices)
    _check_agreement(min(price_list.valid_from, timezone.localdate(at)))
    was, became = differing(before, _told(price_list))
    if was or became:
        audit.record(actor, at, Deed("change" if before else "create", price_list, was, became, reason))
    return price_list


@transaction.atomic
def copy_price_list(
    *, price_list: PriceList, name: str, valid_from: date, raise_by: Fraction, actor: Actor, at: datetime
) -> PriceList:
    """A new list from that day on with the prices of another, each raised by the rate and rounded half up.

    Refuses `raise_out_of_range` (−50 % to 100 %) and what `keep_price_list` refuses.
    """
    if not LEAST_RAISE <= raise_by <= MOST_RAISE:
        raise DomainError(
            "raise_out_of_range",
            f"Prices are raised by {write_rate(LEAST_RAISE)} to {write_rate(MOST_RAISE)} at once.",
            {"field": "raise_by"},
        )
    copied = PriceList(
        name=name,
        currency=price_list.currency,
        segment=price_list.segment,
        valid_from=valid_from,
        replacement_fee=_raised_amount(price_list.replacement_fee, raise_by),
    )
    prices = {product: _raised(each, raise_by) for product, each in prices_of(price_list).items()}
    reason = f"Copied from {price_list}" + (f", prices raised by {write_rate(raise_by)}" if raise_by else "")
    return keep_price_list(price_list=copied, prices=prices, actor=actor, at=at, reason=reason)


def _raised(prices: Prices, by: Fraction) -> Prices:
    return Prices(*(_raised_amount(amount, by) for amount in prices))  # type: ignore[arg-type]  # none stays none


def _raised_amount(amount: int | None, by: Fraction) -> int | None:
    factor = 1 + by
    return None if amount is None else round_half_up(amount * factor.numerator, factor.denominator)


@transaction.atomic
def delete_price_list(*, price_list: PriceList, actor: Actor, at: datetime) -> None:
    """Delete a list that no quote has used; `price_list_used`, and `upgrade_not_above_sma` for the one before it."""
    check_ability(actor, "keep_catalogue")
    _take_terms()
    _check_unused(price_list)
    audit.record(actor, at, Deed("delete", price_list, before=_told(price_list)))
    price_list.delete()
    _check_agreement(timezone.localdate(at))


@transaction.atomic
def keep_policy(*, policy: PolicySettings, actor: Actor, at: datetime) -> PolicySettings:
    """Write new policy settings, or ones that no quote has used.

    Refuses `policy_used`, `policy_out_of_range` (the rulebook's ranges), `valid_from_far_off`, `policy_day_taken`, and
    `upgrade_not_above_sma` where a price list in force with them would not hold any more (P).
    """
    check_ability(actor, "keep_catalogue")
    _take_terms()
    _check_policy_unused(policy)
    if PolicySettings.objects.filter(valid_from=policy.valid_from).exclude(pk=policy.pk).exists():
        raise DomainError(
            "policy_day_taken",
            f"Other settings begin on {write_day(policy.valid_from)} too: choose another day.",
            {"field": "valid_from"},
        )
    _check_valid_from(policy.valid_from, at)
    try:
        policy.full_clean()
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise DomainError("policy_out_of_range", f"{field}: {sentences[0]}", {"field": field}) from None
    before = values_of(PolicySettings.objects.get(pk=policy.pk)) if policy.pk else {}
    policy.save()
    _check_agreement(min(policy.valid_from, timezone.localdate(at)))
    was, became = differing(before, values_of(policy))
    if was or became:
        audit.record(actor, at, Deed("change" if before else "create", policy, was, became))
    return policy


@transaction.atomic
def delete_policy(*, policy: PolicySettings, actor: Actor, at: datetime) -> None:
    """Delete settings that no quote has used; `policy_used`, and `upgrade_not_above_sma` with those before them."""
    check_ability(actor, "keep_catalogue")
    _take_terms()
    _check_policy_unused(policy)
    audit.record(actor, at, Deed("delete", policy, before=values_of(policy)))
    policy.delete()
    _check_agreement(timezone.localdate(at))


def _check_unused(price_list: PriceList) -> None:
    if price_list.pk and QuoteVersion.objects.filter(price_list=price_list).exists():
        raise DomainError(
            "price_list_used",
            f"A quote has used {price_list}, so it stays as it is. Copy it, and change the copy.",
        )


def _check_policy_unused(policy: PolicySettings) -> None:
    if policy.pk and QuoteVersion.objects.filter(policy=policy).exists():
        raise DomainError(
            "policy_used", "A quote has used these settings, so they stay. Copy them, and change the copy."
        )


def _check_valid_from(valid_from: date, at: datetime) -> None:
    latest = timezone.localdate(at) + LATEST_AFTER
    if not EARLIEST <= valid_from <= latest:
        raise DomainError(
            "valid_from_far_off",
            f"Choose a first day from {write_day(EARLIEST)} to {write_day(latest)}.",
            {"field": "valid_from"},
        )


def _check_day(price_list: PriceList) -> None:
    same = PriceList.objects.filter(
        currency=price_list.currency, segment=price_list.segment, valid_from=price_list.valid_from
    )
    if other := same.exclude(pk=price_list.pk).first():
        raise DomainError(
            "price_list_day_taken",
            f"{other} begins on {write_day(other.valid_from)} too, in {other.currency} for"
            f" {other.get_segment_display().lower()} customers: choose another day.",
            {"field": "valid_from"},
        )


def _check_prices(price_list: PriceList, prices: Mapping[Product, Prices]) -> None:
    """Before the database would refuse: an upgrade costs more than an SMA year, whatever the policy."""
    if not prices:
        raise DomainError("price_list_empty", "Give at least one product its prices.")
    fee = price_list.replacement_fee
    if fee is not None and not 0 < fee <= MOST_AMOUNT:
        raise DomainError(
            "amount_out_of_range",
            f"The fee for a replaced dongle is out of range: from 1 to {MOST_AMOUNT:,} of the currency's minor unit, or"
            " none.",
            {"field": "replacement_fee"},
        )
    for product, each in prices.items():
        if any(amount is not None and not 0 <= amount <= MOST_AMOUNT for amount in each):
            raise DomainError(
                "amount_out_of_range",
                f"A price of {product} is out of range: from 0 to {MOST_AMOUNT:,} of the currency's minor unit.",
                {"product": product.code},
            )
    check_price_list(Policy(), _price_terms(price_list, prices))


def _price_terms(price_list: PriceList, prices: Mapping[Product, Prices]) -> PriceTerms:
    return PriceTerms(price_list.currency, {product.code: Price(*each[:3]) for product, each in prices.items()})


def _write_entries(price_list: PriceList, prices: Mapping[Product, Prices]) -> None:
    """Write what differs from what stands there."""
    present = {entry.product_id: entry for entry in price_list.entries.all()}
    price_list.entries.exclude(product__in=prices).delete()
    for product, each in prices.items():
        entry = present.get(product.pk) or PriceListEntry(price_list=price_list, product=product)
        if entry.pk is None or any(getattr(entry, name) != amount for name, amount in each._asdict().items()):
            for name, amount in each._asdict().items():
                setattr(entry, name, amount)
            entry.save()


def _told(price_list: PriceList) -> dict[str, Any]:
    """A list as the audit trail tells it: with each product's prices under its code."""
    prices = {product.code: each._asdict() for product, each in prices_of(price_list).items()}
    return {**values_of(price_list), **prices}


class _Span(NamedTuple):
    """Terms with the first day on which they are in force and the first on which they are not any more."""

    terms: Any
    starts_on: date
    until: date


def _spans(terms: Iterable[Any]) -> Iterable[_Span]:
    """When each of the terms, of one kind and in their order, is in force."""
    for each, following in pairwise([*terms, None]):
        yield _Span(each, each.valid_from, following.valid_from if following else date.max)


def _check_agreement(since: date) -> None:
    """P: refuse `upgrade_not_above_sma` where, from a day on, a list is in force together with a policy whose upgrades
    include more months of SMA than its upgrades pay for. Up to 12 months the database sees to it."""
    policies = list(PolicySettings.objects.order_by("valid_from"))
    demanding = [span for span in _spans(policies) if span.terms.upgrade_includes_months > 12 and span.until > since]
    if not demanding:
        return
    most = max(span.terms.upgrade_includes_months for span in demanding)
    doubtful = PriceListEntry.objects.annotate(twelvefold=F("upgrade") * 12, bound=F("sma_year") * most)
    lists = PriceList.objects.filter(entries__in=doubtful.filter(twelvefold__lte=F("bound"))).distinct()
    for price_list in lists:
        alike = PriceList.objects.filter(currency=price_list.currency, segment=price_list.segment)
        span = next(span for span in _spans(alike.order_by("valid_from")) if span.terms == price_list)
        for policy in demanding:
            if max(span.starts_on, policy.starts_on, since) < min(span.until, policy.until):
                _check_together(price_list, policy.terms)


def _check_together(price_list: PriceList, policy: PolicySettings) -> None:
    try:
        check_price_list(terms_of(policy), _price_terms(price_list, prices_of(price_list)))
    except DomainError as refusal:
        raise DomainError(
            refusal.code,
            f"{refusal.message} So it is with {price_list} and the policy from {write_day(policy.valid_from)}.",
            refusal.data,
        ) from None
