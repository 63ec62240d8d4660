"""Bridging codes (rule Q7)."""

from django.db import models
from django.db.models import F, Q

from dongles.models import Dongle, UnlockCode
from portal.models import User
from renewals.models.quotes import QuoteVersion


class Bridge(models.Model):
    """Q7: a dongle's date was moved a little past its E while a purchase order was under way.

    `paid_through` is E, `ends_on` the date that the bridging code states. It is no SMA period and no revenue; there is
    one a renewal, which is one for each E. Only ever added (trigger).
    """

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="bridges")
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="bridges")
    paid_through = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=250)
    code = models.OneToOneField(UnlockCode, on_delete=models.PROTECT, related_name="bridge")
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    granted_on = models.DateField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["dongle", "paid_through"], name="one_bridge_a_renewal"),
            models.CheckConstraint(name="bridge_ends_after_paid_through", condition=Q(ends_on__gt=F("paid_through"))),
        )

    def __str__(self) -> str:
        return f"{self.dongle} to {self.ends_on}"
