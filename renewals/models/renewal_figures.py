"""What reports of renewals read (rule F5): dongles that are due, what customers keep, and the sums of both.

All of it follows from orders, periods and segments (renewals/retention/) and can be thrown away and made anew, so the
database does not check what it refers to. Months are written as their first day, amounts in minor units. Countries and
segments are those that customers have now; customers that were merged are the one that was kept.
"""

from django.db import models
from django.db.models import Q

from dongles.models import Dongle, Product, ProductFamily
from portal.models import Customer
from renewals.models.orders import Order
from renewals.models.terms import minor_units
from renewals.retention import Outcome

SCOPE = ("family", "product")
KEY = (*SCOPE, "country", "customer_segment", "currency")


class RenewalDimensions(models.Model):
    """What figures are told apart by. Without family and product they are of everything, without product of a family:
    a dongle with several products counts once with each, so those don't add up to the whole."""

    family = models.ForeignKey(
        ProductFamily, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    product = models.ForeignKey(
        Product, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    country = models.CharField(max_length=2)
    customer_segment = models.CharField(max_length=20, choices=Customer.Segment)
    currency = models.CharField(max_length=3)

    class Meta:
        abstract = True


class DueDongle(RenewalDimensions):
    """A dongle that was or will be due on a day, once of everything and once for each family and product that it has.

    `first_dongle` is the one that it was before it was replaced (Q8). Without an `outcome` it was not covered again: it
    is open through `grace_ends_on`, and lost from then on. `order` covered it again from `covered_again_on` on.
    `old_value` is the annual value on the day, `new_value` that of the first day after; 0 where they are not known
    (`is_valued`). `kept_value` is the smaller of the two where it was renewed in time.
    """

    first_dongle = models.ForeignKey(
        Dongle, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    due_on = models.DateField()
    grace_ends_on = models.DateField()
    outcome = models.CharField(
        max_length=10, blank=True, choices=[(each.value, each.value) for each in (Outcome.RENEWED, Outcome.WON_BACK)]
    )
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    covered_again_on = models.DateField(null=True)
    is_valued = models.BooleanField()
    old_value = minor_units()
    new_value = minor_units()
    kept_value = minor_units()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["first_dongle", "due_on", *SCOPE], name="due_once_a_day", nulls_distinct=False
            ),
        )
        indexes = (
            models.Index(fields=[*SCOPE, "due_on", "id"], name="due_by_day"),
            models.Index(fields=["customer", *SCOPE, "due_on"], name="due_by_customer"),
            # Of all that is to come nothing is renewed: what reports add up of it they find in the index alone.
            models.Index(
                fields=[*SCOPE, "currency", "due_on"],
                include=["customer", "country", "customer_segment", "grace_ends_on", "is_valued", "old_value"],
                condition=Q(outcome=""),
                name="due_not_renewed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.dongle} due on {self.due_on}"


class DueFigures(RenewalDimensions):
    """The dongles due in a month: how many, how many of them renewed in time and won back, and their annual values.

    `due_value` is that of all whose value is known (`valued` many), `kept_value` what was kept of it in time (F5),
    `renewed_value` and `won_back_value` what those came to anew, `unrenewed_value` what was due and was not covered
    again: lost, where the grace is over.
    """

    month = models.DateField()
    due = models.BigIntegerField(default=0)
    renewed = models.BigIntegerField(default=0)
    won_back = models.BigIntegerField(default=0)
    valued = models.BigIntegerField(default=0)
    due_value = minor_units(default=0)
    kept_value = minor_units(default=0)
    renewed_value = minor_units(default=0)
    won_back_value = minor_units(default=0)
    unrenewed_value = minor_units(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=[*SCOPE, "month", *KEY[2:]], name="due_figures_once", nulls_distinct=False),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.country} {self.currency}"


class RetentionChange(RenewalDimensions):
    """By how much figures of retention change from a month on: summed up to a month they are that month's, on its last
    day against the same day twelve months before (renewals.retention.Retention says what each is)."""

    month = models.DateField()
    value = minor_units(default=0)
    then = minor_units(default=0)
    kept = minor_units(default=0)
    now = minor_units(default=0)
    lost = minor_units(default=0)
    customers_then = models.BigIntegerField(default=0)
    customers_kept = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class CustomerRetention(RetentionChange):
    """A customer's retention."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer", *SCOPE, "month", "currency"],
                name="customer_retention_once",
                nulls_distinct=False,
            ),
        )
        indexes = (models.Index(fields=[*SCOPE, "currency", "month"], name="customer_retention_by_month"),)

    def __str__(self) -> str:
        return f"{self.customer} from {self.month:%Y-%m}"


class RetentionFigures(RetentionChange):
    """The retention of all customers."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=[*SCOPE, "month", *KEY[2:]], name="retention_figures_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.country} {self.currency}"


class CohortDimensions(RenewalDimensions):
    """Customers whose first SMA began in `first_year`, at the end of another: how many are covered, and their value.

    The customers stand with the currency that they have now, the values with the one in which they were sold.
    """

    first_year = models.PositiveSmallIntegerField()
    year = models.PositiveSmallIntegerField()
    customers = models.BigIntegerField(default=0)
    value = minor_units(default=0)

    class Meta:
        abstract = True


class CustomerCohort(CohortDimensions):
    """A customer's years: one customer where covered on the last day, none where there is a value alone."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer", *SCOPE, "year", "currency"], name="customer_cohort_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer} in {self.year}"


class CohortFigures(CohortDimensions):
    """The years of all customers."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=[*SCOPE, "first_year", "year", *KEY[2:]], name="cohort_figures_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.first_year} in {self.year}"


class OutdatedRenewal(models.Model):
    """A dongle or a customer (ids) whose figures of renewals may have changed: written by triggers together with what
    changed them, taken away when the figures are worked out anew."""

    dongle_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"dongle {self.dongle_id} or customer {self.customer_id}"
