"""Who did what when, in words."""

from collections.abc import Sequence

from dongles.models import Dongle
from portal import trail
from portal.trail import ToldEvent
from renewals.models import Order, QuoteVersion


def history_of_dongle(dongle: Dongle) -> Sequence[ToldEvent]:
    """What became of a dongle: lost, found, replaced, handed on; newest first."""
    return [told._replace(what=_wording_of_deed(told)) for told in trail.history_of(dongle)]


def _wording_of_deed(told: ToldEvent) -> str:
    """What was done to a dongle, with the other dongle or the owners where there are some."""
    what, event = told
    match event.action:
        case "replace":
            return f"{what} by {event.after['replaced_by']}"
        case "take_over":
            return f"Took the place of {event.after['replaces']}"
        case "transfer":
            return f"{what} from {event.before['name'] or 'nobody'} to {event.after['name']}"
    return what


def history_of(versions: Sequence[QuoteVersion], orders: Sequence[Order]) -> Sequence[ToldEvent]:
    """Who did what to these when, newest first; of a version with its number."""
    numbers = {version.pk: version.number for version in versions}
    return [
        told._replace(what=f"Version {numbers[told.event.subject_id]} {told.what.lower()}")
        if told.event.subject_kind == QuoteVersion._meta.model_name
        else told
        for told in trail.history_of(*versions, *orders)
    ]
