"""Requests for a quote, however they came in."""

from django.db import models
from django.db.models import Q

from dongles.models import Dongle
from portal.models import User
from renewals import states
from renewals.models.quotes import Quote


class RenewalRequest(models.Model):
    """Somebody asks for a quote with contact details and serial numbers (rule Q5); a quote answers it.

    `serial` is what was given, several with commas; `wanted` what is asked for, as the public page has it:
    `renew_years` (or none) and `added` licences (`product`, `seats`, `serial`). `dongle` is the one that sales goes on
    with, if one is on record. A request of the public page (`is_public`) is first looked up by the portal
    (`looked_up_at`), which quotes at once what it may. It is answered when a version of its quote is sent, or closed
    with a reason.
    """

    serial = models.CharField(max_length=4200)
    dongle = models.ForeignKey(Dongle, null=True, on_delete=models.PROTECT, related_name="requests")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    telephone = models.CharField(max_length=40, blank=True)
    organisation = models.CharField(max_length=200, blank=True)
    wanted = models.JSONField(default=dict)
    message = models.TextField(blank=True, max_length=2000)
    state = models.CharField(max_length=20, choices=states.RequestState.choices(), default=states.RequestState.OPEN)
    quote = models.ForeignKey(Quote, null=True, on_delete=models.PROTECT, related_name="requests")
    received_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    is_public = models.BooleanField(default=False)
    looked_up_at = models.DateTimeField(null=True)

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


class RequestedDongle(models.Model):
    """A serial number of a request, as it was given, and what came of it.

    `dongle` is the one on record with it. `quote` was sent at once; where none was, `finding` (a code) and `diagnosis`
    say why, as it was when the portal looked.
    """

    request = models.ForeignKey(RenewalRequest, on_delete=models.PROTECT, related_name="dongles")
    serial = models.CharField(max_length=80)
    dongle = models.ForeignKey(Dongle, null=True, on_delete=models.PROTECT, related_name="+")
    quote = models.ForeignKey(Quote, null=True, on_delete=models.PROTECT, related_name="+")
    finding = models.CharField(max_length=60, blank=True)
    diagnosis = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.serial
