"""The mails to customers: what they say, to whom they go, and what is not mailed any more.

VOL-VIS costs 1,200.00 a year and VOL-QNT 900.00: together 2,100.00, with 19% tax (399.00) 2,499.00.
"""

import re
from datetime import date

import pytest
from django.test import override_settings
from django.urls import reverse

from dongles.models import UnlockCode
from portal import outbox
from portal.mail import in_columns
from portal.models import Contact, OutboxMessage, SentMail
from renewals.services.cancellations import cancel_order
from tests import world

pytestmark = pytest.mark.django_db


def newest_mail() -> SentMail:
    outbox.drain()
    return SentMail.objects.latest("pk")


def test_a_quote_mail_says_what_is_offered_and_what_to_do(dongle):
    version = world.send(dongle, "2026-02-01")
    mail = newest_mail()
    assert mail.subject == f"Quote {version.quote.number}: SMA for dongle 104233"
    assert mail.recipients == [dongle.customer.contacts.get().email]
    assert "version 1" not in mail.text + mail.html
    for said in (
        "for Institute of Cells",
        "It is valid until 3 Mar 2026, that day included.",  # 1 Feb 2026 + 30 days
        "SMA expiry date now: 31 Mar 2026",
        "With this quote:     31 Mar 2027",
        "  - Volocity Visualisation: SMA, one year\n    1 Apr 2026 to 31 Mar 2027: €1,200.00\n",
        "Net:   €2,100.00",
        "Tax:   €399.00 (19%)",
        "Total: €2,499.00 (EUR)",
        "See, accept or decline the quote at\nhttp://127.0.0.1:8000/q/",
        "Or reply to this mail with your purchase order number.",
    ):
        assert said in mail.text
    assert "€2,499.00" in mail.html
    assert "31 Mar 2027" in mail.html


def test_a_code_mail_holds_the_printed_rows_and_asks_for_the_receipt(dongle):
    order = world.sell(dongle, "2026-02-01")
    mail = newest_mail()
    code = UnlockCode.objects.get()
    rows = re.findall(r"^  \d+  ([0-9A-Z -]+)$", mail.text, re.MULTILINE)
    assert "".join(row.replace("-", "").replace(" ", "") for row in rows) == code.letters
    assert mail.subject == f"Unlock code for dongle 104233 (order {order.number})"
    for said in ("SMA expiry date after this code: 31 Mar 2027", "(your purchase order PO-77)", "reply to this mail"):
        assert said in mail.text
    assert all(row in mail.html for row in rows)


def test_a_code_after_a_cancellation_says_so(dongle):
    order = world.sell(dongle, "2026-02-01")
    outbox.drain()
    cancel_order(
        order=order, from_on=date(2026, 10, 1), reason="Budget cut", actor=world.SALES, at=world.at("2026-10-01")
    )
    mail = newest_mail()
    assert f"Order {order.number} was cancelled." in mail.text
    assert "SMA expiry date after this code: 30 Sep 2026" in mail.text
    assert "extends" not in mail.text


def test_a_code_that_a_newer_one_replaces_is_not_mailed(dongle):
    order = world.sell(dongle, "2026-02-01")
    cancel_order(
        order=order, from_on=date(2026, 10, 1), reason="Budget cut", actor=world.SALES, at=world.at("2026-10-01")
    )
    outbox.drain()
    codes = SentMail.objects.filter(subject__startswith="Unlock code")
    assert [("cancelled" in mail.text) for mail in codes] == [True]
    assert not OutboxMessage.objects.filter(done_at__isnull=True).exists()


def test_a_superseded_quote_is_not_mailed(dongle):
    first = world.send(dongle, "2026-02-01")
    world.send(dongle, "2026-02-02", renew_years=2, revises=first.quote)
    outbox.drain()
    assert [mail.subject.partition(":")[0] for mail in SentMail.objects.all()] == [
        f"Quote {first.quote.number}, version 2"
    ]


def test_who_has_left_gets_no_mail_and_a_new_contact_gets_the_code_that_waits(dongle):
    world.sell(dongle, "2026-02-01")
    dongle.customer.contacts.update(left_on=date(2026, 2, 1))
    outbox.drain()
    assert not SentMail.objects.exists()
    waiting = OutboxMessage.objects.get(kind="code_issued")
    assert "Institute of Cells has no contact with an e-mail address on file." in waiting.last_error

    Contact.objects.create(customer=dongle.customer, name="Bo Lind", email="bo@cells.example")
    OutboxMessage.objects.filter(pk=waiting.pk).update(due_at=world.at("2026-02-02"))
    assert outbox.deliver(waiting.pk)
    assert SentMail.objects.get().recipients == ["bo@cells.example"]


def test_names_with_markup_stay_as_they_are_in_text_and_harmless_in_html(dongle):
    dongle.customer.name = "Cells & <b>Sons</b>"
    dongle.customer.save()
    world.send(dongle, "2026-02-01")
    mail = newest_mail()
    assert "for Cells & <b>Sons</b>" in mail.text
    assert "Cells &amp; &lt;b&gt;Sons&lt;/b&gt;" in mail.html


def test_mails_load_nothing_and_lead_nowhere_but_to_the_portal(dongle, settings):
    world.sell(dongle, "2026-02-01")
    outbox.drain()
    for mail in SentMail.objects.all():
        assert not re.search(r"src=|<link|<script|url\(", mail.html)
        assert set(re.findall(r"https?://[^/\"<)]+", mail.html)) <= {settings.ADDRESS}
        assert 'content="light dark"' in mail.html


def test_sent_mail_has_a_page_in_development_only(client, dongle):
    world.send(dongle, "2026-02-01")
    mail = newest_mail()
    world.log_in(client, world.make_user("finance"))
    detail = reverse("sent_mail_detail", args=[mail.pk])
    assert mail.subject in client.get(reverse("sent_mail")).content.decode()
    assert "Total: €2,499.00 (EUR)" in client.get(detail).content.decode()
    with override_settings(PRODUCTION=True):
        assert [client.get(path).status_code for path in (reverse("sent_mail"), detail)] == [404, 404]


def test_a_quote_writes_dates_and_amounts_as_the_customer_does(dongle):
    dongle.customer.locale = "de_DE"
    dongle.customer.save()
    world.send(dongle, "2026-02-01")
    mail = newest_mail()
    # 1,200.00 + 900.00, 19 % tax 399.00
    for text in (mail.text, mail.html):
        assert "2.499,00\xa0€" in text
        assert "03.03.2026" in text  # thirty days after the day of sending
        assert "31.03.2027" in text


def test_a_quote_mail_that_leaves_late_says_the_date_that_the_quote_was_priced_with(dongle):
    version = world.send(dongle, "2026-02-01")
    type(dongle).objects.filter(pk=dongle.pk).update(issued_expiry_on="2026-04-09")  # by a bridge, say
    assert "SMA expiry date now: 31 Mar 2026" in newest_mail().text
    assert version.dongles.get().paid_through.isoformat() == "2026-03-31"


def test_no_line_of_a_text_is_longer_than_78_columns_but_an_address():
    long = "  - " + "word " * 30
    address = "http://127.0.0.1:8000/" + "q" * 80
    lines = in_columns(f"{long}\n\n{address}\n1  2009-JEGS-S400-0097 85\n\n").splitlines()
    assert lines[1].startswith("    word")
    assert max(map(len, lines[:2])) <= 78
    assert " ".join(lines[:2]).split() == long.split()  # nothing is lost
    assert lines[2:] == ["", address, "1  2009-JEGS-S400-0097 85"]
