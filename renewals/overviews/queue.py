"""The work queue: what waits for somebody, the most urgent first. A fixed number of queries a kind."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from dongles.models import Dongle, UnlockCode
from portal.access import is_able
from portal.models import OutboxMessage, User
from portal.wording import write_day
from renewals.models import Order, QuoteQuestion, QuoteVersion, RenewalRequest
from renewals.overviews.lists import has_quote_on_its_way, newest_versions, versions_with_quote
from renewals.overviews.requests import dongles_in_short, standing_in_short
from renewals.states import OrderState, QuoteState, RequestState

MOST_OF_A_KIND = 50
MOST_DUE = 20
EXPIRING_WITHIN = timedelta(days=7)
EXPIRED_WITHIN = timedelta(days=14)
UNCONFIRMED_AFTER = timedelta(days=3)
DUE_WITHIN = timedelta(days=30)

# The kinds in the order of their weight, with their names for people.
KINDS = {
    "mail": "Mails that did not leave",
    "request": "Requests for a quote",
    "question": "Questions about a quote",
    "approval": "Approvals",
    "expiring": "Quotes that run out",
    "order": "Orders that wait for payment",
    "draft": "Drafts",
    "code": "Codes not confirmed",
    "due": "SMAs that end",
}


class QueueItem(NamedTuple):
    """Something that waits: what, for whom, since when, by when, and the next action with its address."""

    kind: str
    what: str
    about: str
    customer: str
    customer_id: int | None
    since: datetime | date
    due_on: date | None
    amount: int | None
    currency: str
    action: str
    address: str
    needs_me: bool

    @property
    def since_on(self) -> date:
        return timezone.localdate(self.since) if isinstance(self.since, datetime) else self.since


class Queue(NamedTuple):
    """The items in two parts, the number of each kind, and the kinds (by name) of which not all are shown."""

    mine: Sequence[QueueItem]
    others: Sequence[QueueItem]
    counts: dict[str, int]
    more: Sequence[str]


def work_queue(user: User, today: date, *, kind: str = "") -> Queue:
    """What waits on that day, for the user first; of one kind only, if named."""
    found = {name: read(user, today) for name, read in READS.items()}
    items = [item for name, its in found.items() if not kind or name == kind for item in its[: limit_of(name)]]
    weight = {name: index for index, name in enumerate(KINDS)}
    items.sort(key=lambda item: (item.due_on or item.since_on, weight[item.kind], item.about))
    return Queue(
        [item for item in items if item.needs_me],
        [item for item in items if not item.needs_me],
        {name: len(its) for name, its in found.items()},
        [KINDS[name] for name, its in found.items() if len(its) > limit_of(name)],
    )


def limit_of(kind: str) -> int:
    return MOST_DUE if kind == "due" else MOST_OF_A_KIND


def _is_mine(user: User, owner_id: int | None, drafter_id: int | None = None) -> bool:
    return user.pk in (owner_id, drafter_id)


def _quote_address(version: QuoteVersion) -> str:
    return reverse("renewals:quote_version", args=[version.quote_id, version.number])


def _requests(user: User, today: date) -> list[QueueItem]:
    requests = RenewalRequest.objects.filter(state=RequestState.OPEN).select_related("dongle__customer", "quote")
    items = []
    for request in requests.prefetch_related("dongles").order_by("received_at")[: MOST_OF_A_KIND + 1]:
        standing = standing_in_short(request)
        customer = request.dongle.customer if request.dongle else None
        owner_id = customer.owner_id if customer else None
        items.append(
            QueueItem(
                "request",
                f"{request.name} asks for a quote" + (f": {standing}" if standing else ""),
                f"{request.number}, {dongles_in_short(request)}",
                customer.name if customer else request.organisation or "Nobody on record has this serial number",
                customer.pk if customer else None,
                request.received_at,
                None,
                None,
                "",
                "Send the quote" if request.quote else "Answer it",
                reverse("renewals:request", args=[request.pk]),
                is_able(user, "sell") and owner_id in (None, user.pk),
            )
        )
    return items


def _questions(user: User, today: date) -> list[QueueItem]:
    asked = QuoteQuestion.objects.filter(answered_at__isnull=True).select_related("version__quote__customer")
    items = []
    for question in asked.order_by("asked_at")[: MOST_OF_A_KIND + 1]:
        version = question.version
        owner_id = version.quote.customer.owner_id
        items.append(
            QueueItem(
                "question",
                f"{question.name} asks about a quote",
                f"{version.quote.number} version {version.number}",
                version.quote.customer.name,
                version.quote.customer_id,
                question.asked_at,
                None,
                version.total,
                version.currency,
                "Answer it",
                _quote_address(version) + "#questions",
                is_able(user, "sell") and owner_id in (None, user.pk),
            )
        )
    return items


def _approvals(user: User, today: date) -> list[QueueItem]:
    """Drafts of today: one of an earlier day is priced again before anybody can decide on it (`_drafts`)."""
    waiting = versions_with_quote().filter(
        state=QuoteState.DRAFT, needs_approval=True, approved_by__isnull=True, priced_on=today
    )
    items = []
    for version in waiting.order_by("priced_on", "pk")[: MOST_OF_A_KIND + 1]:
        limit = Decimal(version.policy.discount_limits.get(user.role, "0"))
        may = is_able(user, "sell") and user.pk != version.drafted_by_id and version.discount <= limit
        who = version.drafted_by or "The portal"
        what = f"{who} wants approval" if may else "Waits for somebody’s approval"
        items.append(
            _of_version("approval", what, version, version.priced_on, None, "Decide" if may else "Look at it", may)
        )
    return items


def _drafts(user: User, today: date) -> list[QueueItem]:
    drafts = versions_with_quote().filter(state=QuoteState.DRAFT)
    drafts = drafts.exclude(needs_approval=True, approved_by__isnull=True, priced_on=today)
    items = []
    for version in drafts.order_by("priced_on", "pk")[: MOST_OF_A_KIND + 1]:
        is_outdated = version.priced_on != today
        what = f"Draft of {write_day(version.priced_on)}, to be priced again" if is_outdated else "Draft, not sent yet"
        mine = _is_mine(user, version.quote.customer.owner_id, version.drafted_by_id)
        action = "Price it again" if is_outdated else "Send it"
        items.append(_of_version("draft", what, version, version.priced_on, None, action, mine))
    return items


def _expiring(user: User, today: date) -> list[QueueItem]:
    sent = newest_versions().filter(
        state=QuoteState.SENT, valid_until__range=(today - EXPIRED_WITHIN, today + EXPIRING_WITHIN)
    )
    items = []
    for version in sent.order_by("valid_until", "pk")[: MOST_OF_A_KIND + 1]:
        assert version.valid_until is not None
        is_over = version.valid_until < today
        mine = _is_mine(user, version.quote.customer.owner_id, version.drafted_by_id) and is_able(user, "sell")
        what = "Quote ran out" if is_over else "Quote runs out"
        action = "Offer it again" if is_over else "Ask the customer"
        items.append(_of_version("expiring", what, version, version.priced_on, version.valid_until, action, mine))
    return items


def _of_version(
    kind: str, what: str, version: QuoteVersion, since: date, due_on: date | None, action: str, needs_me: bool
) -> QueueItem:
    return QueueItem(
        kind,
        what,
        f"{version.quote.number} version {version.number}",
        version.quote.customer.name,
        version.quote.customer_id,
        since,
        due_on,
        version.total,
        version.currency,
        action,
        _quote_address(version),
        needs_me,
    )


def _orders(user: User, today: date) -> list[QueueItem]:
    waiting = Order.objects.filter(state=OrderState.ACCEPTED).select_related("customer", "version")
    may_settle = is_able(user, "settle")
    return [
        QueueItem(
            "order",
            "Ordered, to be paid first",
            order.number,
            order.customer.name,
            order.customer_id,
            order.accepted_on,
            None,
            order.version.total,
            order.version.currency,
            "Record the payment" if may_settle else "Look at it",
            reverse("renewals:order", args=[order.pk]),
            may_settle,
        )
        for order in waiting.order_by("accepted_on", "pk")[: MOST_OF_A_KIND + 1]
    ]


def _codes(user: User, today: date) -> list[QueueItem]:
    newest = (
        UnlockCode.objects.filter(
            generation=F("dongle__generation"),
            sequence=F("dongle__sequence"),
            receipt__isnull=True,
            dongle__state=Dongle.State.ACTIVE,
            issued_on__lt=today - UNCONFIRMED_AFTER,
        )
        .select_related("dongle__customer")
        .defer("letters")
    )
    return [
        QueueItem(
            "code",
            "The dongle’s receipt has not come",
            f"Code {code}",
            code.dongle.customer.name if code.dongle.customer else "",
            code.dongle.customer_id,
            code.issued_at,
            None,
            None,
            "",
            "Ask for the receipt",
            reverse("dongles:code", args=[code.pk]),
            is_able(user, "sell") and code.dongle.customer is not None and code.dongle.customer.owner_id == user.pk,
        )
        for code in newest.select_related("dongle__customer")
        .defer("letters")
        .order_by("issued_at")[: MOST_OF_A_KIND + 1]
    ]


def _mails(user: User, today: date) -> list[QueueItem]:
    stuck = OutboxMessage.objects.filter(
        kind__in=["quote_sent", "question_asked", "code_issued", "bridge_issued"], done_at__isnull=True, attempts__gt=0
    ).order_by("created_at")
    messages = list(stuck[: MOST_OF_A_KIND + 1])
    versions = versions_with_quote().in_bulk(
        {each.payload["version"] for each in messages if "version" in each.payload}
    )
    orders = Order.objects.select_related("customer").in_bulk(
        {each.payload["order"] for each in messages if "order" in each.payload}
    )
    items = []
    for message in messages:
        version, order = versions.get(message.payload.get("version")), orders.get(message.payload.get("order"))
        customer = version.quote.customer if version else order.customer if order else None
        address = _quote_address(version) if version else reverse("renewals:order", args=[order.pk]) if order else ""
        items.append(
            QueueItem(
                "mail",
                "The mail server has not taken the mail; the portal goes on trying",
                version.quote.number if version else order.number if order else "",
                customer.name if customer else "",
                customer.pk if customer else None,
                message.created_at,
                None,
                None,
                "",
                "Look at it",
                address,
                customer is not None and customer.owner_id == user.pk,
            )
        )
    return items


def _due(user: User, today: date) -> list[QueueItem]:
    """Dongles whose date ends soon, of the user's customers or of nobody's, with no quote on its way."""
    ending: QuerySet[Dongle] = Dongle.objects.filter(
        Q(customer__owner=user) | Q(customer__owner__isnull=True),
        state=Dongle.State.ACTIVE,
        customer__isnull=False,
        issued_expiry_on__range=(today, today + DUE_WITHIN),
    ).exclude(has_quote_on_its_way(today))
    if not is_able(user, "sell"):
        return []
    return [
        QueueItem(
            "due",
            "SMA ends",
            f"Dongle {dongle.serial}",
            dongle.customer.name if dongle.customer else "",
            dongle.customer_id,
            today,
            dongle.issued_expiry_on,
            None,
            "",
            "Make a quote",
            reverse("renewals:quote_builder", args=[dongle.serial]),
            dongle.customer is not None and dongle.customer.owner_id == user.pk,
        )
        for dongle in ending.select_related("customer").order_by("issued_expiry_on", "serial")[: MOST_DUE + 1]
        if dongle.issued_expiry_on
    ]


READS: dict[str, Any] = {
    "mail": _mails,
    "request": _requests,
    "question": _questions,
    "approval": _approvals,
    "expiring": _expiring,
    "order": _orders,
    "draft": _drafts,
    "code": _codes,
    "due": _due,
}
