"""What was written, and what of it events tell: every model, and whose events are to tell of its rows."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model

from portal.models import AuditEvent

# Every model of the portal. Rows whose events are their own alone, or also those of the row that a path leads to:
OWN = ""
TOLD_BY = {
    "portal.customer": OWN,
    "renewals.customermerge": "kept",
    "renewals.resemblance": "one",
    "portal.contact": "customer",
    "portal.user": OWN,
    "portal.job": OWN,
    "portal.jobfile": "job",
    "dongles.productfamily": OWN,
    "dongles.product": OWN,
    "dongles.release": OWN,
    "dongles.releasefile": "release",
    "dongles.dongle": OWN,
    "dongles.licence": "dongle",
    "dongles.replacement": "predecessor",
    "dongles.smaperiod": "licence",
    "dongles.unlockcode": OWN,
    "dongles.codereceipt": "code",
    "dongles.import": OWN,
    "renewals.pricelist": OWN,
    "renewals.pricelistentry": "price_list",
    "renewals.policysettings": OWN,
    "renewals.taxrate": OWN,
    "renewals.exchangerate": OWN,
    "renewals.quote": "versions",
    "renewals.quoteversion": OWN,
    "renewals.quotedongle": "version",
    "renewals.quoteline": "quoted.version",
    "renewals.quotedocument": "version",
    "renewals.quotequestion": "version",
    "renewals.order": OWN,
    "renewals.orderline": "order",
    "renewals.revenuesegment": "order_line.order",
    "renewals.monthclose": OWN,
    "renewals.ledgerentry": "close",
    "renewals.monthreopening": "close",
    "renewals.salefact": "order",
    "renewals.accountmapentry": OWN,
    "renewals.datevdetails": OWN,
    "renewals.journalexport": OWN,
    "renewals.journalfile": "export",
    "renewals.purchaseorderfile": "order",
    "renewals.bridge": "version",
    "renewals.renewalrequest": OWN,
    "renewals.requesteddongle": "request",
    "renewals.campaign": OWN,
    "renewals.campaignschedule": OWN,
    "renewals.remindermailing": "customer",
    "renewals.reminder": "mailing.customer",
    "renewals.remindercopy": "mailing.customer",
}
# A dongle's numbers and dates move with its codes, whose events tell it; what a customer owns moves with a merge.
ALSO_TOLD_BY = {
    "dongles.dongle": "codes",
    "renewals.quote": "customer",
    "renewals.order": "customer",
    "portal.user": "customer",
}
# Rows that are the trail itself, or work of the system that follows from what was told.
NOT_BUSINESS = {
    "portal.auditevent",
    "portal.auditlink",
    "portal.unsealedevent",
    "portal.outboxmessage",
    "portal.sentmail",
    "dongles.columnchoice",  # which heads meant what, for the next file; the import's events say what was chosen
    "renewals.unsummarisedsegment",  # what the sums lack yet, and the sums themselves
    "renewals.monthfigures",
    "renewals.bookingfigures",
    "renewals.outdatedrenewal",  # whose figures of renewals are to be worked out anew, and these figures
    "renewals.duedongle",
    "renewals.duefigures",
    "renewals.customerretention",
    "renewals.retentionfigures",
    "renewals.customercohort",
    "renewals.cohortfigures",
    "renewals.bookingtotals",
    "renewals.accountingmonth",  # a row to lock; that a month was closed or opened its closes and reopenings tell
    "renewals.campaignitem",  # a campaign's list of what is to do; what comes of it are quotes
}
# Columns that say who acted, which the event does by itself; that are secret; that only number things; or, of a text
# that a person wrote, hold what is the event's reason.
NOT_SAID = {
    *("approved_by", "drafted_by", "uploaded_by", "granted_by", "recorded_by", "answered_by"),
    *("key_hash", "key_nonce", "sequence", "withdrawal_reason"),
    *("entered_at", "cancel_asked_at", "ended_at", "began_at", "kept_at", "dismissed_at", "undone_at"),
    *("decided_at", "answered_at"),
}
# Rows by model and id, each as its columns.
Rows = dict[tuple[str, Any], dict[str, Any]]


def business_models() -> list[type[Model]]:
    labels = ("portal", "dongles", "renewals")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return [model for model in models if model._meta.label_lower not in NOT_BUSINESS]


def all_rows() -> Rows:
    return {
        (model._meta.label_lower, row["pk"]): row
        for model in business_models()
        for row in model._base_manager.values("pk", *(field.attname for field in model._meta.concrete_fields))
    }


def tellers(label: str, pk: Any) -> set[tuple[str, int]]:
    """The subjects whose events may tell of a row, by kind and id."""
    model = apps.get_model(label)
    row = model._base_manager.get(pk=pk)
    found = {(model._meta.model_name, pk)}
    for path in (TOLD_BY[label], ALSO_TOLD_BY.get(label, "")):
        if path:
            reached: list[Any] = [row]
            for name in path.split("."):
                reached = [getattr(each, name) for each in reached]
            for each in reached:
                several = list(each.all()) if hasattr(each, "all") else [each]
                found |= {(one._meta.model_name, one.pk) for one in several if one is not None}
    return found


def tellers_of_deleted(label: str, pk: Any, row: dict[str, Any]) -> set[tuple[str, int]]:
    """Of a row that is gone: itself, or the one that it went with."""
    found = {(label.partition(".")[2], pk)}
    if TOLD_BY[label] != OWN:
        field = apps.get_model(label)._meta.get_field(TOLD_BY[label])
        found.add((field.related_model._meta.model_name, row[field.attname]))
    return found


def flat(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(flat, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(flat, value))
    return {str(value)}


def is_said(value: Any, told: set[str]) -> bool:
    """A value as its text (a decimal without idle zeros), all of a value that has parts, or a moment as JSON has it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" in told
    return flat(value) <= told or (isinstance(value, datetime) and value.isoformat() in told)


def untold(before: Rows, after: Rows, events: list[AuditEvent]) -> list[str]:
    """What was written and is not said by any event: rows without one, and values that none holds."""
    found = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        label, pk = key
        subjects = tellers(label, pk) if new else tellers_of_deleted(label, pk, old or {})
        telling = [event for event in events if (event.subject_kind, event.subject_id) in subjects]
        if not telling:
            found.append(f"{label} {pk} was written without an event")
            continue
        if old is None or new is None:
            continue
        model = apps.get_model(label)
        was, now = flat([event.before for event in telling]), flat([event.after for event in telling])
        for field in model._meta.concrete_fields:
            held, holds = old[field.attname], new[field.attname]
            if held == holds or isinstance(field, ForeignKey) or field.name in NOT_SAID:
                continue
            if holds not in (None, "") and not is_said(holds, now):
                found.append(f"no event says that {field.name} of {label} {pk} is {holds}")
            if held not in (None, "") and not is_said(held, was):
                found.append(f"no event says that {field.name} of {label} {pk} was {held}")
    return sorted(found)
