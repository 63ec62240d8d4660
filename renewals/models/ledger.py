"""The revenue ledger: segments of sold lines, the sums that reports read, and months as they were closed (F1–F5).

A month is written as its first day.
"""

from django.db import models
from django.db.models import F, Q

from dongles.models import Product
from portal.models import Customer, User
from renewals.models.orders import OrderLine
from renewals.models.terms import minor_units
from renewals.recognition import Segment


class RevenueSegment(models.Model):
    """Money in time (F1): a signed amount earned from `starts_on` to `ends_on`. Only ever added (trigger).

    Earned daily or at once. A segment that takes one back mirrors it: `basis_amount` and `basis_starts_on` are the
    mirrored segment's whole, of which only the days from `starts_on` count, so that every month is undone exactly.
    `country` and `customer_segment` are the customer's as of the sale. `annual_amount` is what the line adds to the
    annual value of each day from `starts_on` to `ends_on` (F5).
    """

    class Method(models.TextChoices):
        DAILY = "daily", "By day"
        AT_ONCE = "at_once", "At once"

    class Reason(models.TextChoices):
        SALE = "sale", "Sale"
        CANCELLATION = "cancellation", "Cancellation"
        ANNULMENT = "annulment", "Annulment"
        CONCESSION = "concession", "Concession"

    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="segments")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2)
    customer_segment = models.CharField(max_length=20, choices=Customer.Segment)
    currency = models.CharField(max_length=3)
    amount = minor_units()
    starts_on = models.DateField()
    ends_on = models.DateField()
    method = models.CharField(max_length=10, choices=Method)
    booked_month = models.DateField(help_text="The first day of the month of booking")
    reason = models.CharField(max_length=20, choices=Reason)
    basis_amount = minor_units()
    basis_starts_on = models.DateField()
    annual_amount = minor_units(default=0)
    mirrors = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="mirrored_by")

    class Meta:
        constraints = (
            models.CheckConstraint(name="segment_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="segment_starts_within_basis", condition=Q(basis_starts_on__lte=F("starts_on"))
            ),
            models.CheckConstraint(name="segment_is_booked_in_a_month", condition=Q(booked_month__day=1)),
            models.UniqueConstraint(fields=["mirrors"], name="segment_taken_back_once"),
        )
        indexes = (
            models.Index(fields=["booked_month", "id"], name="segment_by_booked_month"),
            models.Index(fields=["ends_on", "starts_on"], name="segment_by_days"),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.starts_on} – {self.ends_on}"

    @property
    def segment(self) -> Segment:
        """What the rules of recognition take."""
        return Segment(self.amount, self.starts_on, self.ends_on, self.method, self.basis_amount, self.basis_starts_on)


class UnsummarisedSegment(models.Model):
    """A segment that the sums lack yet: written by a trigger together with the segment, taken away when it is added.

    Not "all ids above the last one": transactions commit in another order than that of their ids.
    """

    segment = models.OneToOneField(
        RevenueSegment, primary_key=True, on_delete=models.PROTECT, related_name="unsummarised", db_constraint=False
    )

    def __str__(self) -> str:
        return f"segment {self.segment_id}"


