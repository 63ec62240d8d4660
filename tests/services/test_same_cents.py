"""One engine, the same cents everywhere: random quotes as page, API, document, e-mail and order see them.

Ten of them here, a thousand by `make proof`.
"""

import io
import os
import random
import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from dongles.terms import term_end
from portal import outbox
from portal.errors import DomainError
from portal.models import OutboxMessage, SentMail
from portal.wording import write_figure, write_money
from renewals.models import OrderLine, RevenueSegment
from renewals.pricing import AddedLicence
from renewals.queries import Concessions, DongleRequest
from renewals.services import orders, quotes
from tests import world
from tests.api.asking import get
from tests.api.conftest import client_of as api_client_of
from tests.web.conftest import client_of

BATCHES = 5
QUOTES = int(os.environ.get("PROOF_QUOTES", "10")) // BATCHES
PRODUCTS = ("VOL-VIS", "VOL-QNT")


def random_dongle(rng, serial, customer, today):
    """One to three licences, each with its own end, lapsed or not, of one to five seats."""
    ends = [today + timedelta(days=rng.randint(-900, 400)) for _ in range(rng.randint(1, 3))]
    dongle = world.make_dongle(serial, customer, licences=[(rng.choice(PRODUCTS), end.isoformat()) for end in ends])
    for licence in dongle.licences.all():
        licence.seats = rng.randint(1, 5)
        licence.save()
    return dongle


def random_request(rng, dongle, today):
    added = tuple(AddedLicence(rng.choice(PRODUCTS), rng.randint(1, 3)) for _ in range(rng.choice([0, 0, 0, 1, 2])))
    if rng.random() < 0.3:
        to = term_end(today, rng.randint(13, 60)) + timedelta(days=rng.randint(0, 27))
        return DongleRequest(dongle, None, to, added)
    return DongleRequest(dongle, rng.randint(1, 5), None, added)


def random_concessions(rng):
    discount = Decimal(rng.choice(["0", "0", "0.05", "0.075", "0.1234"]))
    return Concessions(discount, rng.random() < 0.2, rng.choice([0, 0, 0, 1, 5]))


def draft(rng, dongles, today):
    asked = [random_request(rng, dongle, today) for dongle in rng.sample(dongles, rng.choice([1, 1, 2, 3]))]
    return quotes.draft_quote(
        customer=dongles[0].customer,
        requests=asked,
        concessions=random_concessions(rng),
        discount_reason="At random",
        part_month=rng.choice(["", "exact", "whole"]),
        actor=world.SALES,
        at=timezone.now(),
    )


def figures(text):
    """All amounts in a text, as they are written."""
    return re.findall(r"[\d,]*\d\.\d\d", text)


def lines_of(version):
    return [line for quoted in version.dongles.all() for line in quoted.lines.all()]


def check_page(version, sales):
    page = sales.get(reverse("renewals:quote_version", args=[version.quote_id, version.number])).content.decode()
    shown = re.findall(r'<td data-label="Net" class="figure">([^<]*)</td>', page)
    assert shown == [write_figure(line.net, "EUR") for line in lines_of(version)]
    totals = re.search(r'<dl class="totals">.*?</dl>', page, re.DOTALL)[0]
    assert re.findall(r"<dd>([^<]*)</dd>", totals) == [
        write_money(amount, "EUR") for amount in (version.net, version.tax, version.total)
    ]


def check_api(version, api):
    answer = get(api, f"quotes/{version.quote_id}/versions/{version.number}/").json()
    cents = [int(Decimal(line["net"]) * 100) for each in answer["dongles"] for line in each["lines"]]
    assert cents == [line.net for line in lines_of(version)]
    assert [int(Decimal(answer[name]) * 100) for name in ("net", "tax", "total")] == [
        version.net,
        version.tax,
        version.total,
    ]


def check_document(version):
    reader = PdfReader(io.BytesIO(bytes(version.document.pdf)))
    printed = Counter(figures(" ".join(page.extract_text() for page in reader.pages)))
    expected = Counter(write_figure(line.net, "EUR") for line in lines_of(version))
    expected.update(write_figure(amount, "EUR") for amount in (version.net, version.tax, version.total))
    assert not expected - printed, (version, expected - printed)


def check_mail(version):
    outbox.deliver(OutboxMessage.objects.get(kind="quote_sent", payload__contains={"version": version.pk}).pk)
    mail = SentMail.objects.order_by("-pk").first()
    expected = [write_figure(line.net, "EUR") for line in lines_of(version)]
    expected += [write_figure(amount, "EUR") for amount in (version.net, version.tax, version.total)]
    for text in (mail.text, re.sub(r"<[^>]*>", " ", mail.html)):
        assert sorted(figures(text)) == sorted(expected)


def check_order(version):
    """What is booked of an order is what was quoted; then it never happened, for the quotes to come."""
    with transaction.atomic():
        order = orders.accept_quote(
            version=version, purchase_order_number="PO-1", accepted_by="Ada", actor=world.SALES, at=timezone.now()
        )
        sold = OrderLine.objects.filter(order=order, quote_line__isnull=False).values_list("quote_line", "net")
        assert dict(sold) == {line.pk: line.net for line in lines_of(version)}
        booked = RevenueSegment.objects.filter(order_line__order=order).aggregate(Sum("amount"))["amount__sum"]
        assert booked == version.net
        transaction.set_rollback(True)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_page_api_document_mail_and_order_say_the_same_cents(batch, catalogue, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    rng, today = random.Random(batch), timezone.localdate()
    world.make_release("9.0", (today - timedelta(days=200)).isoformat())
    world.make_release("10.0", (today - timedelta(days=20)).isoformat())
    customer, sales, approver = world.make_customer(), client_of("sales"), world.make_user("administrator")
    api = api_client_of(world.make_user("sales", "other@vendor.example"))
    dongles = [random_dongle(rng, f"30{number:04}", customer, today) for number in range(12)]
    made = refused = 0
    while made < QUOTES:
        try:
            version = draft(rng, dongles, today)
        except DomainError as refusal:
            if refusal.code not in ("align_too_early", "nothing_to_buy"):
                raise
            refused += 1
            assert refused < 10 * QUOTES
            continue
        made += 1
        quotes.approve_quote(version=version, actor=world.Actor.of(approver), at=timezone.now(), reason="At random")
        quotes.send_quote(version=version, actor=world.SALES, at=timezone.now())
        check_page(version, sales)
        check_api(version, api)
        check_document(version)
        check_mail(version)
        check_order(version)
