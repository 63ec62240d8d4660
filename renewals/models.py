"""What is sold: price lists and policy, quotes with their versions and lines, orders, and the revenue ledger.

Every amount is an integer in the minor unit of the currency that stands once on its document.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from dongles.models import Dongle, Licence, Product, SmaPeriod
from portal.models import Customer, User
from renewals import states
from renewals.pricing.explain import explain_steps
from renewals.pricing.steps import steps_from_json
from renewals.recognition import Segment

RATE = [MinValueValidator(0), MaxValueValidator(1)]


def minor_units(**options: Any) -> "models.BigIntegerField[Any, Any]":
    """A field for an amount in minor units."""
    return models.BigIntegerField(**options)


class PriceList(models.Model):
    """Prices per currency and customer segment from a day on. One that a quote has used can't be changed (trigger)."""

    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    segment = models.CharField(max_length=20, choices=Customer.Segment)
    valid_from = models.DateField()

    class Meta:
        constraints = (
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

    class Straddle(models.TextChoices):
        HONOUR = "honour", "Honour the quote"
        REQUOTE = "requote", "Quote again"

    valid_from = models.DateField(unique=True)
    part_month = models.CharField(max_length=10, choices=PartMonth, default=PartMonth.EXACT)
    missed_majors = models.CharField(max_length=10, choices=MissedMajors, default=MissedMajors.ONCE)
    upgrade_includes_months = models.PositiveSmallIntegerField(default=12, validators=[MaxValueValidator(120)])
    upgrade_cap = models.DecimalField(
        max_digits=8, decimal_places=4, null=True, blank=True, default=1, validators=[MinValueValidator(0)]
    )
    multi_year_discount = models.JSONField(
        default=dict, blank=True, help_text='Number of years → rate, e.g. {"3": "0.05"}'
    )
    max_years = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(10)])
    align_min_months = models.PositiveSmallIntegerField(default=3)
    back_pay = models.BooleanField(default=False)
    reinstatement_fee = models.DecimalField(max_digits=5, decimal_places=4, default=0, validators=RATE)
    grace_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(90)])
    quote_valid_days = models.PositiveSmallIntegerField(default=30)
    straddle = models.CharField(max_length=10, choices=Straddle, default=Straddle.HONOUR)
    bridge_days = models.PositiveSmallIntegerField(default=30)
    discount_limits = models.JSONField(
        default=dict,
        blank=True,
        help_text='Role → highest negotiated rate without approval, e.g. {"sales": "0.1"}',
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
        return f"Policy from {self.valid_from}"


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


class Quote(models.Model):
    """A quote to a customer; what it offers is in its versions, of which the newest that was sent counts (Q2)."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="quotes")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"Q-{self.pk:06d}"


class QuoteVersion(models.Model):
    """One offer: priced on `priced_on` with that price list and policy, and a promise through `valid_until` (Q1)."""

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20, choices=states.QuoteState.choices(), default=states.QuoteState.DRAFT)
    priced_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(PolicySettings, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    discount = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    discount_reason = models.CharField(max_length=250, blank=True)
    note = models.TextField(blank=True)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=5, default=0)
    net = minor_units()
    tax = minor_units()
    total = minor_units()
    drafted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    needs_approval = models.BooleanField(default=False)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("quote_id", "number")
        constraints = (
            models.UniqueConstraint(fields=["quote", "number"], name="quote_version_number_given_once"),
            models.UniqueConstraint(fields=["quote"], condition=Q(state="sent"), name="one_sent_version_a_quote"),
            models.UniqueConstraint(fields=["quote"], condition=Q(state="draft"), name="one_draft_a_quote"),
            models.CheckConstraint(
                name="quote_amounts_are_not_negative",
                condition=Q(net__gte=0) & Q(tax__gte=0) & Q(total=F("net") + F("tax")),
            ),
            models.CheckConstraint(name="quote_discount_is_a_rate", condition=Q(discount__range=(0, 1))),
            models.CheckConstraint(
                name="sent_quotes_have_a_last_day",
                condition=Q(state="draft") | Q(state="superseded") | Q(valid_until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.quote.number} version {self.number}"


class QuoteDongle(models.Model):
    """What a version asks for one dongle, and what was true of it then.

    `paid_through` is the rulebook's E, `covered_through` its T; `fingerprint` identifies the licences and coverage
    that were priced (`dongle_changed`); `licences` holds per licence index what Q1 needs at fulfilment: its id (or
    none for an added one), C(l) and whether it was lapsed.
    """

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="dongles")
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="quoted")
    renew_years = models.PositiveSmallIntegerField(null=True)
    align_to = models.DateField(null=True)
    added = models.JSONField(default=list)
    paid_through = models.DateField(null=True)
    covered_through = models.DateField()
    fingerprint = models.CharField(max_length=64)
    licences = models.JSONField()
    net = minor_units()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["version", "dongle"], name="dongle_once_a_version"),)

    def __str__(self) -> str:
        return f"{self.dongle} in {self.version}"


class QuoteLine(models.Model):
    """A priced line with its steps: stored as quoted, never changed (trigger), never recomputed.

    `licence_index` counts the dongle's licences in order, added ones after them. `months` is D2's triple,
    `sma_net` the part of `net` that is SMA and earned over time (rule F3).
    """

    class Kind(models.TextChoices):
        LICENCE = "licence", "New licence"
        UPGRADE = "upgrade", "Upgrade"
        BACK_PAY = "back_pay", "Back pay"
        REINSTATEMENT_FEE = "reinstatement_fee", "Reinstatement fee"
        SMA_YEAR = "sma_year", "SMA, one year"
        SMA_PART = "sma_part", "SMA, part of a year"

    quoted = models.ForeignKey(QuoteDongle, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=20, choices=Kind)
    licence_index = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    seats = models.PositiveIntegerField()
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    months = ArrayField(models.PositiveSmallIntegerField(), size=3)
    list_amount = minor_units()
    discounts = models.JSONField()
    net = minor_units()
    sma_net = minor_units()
    rules = ArrayField(models.CharField(max_length=4))
    steps = models.JSONField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                name="quote_line_amounts_are_not_negative",
                condition=Q(list_amount__gte=0) & Q(net__gte=0) & Q(sma_net__gte=0) & Q(sma_net__lte=F("net")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.product}"

    @property
    def description(self) -> str:
        """The line in plain words."""
        return self.get_kind_display() if self.seats == 1 else f"{self.get_kind_display()}, {self.seats} seats"

    @property
    def arithmetic(self) -> list[str]:
        """Each step of the stored arithmetic, to be checked by hand."""
        return explain_steps(steps_from_json(self.steps), self.quoted.version.currency)


class Order(models.Model):
    """An accepted version of a quote: one order per quote, fulfilled whole (rules Q2, Q6)."""

    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="order")
    version = models.OneToOneField(QuoteVersion, on_delete=models.PROTECT, related_name="order")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    state = models.CharField(max_length=20, choices=states.OrderState.choices())
    purchase_order_number = models.CharField(max_length=80, blank=True)
    accepted_by = models.CharField(max_length=200)
    accepted_on = models.DateField()
    paid_on = models.DateField(null=True)
    fulfilled_on = models.DateField(null=True)
    cancelled_from = models.DateField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="order_state_fits_its_dates",
                condition=Q(state="accepted", fulfilled_on__isnull=True, cancelled_from__isnull=True)
                | Q(state="fulfilled", fulfilled_on__isnull=False, cancelled_from__isnull=True)
                | Q(state="cancelled", cancelled_from__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"O-{self.pk:06d}"


class OrderLine(models.Model):
    """A line as fulfilled: the quoted line with its licence and its final dates, free days told apart (rule Q1).

    One without a quoted line is a free extension of a licence that was already covered when quoted.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    quote_line = models.OneToOneField(QuoteLine, null=True, on_delete=models.PROTECT, related_name="sold")
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="order_lines")
    period = models.OneToOneField(SmaPeriod, null=True, on_delete=models.PROTECT, related_name="order_line")
    free_days = models.PositiveIntegerField(default=0)
    net = minor_units()

    class Meta:
        ordering = ("id",)
        constraints = (models.CheckConstraint(name="order_line_is_not_negative", condition=Q(net__gte=0)),)

    def __str__(self) -> str:
        return f"{self.order}: {self.licence}"


