"""What goes on without anybody at a page: selling by itself, figures kept up, and proofs of the records."""

import logging

from django.utils import timezone

from portal.audit import Actor
from portal.celery import app
from portal.jobs import Step, Tell
from portal.models import Job, OutboxMessage
from renewals.invariants import INVARIANTS, one_snapshot
from renewals.models import Campaign, MonthClose, RenewalRequest
from renewals.overviews.finance.months import prove_close
from renewals.services import answers, campaigns, reminders, renewal_figures, sending

REFUSALS_SHOWN = 100
FINDINGS_LOGGED = 100  # of each invariant

logger = logging.getLogger(__name__)


def answer_request(message: OutboxMessage) -> None:
    """Look up what a visitor asked for, and quote at once what may be (Q5). Payload: `request` (id)."""
    request = RenewalRequest.objects.get(pk=message.payload["request"])
    answers.answer_at_once(request=request, actor=answers.PORTAL, at=timezone.now())


def draft_for_campaign(job: Job, tell: Tell) -> Step:
    """A slice of a campaign's job: the first notes what is due, each other one drafts for the next customers."""
    campaign, now = Campaign.objects.get(job=job), timezone.now()
    if not job.checkpoint:
        noted = campaigns.note_due(campaign=campaign, at=now)
        return Step(0, noted, {"noted": noted} if noted else None)
    drafted = campaigns.draft_next(campaign=campaign, actor=campaigns.actor_of(campaign), at=now)
    done = job.done + drafted
    return Step(done, job.total, job.checkpoint if drafted else None)


def send_for_campaign(job: Job, tell: Tell) -> Step:
    """A slice of sending a campaign's drafts."""
    campaign, now = Campaign.objects.get(pk=job.params["campaign"]), timezone.now()
    total = job.total if job.checkpoint else sending.drafts_of(campaign).count()
    actor = Actor("Renewal campaign", job.asked_by_id)
    sent = sending.send_next(campaign=campaign, after=job.checkpoint.get("after", 0), actor=actor, at=now)
    if sent is None:
        return Step(job.done, total, None)
    told = [*job.result.get("refused", ()), *sent.refused]
    result = {
        "sent": job.result.get("sent", 0) + sent.quotes - len(sent.refused),
        "not_sent": job.result.get("not_sent", 0) + len(sent.refused),
        "refused": told[:REFUSALS_SHOWN],
    }
    return Step(job.done + sent.quotes, total, {"after": sent.last}, result)


def prove_month(job: Job, tell: Tell) -> Step:
    """Derive a close again, in one slice: `close` (id). What differs is the job's result."""
    proof = prove_close(MonthClose.objects.get(pk=job.params["close"]))
    result = {
        "month": proof.close.in_address,
        "revision": proof.close.revision,
        "sha256": proof.sha256,
        "differences": [str(finding) for finding in proof.differences[:FINDINGS_LOGGED]],
    }
    return Step(proof.segments, proof.segments, None, result)


@app.task
def begin_scheduled_campaign() -> None:
    """Begin the campaign of the month if it is the day for it; harmless however often it is asked."""
    campaigns.begin_scheduled_campaign(at=timezone.now())


@app.task
def post_reminders() -> None:
    """Post the reminders that are due; harmless when another run is at it or has been, and when it is killed."""
    reminders.post_reminders(actor=reminders.REMINDERS, at=timezone.now())


@app.task
def update_renewal_figures() -> None:
    """Work out the figures of renewals that may have changed; harmless when another run is at it."""
    renewal_figures.update_without_waiting()


@app.task
def verify_invariants() -> None:
    """Every night: what must always be true of the records and is not goes into the log as an error."""
    with one_snapshot():
        for invariant in INVARIANTS:
            found = 0
            for batch in invariant.check(timezone.now()):
                for finding in batch.findings:
                    found += 1
                    if found <= FINDINGS_LOGGED:
                        logger.error("%s: %s", invariant.name, finding)
            if found > FINDINGS_LOGGED:
                logger.error("%s: %d findings in all", invariant.name, found)
