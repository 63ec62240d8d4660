"""The customers' purchase orders as files."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from django.db import transaction
from django.utils import timezone

from portal import audit
from portal.access import ABILITIES
from portal.audit import Actor, Deed
from portal.errors import DomainError
from renewals import filestore, uploads
from renewals.models import Order, PurchaseOrderFile

ORPHAN_AFTER = timedelta(days=1)


class Readable(Protocol):
    """What an upload is, or any file opened to be read as bytes."""

    def read(self, num_bytes: int = ..., /) -> bytes: ...


class NamedFile(Readable, Protocol):
    """A file with the name that its sender gave it."""

    @property
    def name(self) -> str | None: ...


@transaction.atomic
def attach_purchase_order(
    *, order: Order, name: str, content: bytes | Readable, actor: Actor, at: datetime
) -> PurchaseOrderFile:
    """Keep a purchase order with its order, for staff that sells or settles; refuses what `keep_file` refuses."""
    _check_may_attach(actor)
    return keep_file(order=order, name=name, content=content, actor=actor, at=at)


@transaction.atomic
def keep_file(*, order: Order, name: str, content: bytes | Readable, actor: Actor, at: datetime) -> PurchaseOrderFile:
    """The same for whoever may accept the quote: PDF, PNG or JPEG by its content, 10 MB at most.

    The same content again is the same file. `name` is for people only. Refuses `file_empty`, `file_too_large` and
    `file_type_refused`. Before this transaction commits the file is on the disk; where a caller's larger transaction
    fails after that, the file stays without a row until it is cleaned (`remove_orphans`).
    """
    content = _read(content)
    kind = uploads.kind_of(content)
    Order.objects.select_for_update().get(pk=order.pk)
    sha256 = hashlib.sha256(content).hexdigest()
    if known := PurchaseOrderFile.objects.filter(order=order, sha256=sha256).first():
        return known
    shown = uploads.display_name(name, kind)
    path = filestore.keep(content, uploads.EXTENSIONS[kind][0], timezone.localdate(at))
    file = PurchaseOrderFile.objects.create(
        order=order,
        name=shown,
        kind=kind,
        size=len(content),
        sha256=sha256,
        path=path,
        uploaded_by_id=actor.user_id,
        uploaded_at=at,
    )
    audit.record(actor, at, Deed("attach", order, after={"file": shown, "size": file.size, "sha256": sha256}))
    return file


def _check_may_attach(actor: Actor) -> None:
    """Who sells or settles may."""
    if actor.role != "system" and not ABILITIES[actor.role] & {"sell", "settle"}:
        raise DomainError("not_allowed", "Your role does not allow this.", {"ability": "sell"})


def _read(content: bytes | Readable) -> bytes:
    """The whole content. A file that states its size is refused by that; no more is read than is kept, and a byte."""
    if not isinstance(content, bytes):
        size = getattr(content, "size", None)
        if size is not None:
            uploads.check_size(size)
        if hasattr(content, "seek"):
            content.seek(0)  # the form has looked at it
        content = content.read(uploads.MOST_BYTES + 1)
    uploads.check_size(len(content))
    return content


class StoreReport(NamedTuple):
    """What a look at the store of files found, by paths: without a row, removed, and damaged or gone."""

    orphans: Sequence[str]
    removed: Sequence[str]
    damaged: Sequence[str]


def check_store(at: datetime) -> StoreReport:
    """Compare the store with the rows: files that no row names a day after they were written, and rows whose file is
    gone or has changed. Removes nothing."""
    known = dict(PurchaseOrderFile.objects.values_list("path", "sha256"))
    before = (at - ORPHAN_AFTER).timestamp()
    orphans = [path for path, written in filestore.paths() if path not in known and written < before]
    damaged = [path for path, sha256 in known.items() if not filestore.is_whole(path, sha256)]
    return StoreReport(orphans, (), damaged)


def remove_orphans(at: datetime) -> StoreReport:
    """The same, and the files that no row names are removed: what transactions that failed have left behind."""
    report = check_store(at)
    for path in report.orphans:
        filestore.remove(path)
    return report._replace(removed=report.orphans)
