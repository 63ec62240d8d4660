"""Sending what a campaign has drafted, slice after slice, a transaction each; what can't be sent is told."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.access import check_ability
from portal.audit import Actor
from portal.errors import DomainError
from portal.jobs import start_job
from portal.models import Job
from renewals.models import Campaign, QuoteVersion
from renewals.rows import concessions_of, requests_of
from renewals.services.quotes import draft_quote, send_quote
from renewals.states import QuoteState

JOB = "campaign_send"
SLICE = 20  # quotes that are sent in one transaction: each takes some 50 ms, most of it for its document


@transaction.atomic
def start_sending(*, campaign: Campaign, actor: Actor, at: datetime) -> Job:
    """Ask for sending the drafts of a campaign. Refuses `not_allowed`, `campaign_running` and `no_drafts`."""
    check_ability(actor, "sell")
    if campaign.job.is_open:
        raise DomainError("campaign_running", "The campaign is still drafting. Send when it is done, or stop it first.")
    if not drafts_of(campaign).exists():
        raise DomainError("no_drafts", "None of the campaign’s quotes is a draft any more.")
    return start_job(
        kind=JOB,
        title=f"Send the drafts of campaign {campaign.number}",
        params={"campaign": campaign.pk},
        unit="quote",
        actor=actor,
        at=at,
    )


class Sent(NamedTuple):
    """What a slice has done: the last quote (id) gone through, how many there were, and those that were not sent, each
    as its version (quote's id, quote's number, version's number) and why not.
    """

    last: int
    quotes: int
    refused: list[tuple[int, str, int, str]]


@transaction.atomic
def send_next(*, campaign: Campaign, after: int, actor: Actor, at: datetime) -> Sent | None:
    """Send the next drafts behind that quote (id), each to all contacts of its customer; none where there is no more.

    One that was priced on an earlier day is priced again first. What is refused stays as it was.
    """
    drafts = list(drafts_of(campaign).filter(quote_id__gt=after).order_by("quote_id")[:SLICE])
    if not drafts:
        return None
    refused = []
    for version in drafts:
        try:
            _send(version, actor, at)
        except DomainError as refusal:
            refused.append((version.quote_id, version.quote.number, version.number, refusal.message))
    return Sent(drafts[-1].quote_id, len(drafts), refused)


def drafts_of(campaign: Campaign) -> QuerySet[QuoteVersion]:
    """The drafts that a campaign's quotes have."""
    return QuoteVersion.objects.filter(quote__campaign=campaign, state=QuoteState.DRAFT).select_related(
        "quote__customer"
    )


@transaction.atomic
def _send(version: QuoteVersion, actor: Actor, at: datetime) -> None:
    if version.priced_on != timezone.localdate(at):
        version = draft_quote(
            customer=version.quote.customer,
            requests=requests_of(version),
            actor=actor,
            at=at,
            concessions=concessions_of(version),
            part_month=version.part_month,
            discount_reason=version.discount_reason,
            note=version.note,
            revises=version.quote,
            newest_known=version.number,
        )
    send_quote(version=version, actor=actor, at=at)
