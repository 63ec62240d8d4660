"""Exchange rates of months, into the reporting currency."""

from django.db import models
from django.db.models import F, Q

from portal.models import User
from portal.wording import write_month

WHOLE_DIGITS, DECIMALS = 6, 10


class ExchangeRate(models.Model):
    """What one unit of `currency` is worth in a month, in units of `reporting_currency`; `month` is its first day.

    Entered or imported by people, with its `source`; never reckoned from others. The reporting currency stands in each
    row, so that a portal that changes it never takes a rate for another's.
    """

    month = models.DateField()
    currency = models.CharField(max_length=3)
    reporting_currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=WHOLE_DIGITS + DECIMALS, decimal_places=DECIMALS)
    source = models.CharField(max_length=120)
    entered_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("month", "currency")
        constraints = (
            models.UniqueConstraint(fields=["reporting_currency", "month", "currency"], name="one_rate_a_month"),
            models.CheckConstraint(name="exchange_rate_is_above_zero", condition=Q(rate__gt=0)),
            models.CheckConstraint(name="exchange_rate_is_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(name="exchange_rate_is_between_two", condition=~Q(currency=F("reporting_currency"))),
        )

    def __str__(self) -> str:
        return f"{self.currency} in {write_month(self.month)}"

    @property
    def written(self) -> str:
        """The rate without idle zeros: “0.9241”."""
        return f"{self.rate.normalize():f}"
