"""Reminders of SMAs that end: posting what is due, delivering it, and who wants none."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal import audit, outbox
from portal.access import check_keeps_contacts
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Contact, Customer, OutboxMessage
from portal.wording import count
from renewals import notices
from renewals.endings import DueMailing, customers_after, mailings_due, recipients_of, reminders_standing
from renewals.models import Reminder, ReminderCopy, ReminderMailing

REMINDERS = Actor("Reminders")
BATCH = 200  # customers


class Posted(NamedTuple):
    """What a run has posted: how many customers, dongles and mails; and to how many customers nobody could write."""

    customers: int = 0
    dongles: int = 0
    mails: int = 0
    unreached: int = 0

    def in_words(self) -> str:
        return (
            f"{count(self.mails, 'mail')} to {count(self.customers, 'customer')} about"
            f" {count(self.dongles, 'dongle')}; nobody to write to at {count(self.unreached, 'customer')}."
        )


def post_reminders(*, actor: Actor, at: datetime, batch: int = BATCH) -> Posted:
    """Post the reminders that are due to all customers, so many customers a transaction.

    What a run that was killed has left the next one does; runs at once and runs again post nothing twice. Refuses
    `reminders_off`.
    """
    if not settings.REMINDERS:
        raise DomainError("reminders_off", "Reminders are switched off (PORTAL_REMINDERS).")
    posted, last = Posted(), 0
    while (done := _post_batch(last, batch, actor, at)) is not None:
        last, more = done
        posted = Posted(*map(sum, zip(posted, more, strict=True)))
    return posted


@transaction.atomic
def _post_batch(after: int, batch: int, actor: Actor, at: datetime) -> tuple[int, Posted] | None:
    """Post to the next customers behind that id; the last one's id and what was posted, none where there are no more.

    Under the lock of the customers' rows it is read anew what they have been reminded of: another run may be at it.
    """
    customers = list(customers_after(after, batch).select_for_update(no_key=True).values_list("pk", flat=True))
    if not customers:
        return None
    mailings = mailings_due(timezone.localdate(at), customers)
    reached = [mailing for mailing in mailings if mailing.contacts]
    _post(reached, actor, at)
    return customers[-1], Posted(
        len(reached),
        sum(len(mailing.reminders) for mailing in reached),
        sum(len(mailing.contacts) for mailing in reached),
        len(mailings) - len(reached),
    )


def _post(mailings: Sequence[DueMailing], actor: Actor, at: datetime) -> None:
    """Write each mailing with its reminders, and a message for each contact, in six statements."""
    rows = ReminderMailing.objects.bulk_create(
        ReminderMailing(customer_id=each.customer_id, posted_on=timezone.localdate(at), posted_at=at)
        for each in mailings
    )
    Reminder.objects.bulk_create(
        Reminder(mailing=row, dongle_id=due.ending.dongle_id, ends_on=due.ending.ends_on, stage=due.stage)
        for row, each in zip(rows, mailings, strict=True)
        for due in each.reminders
    )
    copies = [
        ReminderCopy(mailing=row, contact=contact)
        for row, each in zip(rows, mailings, strict=True)
        for contact in each.contacts
    ]
    payloads = ({"mailing": copy.mailing_id, "contact": copy.contact_id} for copy in copies)
    for copy, message in zip(copies, outbox.post("reminder", payloads, at=at), strict=True):
        copy.message = message
    ReminderCopy.objects.bulk_create(copies)
    deeds = [
        Deed(
            "remind",
            Customer(pk=each.customer_id),
            after={
                "dongles": [due.ending.serial for due in each.reminders],
                "recipients": [contact.email for contact in each.contacts],
            },
        )
        for each in mailings
    ]
    audit.record(actor, at, *deeds)


def deliver_reminder(message: OutboxMessage) -> None:
    """Mail a copy of a reminder, as the outbox asks for it: as of now, whenever it was posted."""
    deliver_copy(
        ReminderCopy.objects.select_related("message", "mailing__customer__owner").get(message=message),
        at=timezone.now(),
    )


def deliver_copy(copy: ReminderCopy, *, at: datetime) -> None:
    """Mail a copy as of a moment, without what was renewed meanwhile: that is left out of all copies from now on.

    Where nothing is left, or the contact has left or wants no reminders any more, nothing is mailed.
    """
    on, mailing = timezone.localdate(at), copy.mailing
    copied = set(mailing.copies.values_list("contact", flat=True))
    reachable = recipients_of([mailing.customer_id]).get(mailing.customer_id, ())
    recipients = [contact for contact in reachable if contact.pk in copied]
    to = next((contact for contact in recipients if contact.pk == copy.contact_id), None)
    if to is None:
        return
    posted = list(mailing.reminders.filter(left_out_at__isnull=True).select_related("dongle"))
    standing = reminders_standing(posted, mailing.customer_id, on)
    gone = [reminder.pk for reminder in posted if reminder not in standing]
    if gone:
        Reminder.objects.filter(pk__in=gone, left_out_at__isnull=True).update(left_out_at=at)
    if standing:
        notices.send_reminder(
            copy.message, customer=mailing.customer, to=to, recipients=recipients, reminders=standing, on=on
        )


@transaction.atomic
def switch_reminders(*, contact: Contact, wanted: bool, actor: Actor, at: datetime) -> Contact:
    """Stop reminders to a contact, or let them have reminders again, asked by their colleagues too.

    Where it is so already, nothing happens. Refuses `not_allowed`.
    """
    contact = Contact.objects.select_for_update(of=("self",)).select_related("customer").get(pk=contact.pk)
    check_keeps_contacts(actor, contact.customer)
    before, after = contact.reminders_stopped_at, None if wanted else at
    if (before is None) == wanted:
        return contact
    contact.reminders_stopped_at = after
    contact.save(update_fields=["reminders_stopped_at"])
    deed = Deed(
        "resume_reminders" if wanted else "stop_reminders",
        contact,
        {"reminders_stopped_at": before and before.isoformat()},
        {"reminders_stopped_at": after and after.isoformat()},
    )
    audit.record(actor, at, deed)
    return contact
