"""Renewal campaigns: a quote for each customer with dongles that are due and that no quote asks for.

What is due is noted once, as items. Then slice after slice drafts for the next customers (portal/jobs.py): each is one
transaction under the lock of its dongles, and looks anew at what is due and asked for. So a dongle is drafted for once,
whatever runs beside it and wherever it is killed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from dongles import coverage
from dongles import services as dongle_services
from dongles.models import Dongle
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.jobs import start_job
from portal.models import Customer
from portal.wording import count, write_day
from renewals import queries
from renewals.facts import PricingFacts
from renewals.models import Campaign, CampaignItem, CampaignSchedule, QuoteDongle
from renewals.overviews.due import DUE, Window, due_parameters, first_due_on
from renewals.queries import DongleRequest, PricedQuote
from renewals.services.catalogue import hold_terms
from renewals.services.quotes import draft_quotes
from renewals.states import OrderState, QuoteState

JOB = "campaign"
SLICE = 200  # dongles that are drafted for in one transaction, and the rest of the last one's customer
Outcome = CampaignItem.Outcome


@transaction.atomic
def start_campaign(
    *, window: Window, renew_years: int, actor: Actor, at: datetime, scheduled_on: date | None = None
) -> Campaign:
    """Ask for a campaign; its job notes what is due and drafts.

    Refuses `not_allowed`, `window_ends_early` and `years_out_of_range`.
    """
    check_ability(actor, "sell")
    check_terms(window, renew_years, timezone.localdate(at))
    job = start_job(
        kind=JOB,
        title=f"Draft quotes for SMAs ending {write_day(window.starts_on)} – {write_day(window.ends_on)}",
        unit="dongle",
        actor=actor,
        at=at,
    )
    campaign = Campaign.objects.create(
        starts_on=window.starts_on,
        ends_on=window.ends_on,
        includes_lapsed=window.includes_lapsed,
        family_id=window.family,
        owner_id=window.owner,
        country=window.country,
        currency=window.currency,
        renew_years=renew_years,
        asked_by_id=actor.user_id,
        asked_at=at,
        scheduled_on=scheduled_on,
        job=job,
    )
    asked = {"starts_on": str(window.starts_on), "ends_on": str(window.ends_on), "renew_years": renew_years}
    audit.record(actor, at, Deed("start", campaign, after=asked))
    return campaign


def check_terms(window: Window, renew_years: int, today: date) -> None:
    """Refuse what no campaign can be asked: `window_ends_early`, and `years_out_of_range` as of today's policy."""
    if window.ends_on < window.starts_on:
        raise DomainError("window_ends_early", "The last day lies before the first.", {"field": "ends_on"})
    most = queries.policy_on(today).max_years
    if not 1 <= renew_years <= most:
        raise DomainError(
            "years_out_of_range", f"A renewal is for 1 to {count(most, 'year')}.", {"field": "renew_years"}
        )


def actor_of(campaign: Campaign) -> Actor:
    """Who drafts and sends: whoever asked for the campaign, in its name. Whether they may was checked then."""
    return Actor("Renewal campaign", campaign.asked_by_id)


@transaction.atomic
def note_due(*, campaign: Campaign, at: datetime) -> int:
    """Note each dongle that is due and that no quote asks for as an item, and return how many there are."""
    asked = {**due_parameters(window_of(campaign), timezone.localdate(at)), "campaign": campaign.pk}
    with connection.cursor() as cursor:
        cursor.execute(DUE + NOTE, asked)
        noted, campaign.had_quote = cursor.fetchone()
    campaign.save(update_fields=["had_quote"])
    return int(noted)


NOTE = """, noted AS (
    INSERT INTO renewals_campaignitem (campaign_id, customer_id, dongle_id, outcome, refusal_code, refusal)
    SELECT %(campaign)s, customer_id, dongle_id, 'waiting', '', '' FROM due WHERE NOT is_asked_for
    RETURNING 1
)
SELECT (SELECT count(*) FROM noted), (SELECT count(*) FROM due WHERE is_asked_for)"""


def window_of(campaign: Campaign) -> Window:
    return Window(
        campaign.starts_on,
        campaign.ends_on,
        campaign.includes_lapsed,
        campaign.family_id,
        campaign.owner_id,
        campaign.country,
        campaign.currency,
    )


