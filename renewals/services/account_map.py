"""The accounts to which the journal posts, and what DATEV asks for besides: kept by finance.

What was exported before stays as it is (renewals/services/journal.py).
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.changes import differing, values_of
from portal.errors import DomainError
from renewals.journal.datev import DatevSettings, check_settings
from renewals.models import AccountMapEntry, DatevDetails

LOCK = 0x6D61_7073  # whoever changes the map holds this advisory lock until the transaction ends


@transaction.atomic
def keep_account(*, entry: AccountMapEntry, actor: Actor, at: datetime) -> AccountMapEntry:
    """Write a new account of the map, or one that has changed.

    Refuses `not_allowed`, `account_invalid` (`data.field`) and `account_taken`, where the role has an account for the
    very same already.
    """
    check_ability(actor, "settle")
    _take_map()
    _check(entry)
    before = _told(AccountMapEntry.objects.get(pk=entry.pk)) if entry.pk else {}
    entry.save()
    was, became = differing(before, _told(entry))
    if was or became:
        audit.record(actor, at, Deed("change" if before else "create", entry, was, became))
    return entry


@transaction.atomic
def remove_account(*, entry: AccountMapEntry, actor: Actor, at: datetime) -> None:
    """Take an account off the map; where that leaves a hole, journals that fall into it are refused."""
    check_ability(actor, "settle")
    _take_map()
    audit.record(actor, at, Deed("delete", entry, before=_told(entry)))
    entry.delete()


@transaction.atomic
def keep_datev(*, settings: DatevSettings, actor: Actor, at: datetime) -> DatevDetails:
    """Write what DATEV asks for; refuses `not_allowed` and `datev_invalid` (`data.field`)."""
    check_ability(actor, "settle")
    _take_map()
    check_settings(settings)
    kept = DatevDetails.objects.filter(pk=1).first()
    before = values_of(kept) if kept else {}
    details = DatevDetails(pk=1, **settings._asdict())
    details.save()
    was, became = differing(before, values_of(details))
    if was or became:
        audit.record(actor, at, Deed("change" if before else "create", details, was, became))
    return details


def _take_map() -> None:
    """Wait until nobody else changes the map; until the transaction ends nobody does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _check(entry: AccountMapEntry) -> None:
    try:
        entry.clean_fields()
    except ValidationError as invalid:
        field, sentences = next(iter(invalid.message_dict.items()))
        raise DomainError("account_invalid", sentences[0], {"field": field}) from None
    if entry.product_id and entry.family_id:
        raise DomainError(
            "account_invalid", "An account is for a product or for a family, not for both.", {"field": "sold"}
        )
    same = AccountMapEntry.objects.filter(
        role=entry.role,
        family=entry.family_id,
        product=entry.product_id,
        country=entry.country,
        segment=entry.segment,
    ).exclude(pk=entry.pk)
    if taken := same.first():
        raise DomainError(
            "account_taken",
            f"{taken.get_role_display()} of the same has an account already, {taken}: change that one.",
            {"account": taken.account},
        )


def _told(entry: AccountMapEntry) -> dict[str, Any]:
    """What an event says of an account: products and families by their names."""
    told = values_of(entry)
    return {**told, "product": entry.product and entry.product.name, "family": entry.family and entry.family.name}
