"""Orders with what was fulfilled."""

from django.db import models
from django.db.models import Q

from dongles.models import Licence, SmaPeriod
from portal.models import Customer, trigrams_of
from renewals import states
from renewals.models.quotes import Quote, QuoteLine, QuoteVersion
from renewals.models.terms import minor_units


class Order(models.Model):
    """An accepted version of a quote: one order per quote, fulfilled whole (rules Q2, Q6).

    `terms` is the text that a customer has agreed to who accepted by themselves; none where staff took the order.
    """

    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="order")
    version = models.OneToOneField(QuoteVersion, on_delete=models.PROTECT, related_name="order")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    state = models.CharField(max_length=20, choices=states.OrderState.choices())
    purchase_order_number = models.CharField(max_length=80, blank=True)
    accepted_by = models.CharField(max_length=200)
    accepted_on = models.DateField()
    terms = models.TextField(blank=True)
    paid_on = models.DateField(null=True)
    fulfilled_on = models.DateField(null=True)
    cancelled_from = models.DateField(null=True)

    class Meta:
        indexes = (
            trigrams_of("purchase_order_number", "purchase_order_trigrams"),
            models.Index(fields=["fulfilled_on"], name="orders_by_fulfilment"),
            models.Index(fields=["accepted_on"], condition=Q(state="accepted"), name="orders_to_fulfil"),
        )
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
        return order_number(self.pk)


def order_number(pk: int) -> str:
    """What an order is called, for lists so long that its row is not read."""
    return f"O-{pk:06d}"


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

    @property
    def kind(self) -> str:
        """What was sold (`QuoteLine.Kind`); nothing where it is a free extension."""
        return self.quote_line.kind if self.quote_line else ""
