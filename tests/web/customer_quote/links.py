"""A quote's page by its link, and what is posted there: 1,200.00 + 900.00 a year, with 19 % tax 2,499.00."""

import hashlib
from decimal import Decimal

from django.test import Client
from django.urls import reverse

from portal.audit import Actor
from portal.models import AuditEvent, OutboxMessage
from renewals.models import Order, PurchaseOrderFile, QuoteQuestion, QuoteVersion

TERMS = "Payment within 30 days."
CONCEDED = {"discount": Decimal("0.1"), "discount_reason": "Ten dongles", "actor": Actor("Sam", None, "sales")}
STEPS = ("document", "accept", "decline", "ask", "choose", "again")


def link_of(version):
    return reverse("renewals:quote_of_key", args=[version.key])


def page_of(version, step="quote"):
    return reverse(f"renewals:{step}_of_link", args=[version.quote.number])


def opened(version, client=None):
    """Somebody who has followed the link."""
    client = client or Client()
    assert client.get(link_of(version)).status_code == 302
    return client


def given(version, **fields):
    """What is typed to accept."""
    return {
        "version": version.number,
        "purchase_order_number": "PO-77",
        "accepted_by": "Pat Buyer",
        "role": "Purchasing",
        "terms_version": hashlib.sha256(TERMS.encode()).hexdigest()[:16],
        "agrees": "on",
        **fields,
    }


def accept(version, client, **fields):
    return client.post(page_of(version, "accept"), given(version, **fields))


def written():
    """What a refusal must leave as it was."""
    return {
        "orders": Order.objects.count(),
        "versions": list(QuoteVersion.objects.values_list("pk", "state")),
        "questions": QuoteQuestion.objects.count(),
        "events": AuditEvent.objects.count(),
        "mails": OutboxMessage.objects.count(),
        "files": PurchaseOrderFile.objects.count(),
    }
