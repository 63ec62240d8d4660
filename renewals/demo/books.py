"""The demo's books: the accounts that its journals post to, what DATEV asks for, and the months that are closed."""

from collections.abc import Mapping
from datetime import date, datetime, time

from django.utils import timezone

from dongles.models import ProductFamily
from portal.audit import Actor
from portal.models import User
from renewals.calendar import following
from renewals.journal.datev import DatevSettings
from renewals.models import AccountMapEntry
from renewals.overviews.finance.ledger_months import next_month
from renewals.services.account_map import keep_account, keep_datev
from renewals.services.closing import close_month

# Role, account, name; the family, country or segment that it is for.
ACCOUNTS = (
    ("receivables", "1400", "Trade receivables", {}),
    ("deferred", "0990", "Deferred revenue", {}),
    ("revenue", "8400", "Revenue", {}),
    ("revenue", "8410", "Revenue, Openlab", {"family": "Openlab"}),
    ("revenue", "8420", "Revenue, academic customers", {"segment": "academic"}),
    ("revenue", "8338", "Revenue, Switzerland", {"country": "CH"}),
)
DATEV = DatevSettings(consultant=29098, client=55003, account_length=4, year_begins=1)


def keep_books(on: date, users: Mapping[str, User]) -> None:
    """Put the accounts on the map, as finance did when the year began."""
    by = {
        "actor": Actor.of(users["finance"]),
        "at": timezone.make_aware(datetime.combine(on.replace(month=1, day=1), time(9))),
    }
    families = {family.name: family for family in ProductFamily.objects.all()}
    for role, account, name, place in ACCOUNTS:
        fields = {**place, "family": families[place["family"]] if "family" in place else None}
        keep_account(entry=AccountMapEntry(role=role, account=account, name=name, **fields), **by)
    keep_datev(settings=DATEV, **by)


def close_months(on: date, finance: User) -> None:
    """Close the months through the one before the last, each on the 5th after it: the last is left to be closed."""
    month = next_month()
    while month is not None and month < following(on.replace(day=1), -1):
        due = following(month)
        at = timezone.make_aware(datetime.combine(due.replace(day=5), time(9)))
        close_month(month=month, actor=Actor.of(finance), at=at)
        month = due
