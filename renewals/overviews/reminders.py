"""What pages show of reminders: what went out to whom, what is next, and who gets none."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Prefetch, Q, QuerySet

from portal.models import Contact, Customer, SentMail
from renewals.endings import DueReminder, mailings_due, recipients_of, reminders_coming
from renewals.models import Reminder, ReminderCopy, ReminderMailing
from renewals.reminding import Span, stage_in_words

DAYS_AHEAD = 14  # today among them
MOST_TOLD = 10  # of a customer's page


class ComingDay(NamedTuple):
    """What goes out on a day if nothing is renewed: per customer (id) the reminders; `unreached` has no contact."""

    on: date
    reminders: Mapping[int, Sequence[DueReminder]]
    unreached: frozenset[int]

    @property
    def customers(self) -> int:
        return len(self.reminders)

    @property
    def dongles(self) -> int:
        return sum(map(len, self.reminders.values()))


class ComingMailing(NamedTuple):
    """What a customer is reminded of on a day, and who gets it."""

    customer: Customer
    contacts: Sequence[Contact]
    reminders: Sequence[tuple[DueReminder, str]]


class ToldCopy(NamedTuple):
    """A contact's copy, and what became of it: `sent_at` is none until it left; `is_stuck` after a failure."""

    contact: Contact
    sent_at: datetime | None
    is_open: bool
    is_stuck: bool


class ToldMailing(NamedTuple):
    """A mailing with its copies, and its reminders, each with whether it was left out of them all."""

    mailing: ReminderMailing
    reminders: Sequence[tuple[Reminder, bool]]
    copies: Sequence[ToldCopy]


class UnreachedCustomer(NamedTuple):
    """A customer with nobody to remind: how many contacts have stopped reminders, and what they miss from when on."""

    customer: Customer
    stopped: int
    first_on: date
    dongles: int


def coming_days(today: date) -> Sequence[ComingDay]:
    """Today, with what is not posted yet, and the days after it."""
    days: dict[date, dict[int, list[DueReminder]]] = {
        today + timedelta(days=ahead): defaultdict(list) for ahead in range(DAYS_AHEAD)
    }
    span = Span(today + timedelta(days=1), max(days))
    due = [each for mailing in mailings_due(today) for each in mailing.reminders]
    for each in [*due, *reminders_coming(span)]:
        days[each.on][each.ending.customer_id].append(each)
    customers = {customer for reminders in days.values() for customer in reminders}
    unreached = customers - recipients_of(customers).keys()
    return [ComingDay(on, reminders, frozenset(unreached & reminders.keys())) for on, reminders in days.items()]


def coming_mailings(day: ComingDay, customers: Sequence[Customer]) -> Sequence[ComingMailing]:
    """What some customers are reminded of on a day."""
    contacts = recipients_of([customer.pk for customer in customers])
    return [
        ComingMailing(
            customer,
            contacts.get(customer.pk, ()),
            [(each, stage_in_words(each.stage)) for each in day.reminders[customer.pk]],
        )
        for customer in customers
    ]


def unreached_customers(days: Sequence[ComingDay]) -> Sequence[UnreachedCustomer]:
    """The customers whom nobody can be written to about what is coming, the soonest first."""
    missed: dict[int, list[DueReminder]] = defaultdict(list)
    for day in days:
        for customer in sorted(day.unreached):
            missed[customer] += day.reminders[customer]
    has_stopped = Q(contacts__left_on__isnull=True, contacts__reminders_stopped_at__isnull=False)
    customers = Customer.objects.annotate(stopped=Count("contacts", filter=has_stopped)).in_bulk(missed)
    return [
        UnreachedCustomer(
            customers[pk],
            customers[pk].stopped,
            reminders[0].on,
            len({each.ending.dongle_id for each in reminders}),
        )
        for pk, reminders in missed.items()
    ]


def contacts_who_stopped() -> QuerySet[Contact]:
    """The contacts who want no reminders, the latest first."""
    stopped = Contact.objects.filter(reminders_stopped_at__isnull=False).select_related("customer")
    return stopped.order_by("-reminders_stopped_at", "-pk")


def mailings_newest_first() -> QuerySet[ReminderMailing]:
    """The mailings with all that is told of them."""
    mails = SentMail.objects.defer("text", "html")
    copies = ReminderCopy.objects.select_related("contact", "message").prefetch_related(
        Prefetch("message__mail", mails)
    )
    return (
        ReminderMailing.objects.select_related("customer")
        .prefetch_related(Prefetch("copies", copies), Prefetch("reminders", Reminder.objects.select_related("dongle")))
        .order_by("-pk")
    )


def told_mailings(mailings: Iterable[ReminderMailing]) -> Sequence[ToldMailing]:
    """The mailings with what became of them."""
    return [_told(mailing) for mailing in mailings]


def _told(mailing: ReminderMailing) -> ToldMailing:
    copies = [_told_copy(copy) for copy in mailing.copies.all()]
    sent = [copy.sent_at for copy in copies if copy.sent_at]
    reminders = [(each, _is_left_out(each, sent)) for each in mailing.reminders.all()]
    return ToldMailing(mailing, reminders, copies)


def _is_left_out(reminder: Reminder, sent: Sequence[datetime]) -> bool:
    """Whether no copy that left names the reminder any more."""
    left_out_at = reminder.left_out_at
    return left_out_at is not None and not any(sent_at < left_out_at for sent_at in sent)


def _told_copy(copy: ReminderCopy) -> ToldCopy:
    message = copy.message
    mail = getattr(message, "mail", None)
    is_open = message.done_at is None
    return ToldCopy(copy.contact, mail.sent_at if mail else None, is_open, is_open and message.attempts > 0)


def customer_reminders(customer: Customer, today: date) -> dict[str, Any]:
    """What a customer's page shows: who gets reminders, what is next, and what went out."""
    contacts = list(customer.contacts.filter(left_on__isnull=True).order_by("pk"))
    days_ahead = Span(today + timedelta(days=1), today + timedelta(days=90))
    due = [each for mailing in mailings_due(today, [customer.pk]) for each in mailing.reminders]
    coming = [*due, *reminders_coming(days_ahead, [customer.pk])]
    next_on = coming[0].on if coming else None
    return {
        "reminded_contacts": contacts,
        "next_reminders_on": next_on,
        "next_reminders": [(each, stage_in_words(each.stage)) for each in coming if each.on == next_on],
        "told_mailings": told_mailings(mailings_newest_first().filter(customer=customer)[:MOST_TOLD]),
    }
