"""Reminders of SMAs that end or ended."""

from django.db import models

from dongles.models import Dongle
from portal.models import Contact, Customer, OutboxMessage
from renewals.reminding import stage_in_words


class ReminderMailing(models.Model):
    """What a customer was reminded of on a day: one mailing a day at most, with a copy for each contact."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="reminder_mailings")
    posted_on = models.DateField()
    posted_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["customer", "posted_on"], name="one_reminder_mailing_a_day"),)

    def __str__(self) -> str:
        return f"{self.customer}, {self.posted_on}"


class Reminder(models.Model):
    """A dongle in a mailing: the last day of its SMA as it was then, and the stage, in days after that day.

    The same reminder is never given twice: the database refuses it. `left_out_at` is when it was found that nothing
    stands to be reminded of any more, renewed meanwhile say; copies that were not sent by then are without it.
    """

    mailing = models.ForeignKey(ReminderMailing, on_delete=models.PROTECT, related_name="reminders")
    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="reminders")
    ends_on = models.DateField()
    stage = models.SmallIntegerField()
    left_out_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("ends_on", "id")
        constraints = (models.UniqueConstraint(fields=["dongle", "ends_on", "stage"], name="the_same_reminder_once"),)

    def __str__(self) -> str:
        return f"{self.dongle}, {self.stage_in_words}"

    @property
    def stage_in_words(self) -> str:
        return stage_in_words(self.stage)


class ReminderCopy(models.Model):
    """A mailing's copy for one contact, with the message that delivers it."""

    mailing = models.ForeignKey(ReminderMailing, on_delete=models.PROTECT, related_name="copies")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="reminder_copies")
    message = models.OneToOneField(OutboxMessage, on_delete=models.PROTECT, related_name="reminder_copy")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["mailing", "contact"], name="one_copy_a_contact"),)

    def __str__(self) -> str:
        return f"{self.mailing} to {self.contact}"
