"""Renewal campaigns: drafting the quotes for every dongle that is due, and when that is to happen by itself."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from dongles.models import Dongle, ProductFamily
from portal.models import Customer, Job, User


class Campaign(models.Model):
    """A quote for each customer with dongles whose SMA ends from `starts_on` to `ends_on`, both days included.

    With `includes_lapsed` also for those that lapsed within these days. `family`, `owner`, `country` and
    `currency` narrow it.
    `scheduled_on` is the day on which it was to begin by itself, if it did: there is one a day. `had_quote` is how many
    dongles were asked for already when it began; its items are the others.
    """

    starts_on = models.DateField()
    ends_on = models.DateField()
    includes_lapsed = models.BooleanField(default=False)
    renew_years = models.PositiveSmallIntegerField(default=1)
    family = models.ForeignKey(ProductFamily, null=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    scheduled_on = models.DateField(null=True, unique=True)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="campaign")
    had_quote = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(name="campaign_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"C-{self.pk:06d}"


class CampaignItem(models.Model):
    """A dongle that was due without a quote when its campaign began, and what came of it.

    Left out is what can't be priced, with the refusal; passed over is what somebody else has asked for meanwhile, or
    what is not due any more.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DRAFTED = "drafted", "In a draft"
        LEFT_OUT = "left_out", "Left out"
        PASSED_OVER = "passed_over", "Passed over"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="items")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.WAITING)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal = models.TextField(blank=True)

    class Meta:
        ordering = ("customer_id", "dongle_id")
        constraints = (models.UniqueConstraint(fields=["campaign", "dongle"], name="dongle_once_a_campaign"),)
        indexes = (models.Index(fields=["campaign", "outcome", "customer", "dongle"], name="campaign_items_to_do"),)

    def __str__(self) -> str:
        return f"{self.dongle} in {self.campaign}"


class CampaignSchedule(models.Model):
    """When a campaign begins by itself: on a day of every month, for the SMAs that end in the days after it.

    There is one row at most. It holds from the day after `kept_at` on, on behalf of who kept it.
    """

    is_on = models.BooleanField("begin one every month", default=False)
    day_of_month = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(28)])
    days_ahead = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(1), MaxValueValidator(366)])
    renew_years = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    kept_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    kept_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="one_campaign_schedule", condition=Q(pk=1)),
            models.CheckConstraint(name="campaign_day_is_in_every_month", condition=Q(day_of_month__range=(1, 28))),
        )

    def __str__(self) -> str:
        return f"Campaigns on day {self.day_of_month}" if self.is_on else "No campaigns by themselves"
