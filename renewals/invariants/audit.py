"""The chain of hashes over the audit trail is unbroken."""

from collections.abc import Iterator
from datetime import datetime

from portal.audit_chain import chain_findings
from portal.models import AuditEvent
from renewals.invariants.findings import Batch, Finding


def check(at: datetime) -> Iterator[Batch]:
    """What `manage.py audit` finds, without a hash noted elsewhere."""
    yield Batch(AuditEvent.objects.count())
    for damage in chain_findings(at=at):
        yield Batch(0, [Finding("audit trail", "an unbroken chain", damage.sentence.removesuffix("."))])
