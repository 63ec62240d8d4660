"""Quotes: their versions, the dongles and lines of each."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from dongles.models import Dongle, Product
from portal.models import Customer, User
from portal.wording import count
from renewals import links, states
from renewals.models.campaigns import Campaign
from renewals.models.terms import PolicySettings, PriceList, minor_units
from renewals.pricing.explain import explain_step, explain_steps
from renewals.pricing.steps import steps_from_json


class Quote(models.Model):
    """A quote to a customer; what it offers is in its versions, of which the newest that was sent counts (Q2).

    `campaign` is the one that drafted it, if one did.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="quotes")
    created_at = models.DateTimeField()
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.PROTECT, related_name="quotes")

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"Q-{self.pk:06d}"


class QuoteVersion(models.Model):
    """One offer: priced on `priced_on` with that price list and policy, and a promise through `valid_until` (Q1).

    `discount`, `waives_upgrades` and `free_months` are what was conceded (Q3); `part_month` is how a part of a year is
    counted where that was chosen for this quote, else as by policy (P3). `key_hash` and `key_nonce` are what is kept of
    the link that opens the customer's page of it (renewals/links.py).
    """

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20, choices=states.QuoteState.choices(), default=states.QuoteState.DRAFT)
    priced_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(PolicySettings, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    discount = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    discount_reason = models.CharField(max_length=250, blank=True, help_text="Why anything is conceded (Q3)")
    waives_upgrades = models.BooleanField(default=False)
    free_months = models.PositiveSmallIntegerField(default=0)
    part_month = models.CharField(max_length=10, choices=PolicySettings.PartMonth, blank=True)
    note = models.TextField(blank=True)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=5, default=0)
    net = minor_units()
    tax = minor_units()
    total = minor_units()
    drafted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    needs_approval = models.BooleanField(default=False)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    key_hash = models.CharField(max_length=64, blank=True)
    key_nonce = models.CharField(max_length=24, blank=True)

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
            models.UniqueConstraint(fields=["key_hash"], condition=~Q(key_hash=""), name="quote_key_opens_one_version"),
            models.CheckConstraint(name="free_months_at_most_12", condition=Q(free_months__lte=12)),
            models.CheckConstraint(name="quote_discount_is_a_rate", condition=Q(discount__range=(0, 1))),
            models.CheckConstraint(
                name="sent_quotes_have_a_last_day",
                condition=Q(state="draft") | Q(state="superseded") | Q(valid_until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.quote.number} version {self.number}"

    @property
    def name_for_customers(self) -> str:
        """“Quote Q-2026-00012”; a customer hears of versions once there is a second."""
        return f"Quote {self.quote.number}{f', version {self.number}' if self.number > 1 else ''}"

    @property
    def key(self) -> str:
        """The key in the link that was sent; none of a draft, or where it can't be said again."""
        return links.key_of(links.Link(self.key_hash, self.key_nonce))

    def is_expired_on(self, day: date) -> bool:
        """Q1: whether it was sent and its last valid day is over."""
        return self.state == states.QuoteState.SENT and self.valid_until is not None and self.valid_until < day


class QuoteDongle(models.Model):
    """What a version asks for one dongle, and what was true of it then.

    `paid_through` is the rulebook's E, `covered_through` its T; `fingerprint` identifies the licences and coverage
    that were priced (`dongle_changed`); `licences` holds per licence index what Q1 needs at fulfilment: its id (or
    none for an added one), C(l) and whether it was lapsed. `replacement` is empty, or says which dongle is to take this
    one's place and why: `serial`, `cause`, `reason` (Q8).
    """

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="dongles")
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="quoted")
    renew_years = models.PositiveSmallIntegerField(null=True)
    align_to = models.DateField(null=True)
    added = models.JSONField(default=list)
    replacement = models.JSONField(default=dict)
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
        REPLACEMENT = "replacement", "Replacement of the dongle"

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
        """The line in plain words: what, for how many seats, with how many months free (Q3)."""
        free = sum(step["inputs"][0] for step in self.steps if step["what"] == "free_months")
        seats = f", {self.seats} seats" if self.seats > 1 else ""
        gift = f", {count(free, 'month')} free" if free else ""
        return f"{self.get_kind_display()}{seats}{gift}"

    @property
    def arithmetic(self) -> list[str]:
        """Each step of the stored arithmetic, to be checked by hand."""
        return explain_steps(steps_from_json(self.steps), self.quoted.version.currency)

    @property
    def arithmetic_for_customers(self) -> list[str]:
        """The same without the rules, which are for staff."""
        return [explain_step(step, self.quoted.version.currency) for step in steps_from_json(self.steps)]
