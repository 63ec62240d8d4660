"""How pages write amounts, dates and states. What depends on the day takes it as an argument."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from portal import wording

register = template.Library()

# A word for each state, and the small shape that stands before it, so that colour never speaks alone.
STATES: dict[str, tuple[str, str]] = {
    # of an SMA
    "valid": ("Valid", "disc"),
    "expiring": ("Expiring", "half"),
    "lapsed": ("Lapsed", "ring"),
    "lapsed_over_major": ("Lapsed over a major release", "cross"),
    "empty": ("No licences", "dash"),
    # of a dongle
    "active": ("Active", "disc"),
    "lost": ("Lost", "cross"),
    "retired": ("Retired", "dash"),
    # of a quote
    "draft": ("Draft", "ring"),
    "sent": ("Sent", "half"),
    "expired": ("Expired", "dash"),
    "superseded": ("Superseded", "dash"),
    "declined": ("Declined", "cross"),
    # of a release (draft too), and of a price list
    "published": ("Published", "disc"),
    "in_force": ("In force", "disc"),
    "scheduled": ("Scheduled", "ring"),
    "past": ("Past", "dash"),
    # of a request
    "open": ("Open", "ring"),
    "answered": ("Answered", "disc"),
    "closed": ("Closed", "dash"),
    # of an order
    "accepted": ("Accepted", "half"),
    "fulfilled": ("Fulfilled", "disc"),
    "cancelled": ("Cancelled", "cross"),
    # of a month (open, closed, waiting and running too), and of a check before its close
    "due": ("To be closed", "ring"),
    "reopened": ("Open again", "ring"),
    "passed": ("OK", "disc"),
    "blocking": ("Not so", "cross"),
    "warning": ("To mind", "half"),
    # of support
    "may_call": ("Yes", "disc"),
    "may_not_call": ("No", "cross"),
    # of a job
    "waiting": ("Waiting", "ring"),
    "running": ("Running", "half"),
    "done": ("Done", "disc"),
    "refused": ("Refused", "cross"),
}
# Of an SMA, for customers.
OWN_WORDS = {
    "expiring": "Ends soon",
    "lapsed": "Ended",
    "lapsed_over_major": "Ended, upgrade needed",
}
SMA_STATES = frozenset({"valid", "expiring", "lapsed", "lapsed_over_major"})


@register.filter
def money(amount: int | None, currency: str) -> str:
    """{{ net|money:"EUR" }}: minor units with their currency, “€1,234.56”; a dash for none."""
    return wording.NOTHING if amount is None else wording.write_money(amount, currency)


@register.filter
def figure(amount: int | None, currency: str) -> str:
    """{{ net|figure:"EUR" }}: the same without the currency, for tables, “1,234.56”."""
    return wording.NOTHING if amount is None else wording.write_figure(amount, currency)


@register.filter
def rate(value: Decimal | Sequence[int] | str) -> str:
    """{{ discount|rate }}: 0.125 is “12.5%”."""
    return wording.write_rate(value)


@register.filter
def day(value: date | None) -> str:
    """{{ starts_on|day }}: “24 Aug 2026”; a dash for none."""
    return wording.NOTHING if value is None else wording.write_day(value)


@register.filter
def moment(value: datetime | None) -> str:
    """{{ created_at|moment }}: “24 Aug 2026, 14:05” in the business time zone."""
    if value is None:
        return wording.NOTHING
    local = timezone.localtime(value)
    return f"{wording.write_day(local.date())}, {local:%H:%M}"


@register.filter
def distance(value: date, today: date) -> str:
    """{{ valid_until|distance:today }}: “in 3 days”, “2 years ago”."""
    return wording.write_distance(value, today)


@register.filter
def expiry(value: date | None, today: date) -> str:
    """{{ ends_on|expiry:today }}: “expired 3 months ago, 24 May 2026”, broken before the date only; a dash for none."""
    if value is None:
        return wording.NOTHING
    return wording.write_expiry(value, today).replace(" ", "\u00a0").replace(",\u00a0", ", ")


@register.filter
def validity(value: date, today: date) -> str:
    """{{ ends_on|validity:today }}: “valid until 14 Sep 2027, for 9 months more”, “ended 3 months ago, on …”."""
    return wording.write_validity(value, today)


@register.filter
def months(value: Sequence[int]) -> str:
    """{{ line.months|months }}: the triple of rule D2 in words, “8 months and 5 days”."""
    return wording.write_months(value)


@register.filter
def plus(value: float, more: float) -> float:
    """{{ bar.x|plus:bar.width }}, for drawings."""
    return round(value + more, 3)


@register.simple_tag
@cache
def status(state: str, word: str = "") -> str:
    """{% status "expiring" %}: a state as a small shape and a word; only those of an SMA have a colour.

    There are few of them and pages are full of them, so each is rendered once.
    """
    usual, shape = STATES[state]
    shown = {"state": state, "word": word or usual, "shape": shape, "is_coloured": state in SMA_STATES}
    return render_to_string("parts/status.html", shown)


@register.simple_tag
def own_status(state: str) -> str:
    """{% own_status "lapsed" %}: the state of an SMA as customers read it."""
    return status(state, OWN_WORDS.get(state, ""))


@register.simple_tag(takes_context=True)
def nav_link(context: Context, url_name: str, label: str, *within: str) -> str:
    """{% nav_link "renewals:quotes" "Quotes" %}: an entry of the navigation that knows whether one is there.

    What lies below its address belongs to it, or below the addresses `within` where they are named.
    """
    address, path = reverse(url_name), context["request"].path
    current = "page" if path == address else "true" if path.startswith(within or (address,)) else ""
    here = format_html(' aria-current="{}"', current) if current else ""
    return format_html('<li><a href="{}"{}>{}</a></li>', address, here, label)