@transaction.atomic
def draft_next(*, campaign: Campaign, actor: Actor, at: datetime) -> int:
    """Draft for the customers that come next, as of today, and return the number of dongles gone through, 0 at the end.

    A dongle that can't be priced is left out with its refusal, the customer's others go on. The number of statements
    does not grow with customers and dongles.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    items = _next_items(campaign)
    if not items:
        return 0
    today = timezone.localdate(at)
    hold_terms()
    # Whoever has drafted for a dongle holds its row by the foreign key until the commit, another campaign by this lock:
    # what is read after it shows their drafts.
    dongles = dongle_services.lock_dongles(item.dongle_id for item in items)
    asked_for = _asked_for(dongles, today)
    to_do: dict[int, list[CampaignItem]] = defaultdict(list)
    for item in items:
        dongle = dongles[item.dongle_id]
        if dongle.pk in asked_for:
            _pass_over(item, "Somebody has made a quote for it meanwhile.")
        elif dongle.state != Dongle.State.ACTIVE or dongle.customer_id != item.customer_id:
            _pass_over(item, "It is lost, retired or somebody else’s by now.")
        else:
            to_do[item.customer_id].append(item)
    priced = _price(campaign, to_do, dongles, today) if to_do else []
    draft_quotes(priced=priced, campaign=campaign, actor=actor, at=at)
    drafted = [item.pk for item in items if item.outcome == Outcome.DRAFTED]
    CampaignItem.objects.filter(pk__in=drafted).update(outcome=Outcome.DRAFTED)
    others = [item for item in items if item.outcome != Outcome.DRAFTED]
    CampaignItem.objects.bulk_update(others, ["outcome", "refusal_code", "refusal"])
    return len(items)


def _next_items(campaign: Campaign) -> list[CampaignItem]:
    """The items of the next customers, all of each."""
    waiting = campaign.items.filter(outcome=Outcome.WAITING).order_by("customer_id", "dongle_id")
    last = waiting[SLICE - 1 : SLICE].values_list("customer_id", flat=True).first()
    return list(waiting if last is None else waiting.filter(customer_id__lte=last))


def _asked_for(dongles: Iterable[int], today: date) -> set[int]:
    """The dongles (ids) among these that a draft asks for, or a sent quote that holds, or an order that waits."""
    open_ones = (
        Q(version__state=QuoteState.DRAFT)
        | Q(version__state=QuoteState.SENT, version__valid_until__gte=today)
        | Q(version__order__state=OrderState.ACCEPTED)
    )
    return set(QuoteDongle.objects.filter(open_ones, dongle__in=list(dongles)).values_list("dongle_id", flat=True))


def _pass_over(item: CampaignItem, why: str) -> None:
    item.outcome, item.refusal = Outcome.PASSED_OVER, why


def _price(
    campaign: Campaign, to_do: Mapping[int, Sequence[CampaignItem]], dongles: Mapping[int, Dongle], today: date
) -> list[PricedQuote]:
    """A quote for each customer with what is still due and can be priced; the items get their outcome."""
    customers = Customer.objects.in_bulk(list(to_do))
    asked = {
        customers[key]: [DongleRequest(dongles[item.dongle_id], campaign.renew_years) for item in items]
        for key, items in to_do.items()
    }
    facts, first_on = queries.facts_of_all(asked, since=today), first_due_on(today)
    priced = []
    for customer, requests in asked.items():
        due = {
            each.dongle.pk: each for each in requests if _is_due(campaign, facts[customer.pk], each.dongle, first_on)
        }
        quote, refusals = _price_together(facts[customer.pk], list(due.values()), today)
        for item in to_do[customer.pk]:
            if refusal := refusals.get(item.dongle_id):
                item.outcome, item.refusal_code, item.refusal = Outcome.LEFT_OUT, refusal.code, refusal.message
            elif item.dongle_id in due:
                item.outcome = Outcome.DRAFTED
            else:
                _pass_over(item, "Its SMA does not end within these days any more.")
        if quote is not None:
            priced.append(quote)
    return priced


def _is_due(campaign: Campaign, facts: PricingFacts, dongle: Dongle, first_on: date) -> bool:
    """C4, as the statement has it that noted the dongle."""
    through = max((coverage.covered_through(covered) for _, covered in facts.carried[dongle.pk]), default=None)
    return (
        through is not None
        and campaign.starts_on <= through <= campaign.ends_on
        and (campaign.includes_lapsed or through >= first_on)
    )


def _price_together(
    facts: PricingFacts, requests: Sequence[DongleRequest], today: date
) -> tuple[PricedQuote | None, dict[int, DomainError]]:
    """The quote for all that can be priced, none where nothing can; and the refusals by dongle (id)."""
    try:
        return queries.price_on(facts, requests, on=today) if requests else None, {}
    except DomainError:
        pass
    refusals = {}
    for request in requests:
        try:
            queries.price_on(facts, [request], on=today)
        except DomainError as refusal:
            refusals[request.dongle.pk] = refusal
    rest = [request for request in requests if request.dongle.pk not in refusals]
    return queries.price_on(facts, rest, on=today) if rest else None, refusals


@transaction.atomic
def keep_schedule(
    *, is_on: bool, day_of_month: int, days_ahead: int, renew_years: int, actor: Actor, at: datetime
) -> CampaignSchedule:
    """Say when campaigns begin by themselves, from tomorrow on. Refuses `not_allowed` and `years_out_of_range`."""
    check_ability(actor, "sell")
    today = timezone.localdate(at)
    check_terms(_window_ahead(today, days_ahead), renew_years, today)
    kept = {"is_on": is_on, "day_of_month": day_of_month, "days_ahead": days_ahead, "renew_years": renew_years}
    before = CampaignSchedule.objects.select_for_update().values(*kept).first()
    schedule, _ = CampaignSchedule.objects.update_or_create(
        pk=1, defaults={**kept, "kept_by_id": actor.user_id, "kept_at": at}
    )
    audit.record(actor, at, Deed("schedule", schedule, before or {}, kept))
    return schedule


@transaction.atomic
def begin_scheduled_campaign(*, at: datetime) -> Campaign | None:
    """Begin the campaign of the month, on its day or later where it could not then; once, however often it is asked."""
    today = timezone.localdate(at)
    schedule = CampaignSchedule.objects.select_for_update().filter(is_on=True).first()
    if schedule is None:
        return None
    day = today.replace(day=schedule.day_of_month)
    is_over = Campaign.objects.filter(scheduled_on=day).exists()
    if is_over or not timezone.localdate(schedule.kept_at) < day <= today:
        return None
    return start_campaign(
        window=_window_ahead(today, schedule.days_ahead),
        renew_years=schedule.renew_years,
        actor=Actor("Schedule of campaigns", schedule.kept_by_id),
        at=at,
        scheduled_on=day,
    )


def _window_ahead(today: date, days: int) -> Window:
    return Window(first_due_on(today), today + timedelta(days=days))
