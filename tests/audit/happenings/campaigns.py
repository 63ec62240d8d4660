"""What happens in campaigns and reminders."""

from collections.abc import Callable
from datetime import date
from typing import Any

from portal.models import Job
from renewals.models import Campaign
from renewals.overviews.due import Window
from renewals.services import campaigns, reminders, sending
from tests import world
from tests.audit.happenings.beginnings import BY, new_dongle


def reminded() -> Callable[[], object]:
    """Thirty days before the SMA ends."""
    new_dongle(licences=[("VOL-VIS", "2026-03-03")])
    return lambda: reminders.post_reminders(**BY)


def stopped_reminding() -> Callable[[], object]:
    contact = new_dongle().customer.contacts.get()
    return lambda: reminders.switch_reminders(contact=contact, wanted=False, **BY)


def campaign() -> Any:
    new_dongle()
    window = Window(date(2026, 2, 1), date(2026, 4, 30))
    return campaigns.start_campaign(window=window, renew_years=1, **BY)


def drafting() -> Any:
    found = campaign()
    campaigns.note_due(campaign=found, at=BY["at"])
    return found


def with_drafts() -> Any:
    found = drafting()
    campaigns.draft_next(campaign=found, **BY)
    Job.objects.update(state="done")
    return Campaign.objects.get(pk=found.pk)


def started_campaign() -> Callable[[], object]:
    new_dongle()
    window = Window(date(2026, 2, 1), date(2026, 4, 30))
    return lambda: campaigns.start_campaign(window=window, renew_years=1, **BY)


def drafted_in_campaign() -> Callable[[], object]:
    found = drafting()
    return lambda: campaigns.draft_next(campaign=found, **BY)


def started_sending() -> Callable[[], object]:
    found = with_drafts()
    return lambda: sending.start_sending(campaign=found, **BY)


def sent_in_campaign() -> Callable[[], object]:
    found = with_drafts()
    return lambda: sending.send_next(campaign=found, after=0, **BY)


def scheduled() -> Callable[[], object]:
    asked = {"is_on": True, "days_ahead": 60, "renew_years": 1}
    world.make_catalogue()
    campaigns.keep_schedule(day_of_month=1, **asked, **BY)
    return lambda: campaigns.keep_schedule(day_of_month=15, **asked, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    campaigns.start_campaign: started_campaign,
    campaigns.draft_next: drafted_in_campaign,
    campaigns.keep_schedule: scheduled,
    sending.start_sending: started_sending,
    sending.send_next: sent_in_campaign,
    reminders.post_reminders: reminded,
    reminders.switch_reminders: stopped_reminding,
}
