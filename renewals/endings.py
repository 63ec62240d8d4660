"""Whose SMA ends when, as far as anybody is to be reminded of it (rules C4, C6).

The end is the last day of the SMA of a dongle's licence that is covered longest, as it is on record: a bridge (Q7) is
no SMA, a withdrawn licence none of the dongle's any more, and where no licence ever had an SMA nothing ends. Left out
are dongles that are lost or retired or nobody's, those with an order that waits for its payment, and those whose newest
quote was declined after the end.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from dongles.models import Dongle, SmaPeriod
from portal.models import AuditEvent, Contact, Customer
from renewals.models import Order, QuoteVersion, Reminder, ReminderMailing
from renewals.reminding import Span, ends_with_a_stage_coming, ends_with_a_stage_due, stage_due, stages_coming
from renewals.states import OrderState, QuoteState

# Contacts to whom reminders may go.
REACHABLE = Q(left_on__isnull=True, reminders_stopped_at__isnull=True, email__gt="")


class Ending(NamedTuple):
    """A dongle with the last day of its SMA."""

    dongle_id: int
    serial: str
    customer_id: int
    ends_on: date


class DueReminder(NamedTuple):
    """A reminder that is to be given on a day."""

    on: date
    ending: Ending
    stage: int


def reminders_due(on: date, customers: Collection[int] | None = None) -> Sequence[DueReminder]:
    """What customers (ids; or all) are to be reminded of on a day and have not been, the soonest end first."""
    endings = _without_declined(_endings(ends_with_a_stage_due(on), customers), on)
    due = [DueReminder(on, ending, stage) for ending in endings if (stage := stage_due(ending.ends_on, on)) is not None]
    given = set(
        Reminder.objects.filter(dongle__in=[each.ending.dongle_id for each in due]).values_list(
            "dongle", "ends_on", "stage"
        )
    )
    return [each for each in due if (each.ending.dongle_id, each.ending.ends_on, each.stage) not in given]


def reminders_coming(span: Span, customers: Collection[int] | None = None) -> Sequence[DueReminder]:
    """What customers (ids; or all) will be reminded of within days to come if nothing is renewed, the soonest first."""
    endings = _without_declined(_endings(ends_with_a_stage_coming(span), customers), span.first)
    coming = [
        DueReminder(each.on, ending, each.stage) for ending in endings for each in stages_coming(ending.ends_on, span)
    ]
    return sorted(coming, key=lambda each: (each.on, each.ending.ends_on, each.ending.serial))


class DueMailing(NamedTuple):
    """What a customer (id) is to be reminded of on a day, and the contacts who get it, which may be none."""

    customer_id: int
    contacts: Sequence[Contact]
    reminders: Sequence[DueReminder]


def mailings_due(on: date, customers: Collection[int] | None = None) -> Sequence[DueMailing]:
    """The mailings to customers (ids; or all) that are due on a day; one that had its mailing that day has no other."""
    due: dict[int, list[DueReminder]] = defaultdict(list)
    for each in reminders_due(on, customers):
        due[each.ending.customer_id].append(each)
    had = set(ReminderMailing.objects.filter(customer__in=due, posted_on=on).values_list("customer", flat=True))
    contacts = recipients_of(due)
    return [
        DueMailing(customer, contacts.get(customer, ()), reminders)
        for customer, reminders in due.items()
        if customer not in had
    ]


def customers_after(customer_id: int, limit: int) -> QuerySet[Customer]:
    """The next customers who have dongles, in the order of their ids."""
    dongles = Dongle.objects.filter(customer=OuterRef("pk"))
    return Customer.objects.filter(Exists(dongles), pk__gt=customer_id).order_by("pk")[:limit]


def reminders_standing(reminders: Sequence[Reminder], customer_id: int, on: date) -> Sequence[Reminder]:
    """Of reminders that were posted to a customer those that are true still, and that no later one follows."""
    spans = [Span(reminder.ends_on, reminder.ends_on) for reminder in reminders]
    dongles = [reminder.dongle_id for reminder in reminders]
    endings = _without_declined(_endings(spans, [customer_id], dongles), on)
    ends = {ending.dongle_id: ending.ends_on for ending in endings}
    newest = dict(
        Reminder.objects.filter(dongle__in=dongles)
        .values("dongle")
        .annotate(newest=Max("pk"))
        .values_list("dongle", "newest")
    )
    return [
        reminder
        for reminder in reminders
        if reminder.left_out_at is None
        and ends.get(reminder.dongle_id) == reminder.ends_on
        and newest[reminder.dongle_id] == reminder.pk
    ]


def recipients_of(customers: Collection[int]) -> Mapping[int, Sequence[Contact]]:
    """Per customer (id) the contacts who get reminders: who have not left and have not stopped them."""
    contacts: dict[int, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.filter(REACHABLE, customer__in=customers).order_by("pk"):
        contacts[contact.customer_id].append(contact)
    return contacts


def _endings(
    spans: Sequence[Span], customers: Collection[int] | None = None, dongles: Collection[int] | None = None
) -> Sequence[Ending]:
    """The dongles, of these customers or among these (ids), whose SMA ends within the spans."""
    within = Q()
    for span in spans:
        within |= Q(ends_on__range=span)
    ordered = Order.objects.filter(
        state=OrderState.ACCEPTED, version__dongles__dongle=OuterRef("pk"), version__dongles__replacement={}
    )
    found = Dongle.objects.filter(~Exists(ordered), state=Dongle.State.ACTIVE, customer__isnull=False)
    if customers is not None:
        found = found.filter(customer__in=customers)
    else:  # of all customers: first whoever has any period that ends within, of a hundred thousand dongles a few
        found = found.filter(pk__in=SmaPeriod.objects.filter(within, is_cancelled=False).values("licence__dongle"))
    if dongles is not None:
        found = found.filter(pk__in=dongles)
    standing = Q(licences__withdrawn_on__isnull=True, licences__periods__is_cancelled=False)
    found = found.annotate(ends_on=Max("licences__periods__ends_on", filter=standing)).filter(within)
    return [
        Ending(*row) for row in found.order_by("ends_on", "serial").values_list("pk", "serial", "customer", "ends_on")
    ]


def _without_declined(endings: Sequence[Ending], on: date) -> Sequence[Ending]:
    """Without those that are over on the day and whose newest sent quote was declined after the end."""
    declined = _declined_on([ending.dongle_id for ending in endings if ending.ends_on < on])
    return [
        ending for ending in endings if ending.dongle_id not in declined or declined[ending.dongle_id] <= ending.ends_on
    ]


def _declined_on(dongles: Sequence[int]) -> Mapping[int, date]:
    """When the newest quote that was sent for a dongle was declined, if it was."""
    newest = (
        QuoteVersion.objects.filter(dongles__dongle__in=dongles, dongles__replacement={}, valid_until__isnull=False)
        .order_by("dongles__dongle", "-quote_id", "-number")
        .distinct("dongles__dongle")
        .values_list("dongles__dongle", "pk", "state")
    )
    declined = {dongle: version for dongle, version, state in newest if state == QuoteState.DECLINED}
    events = AuditEvent.objects.filter(
        subject_kind=QuoteVersion._meta.model_name, subject_id__in=declined.values(), action="decline"
    )
    days = {version: timezone.localdate(at) for version, at in events.values_list("subject_id", "at")}
    return {dongle: days[version] for dongle, version in declined.items()}