class RevenueSegment(models.Model):
    """Money in time (F1): a signed amount earned from `starts_on` to `ends_on`. Only ever added (trigger).

    Earned daily or at once. A segment that takes one back mirrors it: `basis_amount` and `basis_starts_on` are the
    mirrored segment's whole, of which only the days from `starts_on` count, so that every month is undone exactly.
    """

    class Method(models.TextChoices):
        DAILY = "daily", "By day"
        AT_ONCE = "at_once", "At once"

    class Reason(models.TextChoices):
        SALE = "sale", "Sale"
        CANCELLATION = "cancellation", "Cancellation"
        ANNULMENT = "annulment", "Annulment"

    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="segments")
    currency = models.CharField(max_length=3)
    amount = minor_units()
    starts_on = models.DateField()
    ends_on = models.DateField()
    method = models.CharField(max_length=10, choices=Method)
    booked_month = models.DateField(help_text="The first day of the month of booking")
    reason = models.CharField(max_length=20, choices=Reason)
    basis_amount = minor_units()
    basis_starts_on = models.DateField()
    mirrors = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="mirrored_by")

    class Meta:
        constraints = (
            models.CheckConstraint(name="segment_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="segment_starts_within_basis", condition=Q(basis_starts_on__lte=F("starts_on"))
            ),
            models.UniqueConstraint(fields=["mirrors"], name="segment_taken_back_once"),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.starts_on} – {self.ends_on}"

    @property
    def segment(self) -> Segment:
        """What the rules of recognition take."""
        return Segment(self.amount, self.starts_on, self.ends_on, self.method, self.basis_amount, self.basis_starts_on)
