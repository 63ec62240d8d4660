"""Requests for a quote, however they came in."""

from django.db import models
from django.db.models import Q

from dongles.models import Dongle
from portal.models import User
from renewals import states
from renewals.models.quotes import Quote


class RenewalRequest(models.Model):
    """Somebody asks for a quote with contact details and a serial number (rule Q5); sales answers with a quote.

    `serial` is kept as it was given; `dongle` is the one on record with it, if there is one. It is answered when a
    version of its quote is sent, or closed with a reason.
    """

    serial = models.CharField(max_length=80)
    dongle = models.ForeignKey(Dongle, null=True, on_delete=models.PROTECT, related_name="requests")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    telephone = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True, max_length=2000)
    state = models.CharField(max_length=20, choices=states.RequestState.choices(), default=states.RequestState.OPEN)
    quote = models.ForeignKey(Quote, null=True, on_delete=models.PROTECT, related_name="requests")
    received_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["received_at"], name="requests_open", condition=Q(state="open")),)
        constraints = (
            models.CheckConstraint(
                name="answered_requests_have_a_quote", condition=~Q(state="answered") | Q(quote__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"R-{self.pk:06d}"

    @property
    def number(self) -> str:
        return str(self)
