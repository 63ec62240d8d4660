"""What was given away with a sale, and what lapses cost: read from the quote when it is sold (renewals/conceded.py)."""

from django.db import models

from portal.models import Customer, User
from renewals import conceded
from renewals.models.ledger import Dimensions
from renewals.models.orders import Order, OrderLine
from renewals.models.terms import minor_units


class SaleFact(Dimensions):
    """One thing that is true of a sold line. `month` is that of its fulfilment, as its first day.

    `number` counts days or months, or is 1; `amount` is minor units. `approved_by` is who approved what was conceded.
    An order that was annulled has none.
    """

    class Kind(models.TextChoices):
        FREE_DAYS = conceded.FREE_DAYS, "Free days"
        FREE_MONTHS = conceded.FREE_MONTHS, "Free months"
        MULTI_YEAR = conceded.MULTI_YEAR, "Discount for several years"
        NEGOTIATED = conceded.NEGOTIATED, "Negotiated discount"
        WAIVED_UPGRADE = conceded.WAIVED_UPGRADE, "Waived upgrade"
        HONOURED = conceded.HONOURED, "Older terms honoured"
        UPGRADE = conceded.UPGRADE, "Upgrade after a lapse"
        UPGRADE_SMA = conceded.UPGRADE_SMA, "SMA that an upgrade includes"
        BACK_PAY = conceded.BACK_PAY, "Back pay"
        REINSTATEMENT_FEE = conceded.FEE, "Reinstatement fee"
        GAP_UPGRADED = conceded.GAP_UPGRADED, "SMA missed, upgrade bought"
        GAP = conceded.GAP, "SMA missed, no upgrade bought"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="facts")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="facts")
    kind = models.CharField(max_length=20, choices=Kind)
    month = models.DateField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    amount = minor_units()

    class Meta:
        indexes = (models.Index(fields=["month", "kind", "id"], name="sale_fact_by_month"),)
        constraints = (models.UniqueConstraint(fields=["order_line", "kind"], name="sale_fact_once_a_line"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.order_line}"

    @property
    def is_of_time(self) -> bool:
        """Whether its number counts days or months."""
        return self.kind in (self.Kind.FREE_DAYS, self.Kind.FREE_MONTHS, self.Kind.GAP_UPGRADED, self.Kind.GAP)
