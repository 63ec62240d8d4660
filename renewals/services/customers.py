"""Two spellings of one customer: found, told apart, merged, and taken apart again. Each is one transaction."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Max, Q
from django.utils import timezone

from dongles.models import Dongle
from dongles.services import lock_dongles
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.jobs import Step, Tell
from portal.models import Contact, Customer, Job, User
from portal.spelling import digits_of, folded_name, likeness
from renewals.models import CustomerMerge, Order, Quote, QuoteDongle, QuoteVersion, Resemblance

TRIGRAMS_FROM = 0.6  # the share of trigrams by which the index finds pairs to look at
ALIKE_FROM = 90  # per cent (portal/spelling.py); below that one reads pairs for nothing
CUSTOMERS_A_SLICE = 200

# Names that share so many trigrams, by the index on them. Numbered names are two wherever their numbers differ.
ALIKE = """
SELECT one.id, one.name, other.id, other.name
FROM portal_customer one JOIN portal_customer other ON upper(other.name) %% upper(one.name) AND other.id > one.id
WHERE one.id = ANY (%s) AND one.merged_into_id IS NULL AND other.merged_into_id IS NULL
    AND regexp_replace(one.name, '\\D', '', 'g') = regexp_replace(other.name, '\\D', '', 'g')
"""


def look_for_double_customers(job: Job, tell: Tell) -> Step:
    """A slice of looking for customers that are two spellings of one: so many of them against all.

    A worker of long work (portal/jobs.py). Pairs that are known already, dismissed ones too, stay as they are.
    """
    after, found = job.checkpoint.get("after", 0), job.checkpoint.get("found", 0)
    standing = Customer.objects.filter(merged_into__isnull=True)
    if not after:
        found += _keep(_same_but_for_spelling(standing))
    ids = list(standing.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CUSTOMERS_A_SLICE])
    found += _keep(_alike(ids))
    total = job.total if job.total is not None else standing.count()
    done = min(job.done + len(ids), total)
    is_over = len(ids) < CUSTOMERS_A_SLICE
    return Step(done, total, None if is_over else {"after": ids[-1], "found": found}, {"found": found})


def _same_but_for_spelling(customers: "models.QuerySet[Customer]") -> Iterator[tuple[int, int, int]]:
    """Pairs whose names are the same when folded; of many, each with the first."""
    by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, name in customers.order_by("pk").values_list("pk", "name"):
        by_name[folded_name(name), digits_of(name)].append(pk)
    for first, *others in by_name.values():
        for other in others:
            yield first, other, 100


def _alike(ids: Sequence[int]) -> Sequence[tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(TRIGRAMS_FROM)])
        cursor.execute(ALIKE, [list(ids)])
        found = cursor.fetchall()
    pairs = [(one, other, likeness(name, other_name)) for one, name, other, other_name in found]
    return [pair for pair in pairs if pair[-1] >= ALIKE_FROM]


def _keep(pairs: Iterator[tuple[int, int, int]] | Sequence[tuple[int, int, int]]) -> int:
    """Write the pairs that are not known yet; how many there were."""
    before = Resemblance.objects.count()
    now = timezone.now()
    Resemblance.objects.bulk_create(
        (Resemblance(one_id=one, other_id=other, likeness=like, found_at=now) for one, other, like in pairs),
        batch_size=1000,
        ignore_conflicts=True,
    )
    return Resemblance.objects.count() - before


@transaction.atomic
def dismiss_resemblance(*, resemblance: Resemblance, actor: Actor, at: datetime) -> Resemblance:
    """Say that the two are two: the pair is not shown again. Said again, nothing happens."""
    check_ability(actor, "sell")
    resemblance = (
        Resemblance.objects.select_for_update(of=("self",)).select_related("one", "other").get(pk=resemblance.pk)
    )
    if resemblance.dismissed_at is None:
        resemblance.dismissed_at = at
        resemblance.save(update_fields=["dismissed_at"])
        one, other = resemblance.one, resemblance.other
        audit.record(
            actor,
            at,
            Deed("tell_apart", one, after={"from": other.name}),
            Deed("tell_apart", other, after={"from": one.name}),
        )
    return resemblance


@transaction.atomic
def merge_customers(*, kept: Customer, merged: Customer, actor: Actor, at: datetime) -> CustomerMerge:
    """Make two spellings of one customer one: what is `merged`'s becomes `kept`'s, and `merged` leads to it.

    Its dongles, quotes, orders, logins, and contacts move, but for those whose e-mail address `kept` has already. What
    was sent stays as it was. Refuses `merge_with_itself` and `merged_already`.
    """
    check_ability(actor, "sell")
    kept, merged = _locked(kept, merged)
    known = [email.lower() for email in kept.contacts.values_list("email", flat=True) if email]
    contacts = [each for each in merged.contacts.all() if each.email.lower() not in known]
    # The order of locks is that of selling: quotes first, then dongles, each in the order of their ids.
    quotes = _ids(Quote.objects.select_for_update().filter(customer=merged))
    dongles = lock_dongles(merged.dongles.values_list("pk", flat=True))
    moved = {
        "quotes": quotes,
        "dongles": list(dongles),
        "orders": _ids(merged.orders.all()),
        "users": _ids(merged.users.all()),
        "contacts": [each.pk for each in contacts],
    }
    _move(moved, merged, kept)
    merged.merged_into = kept
    merged.save(update_fields=["merged_into"])
    merge = CustomerMerge.objects.create(
        kept=kept,
        merged=merged,
        moved=moved,
        last_version=_newest(QuoteVersion),
        last_order=_newest(Order),
        merged_at=at,
        merged_by_id=actor.user_id,
    )
    counts = {what: len(ids) for what, ids in moved.items() if ids}
    audit.record(
        actor,
        at,
        Deed("merge", kept, after={"merged": merged.name, **counts}),
        Deed("merge_into", merged, after={"kept": kept.name, **counts}),
        *(_new_owner(dongle, merged, kept) for dongle in dongles.values()),
    )
    return merge


@transaction.atomic
def undo_merge(*, merge: CustomerMerge, actor: Actor, at: datetime) -> CustomerMerge:
    """Take a merge apart: whatever moved goes back. What came since stays where it is. Undone again, nothing happens.

    Refuses `merge_built_upon`: since then a moved dongle was quoted or sold, or has gone to somebody else, or the
    customer that was kept was merged itself.
    """
    check_ability(actor, "sell")
    merge = CustomerMerge.objects.select_for_update().get(pk=merge.pk)
    if merge.undone_at is not None:
        return merge
    kept, merged = Customer.objects.select_for_update().filter(pk__in=[merge.kept_id, merge.merged_id]).order_by("pk")
    if kept.pk != merge.kept_id:
        kept, merged = merged, kept
    list(Quote.objects.select_for_update().filter(pk__in=merge.moved["quotes"]).order_by("pk"))
    dongles = lock_dongles(merge.moved["dongles"])
    _check_not_built_upon(merge, kept, list(dongles.values()))
    _move(merge.moved, kept, merged)
    merged.merged_into = None
    merged.save(update_fields=["merged_into"])
    merge.undone_at = at
    merge.save(update_fields=["undone_at"])
    audit.record(
        actor,
        at,
        Deed("undo_merge", kept, after={"merged": merged.name}),
        Deed("undo_merge", merged, after={"kept": kept.name}),
        *(_new_owner(dongle, kept, merged) for dongle in dongles.values()),
    )
    return merge


def _locked(kept: Customer, merged: Customer) -> tuple[Customer, Customer]:
    if kept.pk == merged.pk:
        raise DomainError("merge_with_itself", "Choose two customers to merge.")
    locked = {
        each.pk: each
        for each in Customer.objects.select_for_update().filter(pk__in=[kept.pk, merged.pk]).order_by("pk")
    }
    for each in locked.values():
        if each.merged_into_id is not None:
            raise DomainError("merged_already", f"{each.name} was merged into another customer already.")
    return locked[kept.pk], locked[merged.pk]


def _check_not_built_upon(merge: CustomerMerge, kept: Customer, dongles: Sequence[Dongle]) -> None:
    since = Q(version__gt=merge.last_version) | Q(version__order__gt=merge.last_order)
    is_built_upon = (
        kept.merged_into_id is not None
        or any(dongle.customer_id != kept.pk for dongle in dongles)
        or QuoteDongle.objects.filter(since, dongle__in=dongles).exists()
    )
    if is_built_upon:
        raise DomainError(
            "merge_built_upon",
            "Since then something was quoted, sold or handed on that was moved. Move the dongles one by one instead.",
        )


def _move(moved: dict[str, list[int]], source: Customer, target: Customer) -> None:
    """Give these objects, as far as they are still the source's, to the target: one statement a kind."""
    kinds: dict[str, Any] = {"quotes": Quote, "dongles": Dongle, "orders": Order, "users": User, "contacts": Contact}
    for kind, ids in moved.items():
        kinds[kind].objects.filter(pk__in=ids, customer=source).update(customer=target)


def _ids(rows: "models.QuerySet[Any]") -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _newest(model: "type[models.Model]") -> int:
    newest: int | None = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _new_owner(dongle: Dongle, before: Customer, after: Customer) -> Deed:
    return Deed("change_owner", dongle, {"customer": before.name}, {"customer": after.name})
