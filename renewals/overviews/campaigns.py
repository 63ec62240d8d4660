"""What pages show of campaigns: what came of each, its quotes, and what it left out with what helps."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from portal.models import Contact, Job
from renewals.models import Campaign, CampaignItem, CampaignSchedule, QuoteVersion
from renewals.overviews.lists import newest_versions
from renewals.states import QuoteState

Outcome = CampaignItem.Outcome

# What helps where a dongle was left out; a campaign asked for again then drafts for it.
HELP = {
    "no_price": "Put the product on the price list of the customer’s currency and segment.",
    "no_price_list": "Make a price list for the customer’s currency and segment.",
    "upgrade_not_above_sma": "Mend the price list: an upgrade costs more than the SMA that it includes.",
    "too_far_ahead": "It is paid for far ahead: nothing is to be done yet.",
    "nothing_to_buy": "Everything on it is covered through that day: nothing is to be done yet.",
    "no_policy": "Make policy settings that are valid today.",
}
HELP_ELSE = "Look at the dongle: what its licences are has to be put right first."


class Came(NamedTuple):
    """What came of a campaign: how many dongles with each outcome, and how many quotes."""

    drafted: int
    left_out: int
    passed_over: int
    waiting: int
    quotes: int


class Total(NamedTuple):
    """How many of a campaign's quotes are in a state, in one currency, and what they come to (minor units)."""

    state: str
    currency: str
    quotes: int
    total: int


class Cause(NamedTuple):
    """Why dongles were left out: the refusal's code, how many, and what helps."""

    code: str
    dongles: int
    help: str


class CampaignOverview(NamedTuple):
    """A campaign with what came of it."""

    campaign: Campaign
    came: Came
    totals: Sequence[Total]
    drafts: int
    causes: Sequence[Cause]
    sending: Job | None


def campaigns_newest_first() -> QuerySet[Campaign]:
    return Campaign.objects.select_related("job", "asked_by", "family", "owner")


def what_came_of(campaigns: Iterable[Campaign]) -> dict[int, Came]:
    """What came of each campaign (id), in two queries."""
    ids = [campaign.pk for campaign in campaigns]
    rows = CampaignItem.objects.filter(campaign__in=ids).order_by().values_list("campaign", "outcome")
    counts = {(key, outcome): dongles for key, outcome, dongles in rows.annotate(dongles=Count("pk"))}
    quotes: Mapping[int, int] = dict(
        Campaign.objects.filter(pk__in=ids).order_by().annotate(made=Count("quotes")).values_list("pk", "made")
    )
    return {
        key: Came(**{outcome: counts.get((key, outcome), 0) for outcome in Outcome.values}, quotes=quotes[key])
        for key in ids
    }


def campaign_overview(campaign: Campaign) -> CampaignOverview:
    """A campaign's figures in five queries."""
    versions = newest_versions().filter(quote__campaign=campaign).order_by("currency", "state")
    totals = [
        Total(*row)
        for row in versions.values("state", "currency")
        .annotate(quotes=Count("pk"), comes_to=Sum("total"))
        .values_list("state", "currency", "quotes", "comes_to")
    ]
    left_out = campaign.items.filter(outcome=Outcome.LEFT_OUT).order_by("refusal_code")
    causes = left_out.values_list("refusal_code").annotate(dongles=Count("pk"))
    return CampaignOverview(
        campaign,
        what_came_of([campaign])[campaign.pk],
        totals,
        sum(each.quotes for each in totals if each.state == QuoteState.DRAFT),
        [Cause(code, dongles, HELP.get(code, HELP_ELSE)) for code, dongles in causes],
        Job.objects.filter(kind="campaign_send", params={"campaign": campaign.pk}).first(),
    )


def quotes_of(campaign: Campaign) -> QuerySet[QuoteVersion]:
    """The newest versions of a campaign's quotes, drafts first, by customer; each with whether anybody could get it."""
    on_file = Contact.objects.filter(customer=OuterRef("quote__customer"), left_on__isnull=True)
    versions = (
        newest_versions()
        .filter(quote__campaign=campaign)
        .annotate(has_contact=Exists(on_file), asks_for=Count("dongles"))
    )
    return versions.order_by("state", "quote__customer__name", "quote_id")


def held_back_by(version: QuoteVersion, today: date) -> str:
    """Why a draft read by `quotes_of` can't be sent as it is; nothing where it can."""
    if version.state != QuoteState.DRAFT:
        return ""
    if version.needs_approval and version.approved_by_id is None:
        return "Needs approval"
    if not version.has_contact:  # type: ignore[attr-defined]  # annotated by quotes_of
        return "No contact on file"
    return "Priced again when sent" if version.priced_on != today else ""


def items_of(campaign: Campaign, outcome: str) -> QuerySet[CampaignItem]:
    """A campaign's dongles with an outcome, those with the same cause together."""
    items = campaign.items.filter(outcome=outcome).select_related("dongle", "customer")
    return items.order_by("refusal_code", "customer__name", "dongle_id")


def campaign_schedule() -> CampaignSchedule | None:
    """When campaigns begin by themselves, if anybody has said so."""
    return CampaignSchedule.objects.select_related("kept_by").first()
