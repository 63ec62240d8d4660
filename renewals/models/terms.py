"""Price lists, policy settings and tax rates: from a day on, and unchanged once a quote has used them."""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from dongles.models import Product
from portal.models import Customer, User
from portal.wording import write_day

RATE = [MinValueValidator(0), MaxValueValidator(1)]
RATE_TEXT = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")


def minor_units(**options: Any) -> "models.BigIntegerField[Any, Any]":
    """A field for an amount in minor units."""
    return models.BigIntegerField(**options)


class PriceList(models.Model):
    """Prices per currency and customer segment from a day on. One that a quote has used can't be changed (trigger).

    `replacement_fee` is what a replaced dongle costs where the policy charges a fee (rule Q8).
    """

    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    segment = models.CharField(max_length=20, choices=Customer.Segment)
    valid_from = models.DateField()
    replacement_fee = minor_units(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="For a replaced dongle, where the policy charges the fee of the price list (Q8).",
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="replacement_fee_is_positive",
                condition=Q(replacement_fee__isnull=True) | Q(replacement_fee__gt=0),
            ),
            models.UniqueConstraint(
                fields=["currency", "segment", "valid_from"], name="one_price_list_a_day_and_segment"
            ),
        )

    def __str__(self) -> str:
        return self.name


class PriceListEntry(models.Model):
    """The prices of one product. `licence_alone` and `upgrade_alone` are stand-alone prices without SMA (rule F3)."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="entries")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    licence = minor_units()
    sma_year = minor_units()
    upgrade = minor_units()
    licence_alone = minor_units(null=True, blank=True)
    upgrade_alone = minor_units(null=True, blank=True)

    class Meta:
        verbose_name_plural = "price list entries"
        constraints = (
            models.UniqueConstraint(fields=["price_list", "product"], name="one_price_per_product"),
            models.CheckConstraint(
                name="prices_are_not_negative",
                condition=Q(licence__gte=0)
                & Q(sma_year__gte=0)
                & (Q(licence_alone__isnull=True) | Q(licence_alone__gte=0))
                & (Q(upgrade_alone__isnull=True) | Q(upgrade_alone__gte=0)),
            ),
            models.CheckConstraint(
                name="upgrade_costs_more_than_an_sma_year",
                condition=Q(upgrade__gt=F("sma_year")),
                violation_error_message="An upgrade must cost more than the SMA year that it includes.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.product} in {self.price_list}"


class PolicySettings(models.Model):
    """The rulebook's policy settings from a day on. A row that a quote has used can't be changed (trigger)."""

    class PartMonth(models.TextChoices):
        EXACT = "exact", "Exact: days of the month begun"
        WHOLE = "whole", "Whole: a month begun counts"

    class MissedMajors(models.TextChoices):
        ONCE = "once", "One upgrade, however many were missed"
        EACH = "each", "An upgrade for each that was missed"

    class ReplacementPrice(models.TextChoices):
        """Rule Q8."""

        FREE = "free", "Free against return; one that does not come back costs the licence price again"
        FEE = "fee", "The fee of the price list"
        LICENCE = "licence", "The licence price again, without SMA"

    class Straddle(models.TextChoices):
        HONOUR = "honour", "Honour the quote"
        REQUOTE = "requote", "Quote again"

    valid_from = models.DateField(
        unique=True, help_text="The first day on which quotes are priced with these settings, until later ones follow."
    )
    part_month = models.CharField(
        max_length=10,
        choices=PartMonth,
        default=PartMonth.EXACT,
        help_text="How a month begun counts where SMA is sold for part of a year (P3).",
    )
    missed_majors = models.CharField(
        max_length=10,
        choices=MissedMajors,
        default=MissedMajors.ONCE,
        help_text="What coming back costs where several major releases were missed (P7).",
    )
    upgrade_includes_months = models.PositiveSmallIntegerField(
        default=12,
        validators=[MaxValueValidator(120)],
        help_text="Months of SMA that an upgrade includes, 0 to 120 (P7). Every upgrade must cost more than these.",
    )
    upgrade_cap = models.DecimalField(
        max_digits=8,
        decimal_places=4,
        null=True,
        blank=True,
        default=1,
        validators=[MinValueValidator(0)],
        help_text="An upgrade costs at most this share of a new licence (P7). Empty lifts the cap.",
    )
    multi_year_discount = models.JSONField(
        default=dict,
        blank=True,
        help_text="Off each SMA year where a quote sells so many years or more to a licence (P8).",
    )
    max_years = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="Most years that one renewal sells, 1 to 10 (P2).",
    )
    align_min_months = models.PositiveSmallIntegerField(
        default=3,
        validators=[MaxValueValidator(120)],
        help_text="Least months that aligning to a date adds, 0 to 120, or a few days would catch a release (P2).",
    )
    back_pay = models.BooleanField(
        default=False,
        help_text="Charge the gap of a lapse in which no major release was missed (P6).",
    )
    reinstatement_fee = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        default=0,
        validators=RATE,
        help_text="Share of an SMA year that coming back costs on top, 0 to 100 % (P6).",
    )
    grace_days = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(90)],
        help_text="Days after the end through which a licence renews as if in time, 0 to 90 (C4).",
    )
    replacement_price = models.CharField(
        max_length=10,
        choices=ReplacementPrice,
        default=ReplacementPrice.FREE,
        help_text="What it costs that another dongle takes the place of a lost or broken one (Q8). It buys no SMA:"
        " what is paid for goes over.",
    )
    quote_valid_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="Days after the day of sending through which a quote is a promise, 0 to 365 (Q1).",
    )
    straddle = models.CharField(
        max_length=10,
        choices=Straddle,
        default=Straddle.HONOUR,
        help_text="What becomes of a sent quote that a release since would have made dearer (Q1).",
    )
    bridge_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="Most days past the paid-through date that a bridging code states, 0 to 365 (Q7).",
    )
    discount_limits = models.JSONField(
        default=dict,
        blank=True,
        help_text="Highest negotiated discount that a role gives without another person's approval (Q3).",
    )

    class Meta:
        verbose_name_plural = "policy settings"
        constraints = (
            models.CheckConstraint(name="grace_days_at_most_90", condition=Q(grace_days__lte=90)),
            models.CheckConstraint(
                name="policy_rates_are_rates",
                condition=Q(reinstatement_fee__range=(0, 1)) & (Q(upgrade_cap__isnull=True) | Q(upgrade_cap__gte=0)),
            ),
        )

    def __str__(self) -> str:
        return f"Policy from {write_day(self.valid_from)}"

    def clean(self) -> None:
        """Both tables hold rates as decimal strings, under roles and under numbers of years."""
        _check_rates("discount_limits", self.discount_limits, lambda role: role in User.Role.values)
        _check_rates("multi_year_discount", self.multi_year_discount, lambda years: years.isdecimal() and years != "0")


def _check_rates(field: str, rates: Any, is_key: Callable[[str], bool]) -> None:
    """Refuse what is no table of rates from 0 to 1."""
    is_table = isinstance(rates, dict) and all(
        is_key(key) and isinstance(rate, str) and RATE_TEXT.fullmatch(rate) for key, rate in rates.items()
    )
    if not is_table:
        raise ValidationError({field: 'Write a table like the example, with rates from 0 to 1 as "0.05".'})


class TaxRate(models.Model):
    """The tax rate of a country for customers of a tax status, from a day on (rule P9)."""

    country = models.CharField(max_length=2)
    tax_status = models.CharField(max_length=20, choices=Customer.TaxStatus)
    rate = models.DecimalField(max_digits=6, decimal_places=5, validators=RATE)
    valid_from = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["country", "tax_status", "valid_from"], name="one_tax_rate_a_day"),
            models.CheckConstraint(name="tax_rate_is_a_rate", condition=Q(rate__range=(0, 1))),
        )

    def __str__(self) -> str:
        return f"{self.country} {self.tax_status} {self.rate}"