class Dimensions(models.Model):
    """What figures are told apart by; never null, so that the same place is found again."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2)
    customer_segment = models.CharField(max_length=20, choices=Customer.Segment)
    currency = models.CharField(max_length=3)

    class Meta:
        abstract = True


class MonthFigures(Dimensions):
    """Sums of a month as reported: what a closed month said stays (F1). Minor units.

    `booked` and `credited` (not positive) are what was booked in the month; `recognised` is earned in it by date,
    `caught_up` belongs to earlier months by date and came late. `current` is what is deferred at the end of the month,
    of what is booked by then, and will be earned in the twelve months after; `annual` the annual value on its last day.
    """

    month = models.DateField()
    booked = minor_units(default=0)
    credited = minor_units(default=0)
    recognised = minor_units(default=0)
    caught_up = minor_units(default=0)
    current = minor_units(default=0)
    annual = minor_units(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["month", "product", "country", "customer_segment", "currency"], name="month_figures_once"
            ),
        )
        indexes = (models.Index(fields=["country"], name="month_figures_by_country"),)  # of reports: which there are

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.product} {self.country} {self.currency}"


class BookingFigures(Dimensions):
    """What of the bookings of one month is earned in another; minor units, as in MonthFigures."""

    booked_month = models.DateField()
    month = models.DateField()
    recognised = minor_units(default=0)
    caught_up = minor_units(default=0)

    class Meta:
        # With what is summed in it, the index alone answers reports: a year's rows lie side by side there.
        constraints = (
            models.UniqueConstraint(
                fields=["month", "booked_month", "product", "country", "customer_segment", "currency"],
                include=["recognised", "caught_up"],
                name="booking_figures_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.booked_month:%Y-%m} in {self.month:%Y-%m} {self.product} {self.country} {self.currency}"


class BookingTotals(models.Model):
    """BookingFigures of everything in a currency: few rows, for the many reports that filter nothing."""

    booked_month = models.DateField()
    month = models.DateField()
    currency = models.CharField(max_length=3)
    recognised = minor_units(default=0)
    caught_up = minor_units(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["currency", "month", "booked_month"], name="booking_totals_once"),
        )

    def __str__(self) -> str:
        return f"{self.booked_month:%Y-%m} in {self.month:%Y-%m} {self.currency}"


class AccountingMonth(models.Model):
    """A month of the ledger. Who books in it locks its row first, and so does who closes it."""

    month = models.DateField(primary_key=True)
    is_closed = models.BooleanField(default=False)

    class Meta:
        constraints = (models.CheckConstraint(name="accounting_month_is_a_first", condition=Q(month__day=1)),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class MonthClose(models.Model):
    """A month as it was closed, for the first time or again. Only ever added (trigger).

    `totals` holds per currency the figures of the month in minor units; `segments` of them make up the month, the
    newest of which is `last_segment_id`; `sha256` is the digest of what each of them came to.
    """

    month = models.ForeignKey(AccountingMonth, on_delete=models.PROTECT, related_name="closes")
    revision = models.PositiveSmallIntegerField()
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()
    segments = models.BigIntegerField()
    last_segment_id = models.BigIntegerField()
    totals = models.JSONField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("month", "revision")
        constraints = (models.UniqueConstraint(fields=["month", "revision"], name="close_numbered_once"),)

    def __str__(self) -> str:
        return f"Close {self.revision} of {self.in_address}"

    @property
    def in_address(self) -> str:
        """Its month as it stands in addresses."""
        return f"{self.month_id:%Y-%m}"


class LedgerEntry(Dimensions):
    """What a close posted, numbered without a gap over all months. Only ever added (trigger).

    A later close of the same month posts the differences from what was posted before, so that all entries of a month
    add up to what it is.
    """

    class Kind(models.TextChoices):
        BOOKED = "booked", "Booked"
        CREDITED = "credited", "Credited"
        RECOGNISED = "recognised", "Recognised"
        CAUGHT_UP = "caught_up", "Caught up"

    number = models.BigIntegerField(primary_key=True)
    close = models.ForeignKey(MonthClose, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = minor_units()

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(
                fields=["close", "kind", "product", "country", "customer_segment", "currency"], name="entry_posted_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} {self.amount} {self.currency}"


class MonthReopening(models.Model):
    """That a closed month is to be opened again: asked for by one person, decided by another."""

    close = models.ForeignKey(MonthClose, on_delete=models.PROTECT, related_name="reopenings")
    reason = models.CharField(max_length=250)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    is_granted = models.BooleanField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="reopening_takes_two",
                condition=Q(decided_by__isnull=True, decided_at__isnull=True, is_granted__isnull=True)
                | (
                    Q(decided_by__isnull=False, decided_at__isnull=False, is_granted__isnull=False)
                    & (Q(is_granted=False) | ~Q(decided_by=F("asked_by")))
                ),
            ),
            models.UniqueConstraint(
                fields=["close"],
                condition=Q(is_granted__isnull=True) | Q(is_granted=True),
                name="one_reopening_a_close",
            ),
        )

    def __str__(self) -> str:
        return f"Reopening of {self.close}"
