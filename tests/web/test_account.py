"""The account: customers keep who is on file and where post goes, and take everything held about them along."""

import json
import re
import tracemalloc

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from portal import outbox
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer, OutboxMessage, SentMail, User
from portal.services import customers
from portal.services.customers import Addresses
from portal.services.logins import open_account
from renewals.documents.quote import quote_data, quote_pdf
from renewals.models import QuoteVersion, RenewalRequest
from renewals.overviews import held
from renewals.services.quotes import draft_quote
from renewals.services.reminders import switch_reminders
from renewals.services.replacements import transfer_dongle
from renewals.services.requests import record_request
from tests import world
from tests.documents.reading import words_of
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check, look_at
from tests.web.test_journeys import log_in

pytestmark = pytest.mark.django_db
ACCOUNT = reverse("renewals:my_account")
NEW = reverse("renewals:my_new_contact")
ADDRESSES = reverse("renewals:my_addresses")
FILE = reverse("renewals:my_export_file")


@pytest.fixture
def ada(dongle):
    return dongle.customer.contacts.get()


@pytest.fixture
def bo(ada):
    return Contact.objects.create(customer=ada.customer, name="Bo Berg", email="bo@cells.example")


def of(contact, step=""):
    return reverse(f"renewals:my_contact{step}", args=[contact.pk])


def mails():
    outbox.drain()
    return [(mail.subject, mail.recipients, mail.text) for mail in SentMail.objects.order_by("pk")]


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


# Who is on file


def test_a_contact_puts_a_colleague_on_file_and_the_others_are_told(owner, ada, bo):
    assert owner.post(NEW, {"name": " Cleo  Cole ", "email": "cleo@cells.example"}).url == ACCOUNT
    cleo = Contact.objects.get(email="cleo@cells.example")
    assert (cleo.name, cleo.customer) == ("Cleo Cole", ada.customer)
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id, event.actor.email) == ("add_contact", ada.customer_id, ada.email)
    [(subject, recipients, text)] = mails()
    assert subject == "Institute of Cells: a contact was added"
    assert recipients == [ada.email, bo.email]  # not to an address that nobody knows to be right
    assert "Customer has put a person on file for Institute of Cells:\n\n    Cleo Cole, cleo@cells.example" in text
    assert "Cleo Cole is on file." in text_of(owner.get(ACCOUNT))


def test_who_was_put_on_file_may_log_in(owner, ada):
    cache.clear()
    owner.post(NEW, {"name": "Cleo", "email": "cleo@cells.example"})
    outbox.drain()
    client = Client()
    client.post(reverse("account_request_login_code"), {"email": "cleo@cells.example"})
    outbox.drain()
    assert SentMail.objects.order_by("-pk")[0].recipients == ["cleo@cells.example"]


def test_what_sales_does_about_contacts_is_not_mailed(sales, ada):
    sales.post(reverse("renewals:new_contact", args=[ada.customer_id]), {"name": "Di", "email": "di@cells.example"})
    assert Contact.objects.count() == 2
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "email": "x@cells.example"}, "Enter the person’s name."),
        ({"name": "Bo", "email": "bo at cells"}, "Enter a valid email address."),
        ({"name": "Bo", "email": "BO@cells.example"}, "Bo Berg, bo@cells.example, is on file already."),
    ],
)
def test_what_can_not_be_comes_back_as_typed(owner, bo, typed, sentence):
    answer = owner.post(NEW, typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert f'value="{typed["email"]}"' in answer.content.decode()
    assert Contact.objects.count() == 2
    assert actions() == []
    assert not OutboxMessage.objects.exists()


def test_a_new_address_is_told_a_new_name_is_not(owner, ada, bo):
    owner.post(of(bo), {"name": "Bo Berg-Hall", "email": bo.email})
    assert mails() == []
    owner.post(of(bo), {"name": "Bo Berg-Hall", "email": "hall@cells.example"})
    [(subject, recipients, text)] = mails()
    assert subject == "Institute of Cells: a contact has a new address"
    assert recipients == [ada.email, "hall@cells.example"]
    assert "Bo Berg-Hall, hall@cells.example" in text
    assert actions() == ["change_contact", "change_contact"]


def test_who_changes_their_own_address_logs_in_anew_with_it(owner, ada):
    page = text_of(owner.get(of(ada)))
    assert "This is you. If you change the address, you log in anew with the other one." in page
    assert owner.post(of(ada), {"name": ada.name, "email": "lenz@cells.example"}).url == reverse(
        "account_request_login_code"
    )
    assert "this address is not on file any more" in text_of(owner.get(reverse("account_request_login_code")))
    assert owner.get(ACCOUNT).status_code == 302


def test_a_contact_who_has_left_is_out_and_may_be_brought_back(owner, ada, bo, today):
    client = Client()
    world.log_in(client, world.make_user("customer", bo.email, customer=bo.customer))
    assert client.get(ACCOUNT).status_code == 200
    assert owner.post(of(bo, "_left")).url == ACCOUNT
    bo.refresh_from_db()
    assert bo.left_on == today
    assert client.get(ACCOUNT).status_code == 403
    assert client.post(NEW, {"name": "Eve", "email": "eve@cells.example"}).status_code == 403
    assert Contact.objects.count() == 2
    assert "1 person has left" in text_of(owner.get(ACCOUNT))
    outbox.drain()
    owner.post(of(bo, "_came_back"))
    assert client.get(ACCOUNT).status_code == 200
    assert actions() == ["contact_left", "contact_came_back"]
    assert [(subject, recipients) for subject, recipients, _ in mails()] == [
        ("Institute of Cells: a contact has left", [ada.email]),
        ("Institute of Cells: a contact is on file again", [ada.email]),
    ]


def test_the_last_who_can_be_reached_does_not_leave(owner, ada, today):
    Contact.objects.create(customer=ada.customer, name="Gone", email="gone@cells.example", left_on=today)
    Contact.objects.create(customer=ada.customer, name="Without an address")
    page = owner.get(of(ada))
    assert "Nobody else on file can be reached." in text_of(page)
    assert "I have left" not in text_of(page)
    answer = owner.post(of(ada, "_left"), headers={"referer": f"http://testserver{of(ada)}"}, follow=True)
    assert "Ada Lenz is the only one on file who can be reached. Add somebody else first." in text_of(answer)
    ada.refresh_from_db()
    assert ada.left_on is None
    assert actions() == []
    actor = Actor.of(User.objects.get())
    with pytest.raises(DomainError) as refused:
        customers.contact_left(contact=ada, actor=actor, at=world.at(today))
    assert refused.value.code == "last_contact"


def test_sales_may_mark_the_last_one(sales, ada, today):
    sales.post(reverse("renewals:contact_left", args=[ada.customer_id, ada.pk]))
    ada.refresh_from_db()
    assert ada.left_on == today


def test_reminders_are_stopped_and_wanted_again_for_colleagues_too(owner, ada, bo):
    owner.post(of(bo, "_reminders"), {"reminders": "off"})
    bo.refresh_from_db()
    assert bo.reminders_stopped_at is not None
    assert "No reminders since" in text_of(owner.get(ACCOUNT))
    owner.post(of(bo, "_reminders"), {"reminders": "on"})
    bo.refresh_from_db()
    assert bo.reminders_stopped_at is None
    assert actions() == ["stop_reminders", "resume_reminders"]


def test_services_refuse_whoever_is_not_on_file_with_the_organisation(owner, ada, today):
    """Whatever a page may forget: the services decide in one place."""
    stranger = world.make_customer("Somebody else")
    there = stranger.contacts.get()
    by = {"actor": Actor.of(User.objects.get()), "at": world.at(today)}
    ways = [
        lambda: customers.add_contact(customer=stranger, name="Eve", email="eve@cells.example", **by),
        lambda: customers.change_contact(contact=there, name="Eve", email="eve@cells.example", **by),
        lambda: customers.contact_left(contact=there, **by),
        lambda: customers.contact_came_back(contact=there, **by),
        lambda: customers.change_addresses(customer=stranger, addresses=Addresses("Here"), **by),
        lambda: switch_reminders(contact=there, wanted=False, **by),
    ]
    for way in ways:
        with pytest.raises(DomainError) as refused:
            way()
        assert refused.value.code == "not_allowed"
    details = customers.CustomerDetails.of(ada.customer)._replace(segment="academic")
    with pytest.raises(DomainError) as refused:  # nor the terms of their own
        customers.change_customer(customer=ada.customer, details=details, **by)
    assert refused.value.code == "not_allowed"
    assert actions() == []
    assert not Customer.objects.exclude(postal_address="").exists()
    ada.left_on = today
    ada.save()
    with pytest.raises(DomainError):
        customers.add_contact(customer=ada.customer, name="Eve", email="eve@cells.example", **by)
    assert Contact.objects.count() == 2


# Addresses


def test_addresses_are_kept_line_by_line_and_stand_on_quotes(owner, dongle, today):
    typed = {"postal_address": "  Cell Road  1 \r\n\r\n10115 Berlin\r\n", "invoice_address": "Accounts\r\nBox 7"}
    assert owner.post(ADDRESSES, typed).url == ACCOUNT
    dongle.customer.refresh_from_db()
    assert dongle.customer.postal_address == "Cell Road 1\n10115 Berlin"
    event = AuditEvent.objects.get()
    assert event.after == {"postal_address": "Cell Road 1\n10115 Berlin", "invoice_address": "Accounts\nBox 7"}
    data = quote_data(world.draft(dongle, today), today)
    assert (data["postal_address"], data["invoice_address"]) == (["Cell Road 1", "10115 Berlin"], ["Accounts", "Box 7"])
    words = words_of(quote_pdf(QuoteVersion.objects.get(), on=today))
    assert "Cell Road 1 10115 Berlin Germany" in words
    assert "Invoice to Accounts Box 7" in words
    owner.post(ADDRESSES, typed)
    assert AuditEvent.objects.filter(action="change").count() == 1
    page = text_of(owner.get(ACCOUNT))
    assert "Cell Road 1" in page
    assert "Changed" in page


def test_an_address_that_would_not_fit_is_refused(owner, dongle):
    answer = owner.post(ADDRESSES, {"postal_address": "\n".join("abcdefgh")})
    assert answer.status_code == 422
    assert "Write 7 lines and 400 letters at most." in text_of(answer)
    assert "a\nb\nc" in answer.content.decode()
    dongle.customer.refresh_from_db()
    assert dongle.customer.postal_address == ""
    assert actions() == []


def test_sales_keeps_them_too(sales, dongle):
    page = reverse("renewals:change_customer", args=[dongle.customer_id])
    form = sales.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    assert sales.post(page, {**typed, "postal_address": "Cell Road 1"}).status_code == 302
    assert "Cell Road 1" in text_of(sales.get(reverse("renewals:customer", args=[dongle.customer_id])))


def test_what_was_changed_names_people_of_their_own_and_the_vendor_as_a_whole(owner, sales, ada):
    owner.post(NEW, {"name": "Cleo", "email": "cleo@cells.example"})
    cleo = Contact.objects.get(email="cleo@cells.example")
    sales.post(reverse("renewals:contact", args=[ada.customer_id, cleo.pk]), {"name": "Cleo C", "email": cleo.email})
    details = customers.CustomerDetails.of(ada.customer)._replace(segment="academic")
    customers.change_customer(customer=ada.customer, details=details, actor=world.SALES, at=world.at("2026-02-01"))
    rows = held.recent_changes(ada.customer, 10)
    assert [(row["what"], row["by"]) for row in rows] == [
        ("Contact changed", "Imaging Vendor Ltd"),
        ("Contact added", "Customer"),
    ]
    assert "academic" not in text_of(owner.get(ACCOUNT))


# Everything held


def read(client):
    return json.loads(b"".join(client.get(FILE).streaming_content))


def test_the_file_holds_everything_about_them(owner, dongle, ada, today):
    record_request(
        serial=dongle.serial, name="Ada", email=ada.email, message="Two years?", actor=world.SALES, at=world.at(today)
    )
    order = world.sell(dongle, today, renew_years=1)
    outbox.drain()
    found = read(owner)
    assert list(found) == ["written_at", "written_by", "parts", "organisation", *found["parts"]]
    assert found["organisation"]["name"] == "Institute of Cells"
    assert [each["email"] for each in found["contacts"]] == [ada.email]
    assert [each["email"] for each in found["logins"]] == [ada.email]
    [held_dongle] = found["dongles"]
    assert held_dongle["serial"] == dongle.serial
    assert [len(each["sma_periods"]) for each in held_dongle["licences"]] == [2, 2]
    [quote] = found["quotes"]
    # Two licences for a year: 1,200.00 + 900.00 = 2,100.00, with 19 % tax 2,499.00.
    assert (quote["net"], quote["tax"], quote["total"]) == ("2100.00", "399.00", "2499.00")
    assert [line["net"] for line in quote["dongles"][0]["lines"]] == ["1200.00", "900.00"]
    assert [each["number"] for each in found["orders"]] == [order.number]
    assert [each["code"] for each in found["codes"]] == [dongle.codes.get().letters]
    assert [each["message"] for each in found["requests"]] == ["Two years?"]
    assert {tuple(each["recipients"]) for each in found["mails"]} == {(ada.email,)}
    assert len(found["mails"]) == SentMail.objects.count() == 2
    assert {"Sent", "Order placed", "Order fulfilled", "Unlock code issued"} <= {
        each["what"] for each in found["deeds"]
    }
    assert AuditEvent.objects.filter(action="export", subject_id=ada.customer_id).count() == 1


def test_no_secret_is_in_it(owner, dongle, ada, today):
    cache.clear()
    order = world.sell(dongle, today)
    Client().post(reverse("account_request_login_code"), {"email": ada.email})
    outbox.drain()
    text = json.dumps(read(owner))
    user = User.objects.get()
    [code_mail] = SentMail.objects.filter(subject="Your code to log in")
    secrets = [
        order.version.key,
        str(ada.reminders_key),
        user.password,
        re.search(r"\S{4}-\S{4}$", code_mail.text, re.MULTILINE)[0],
    ]
    for secret in secrets:
        assert secret
        assert secret not in text
    assert "(link)" in text
    assert "Your code to log in" not in text


def test_nothing_of_other_customers_is_in_it(owner, dongle, ada, today):
    """Though a dongle of theirs is now here, a person of theirs is on file here too, and a stranger asked for ours."""
    other = world.make_customer("Somebody else")
    Contact.objects.create(customer=other, name="Ada over there", email=ada.email)
    theirs = world.make_dongle("204233", other, [("VOL-VIS", today.isoformat())])
    world.sell(theirs, today)
    outbox.drain()
    record_request(
        serial=dongle.serial, name="A stranger", email="stranger@nowhere.example", actor=world.SALES, at=world.at(today)
    )
    before = json.dumps(read(owner))
    handed = {"customer": ada.customer, "reason": "Sold on", "actor": world.SALES}
    transfer_dongle(dongle=theirs, at=world.at(today, hour=13), **handed)
    after = read(owner)
    for text in (before, json.dumps(after)):
        for foreign in (
            "Somebody else",
            "over there",
            "stranger@",
            other.contacts.first().email,
            other.orders.get().number,
        ):
            assert foreign not in text
    assert "204233" not in before
    assert [each["serial"] for each in after["dongles"]] == [dongle.serial, "204233"]
    assert after["codes"] == []  # those from before it came are not theirs
    assert [each["what"] for each in after["deeds"] if each["which"] == "204233"] == ["Handed on"]


def test_drafts_and_how_the_vendor_priced_are_not_in_it(owner, dongle, ada, today):
    draft_quote(customer=ada.customer, requests=[world.DongleRequest(dongle, 1)], actor=world.SALES, at=world.at(today))
    found = read(owner)
    assert found["quotes"] == []
    assert "Drafted" not in json.dumps(found["deeds"])


def test_it_is_written_piece_by_piece_however_much_there_is(ada, today):
    """Five times the rows take hardly more memory."""
    dongle = ada.customer.dongles.get()

    def peak():
        tracemalloc.start()
        size = sum(map(len, held.held_about(ada.customer, world.at(today))))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, most

    def ask(number):
        RenewalRequest.objects.bulk_create(
            RenewalRequest(
                serial=dongle.serial, dongle=dongle, name="Ada", email=ada.email, message="x" * 500,
                received_at=world.at(today),
            )
            for _ in range(number)
        )  # fmt: skip

    peak()
    ask(400)
    small, few = peak()
    ask(1600)
    large, many = peak()
    assert large > 4 * small
    assert many < 1.3 * few


def test_the_page_says_what_is_in_the_file(owner):
    page = text_of(owner.get(reverse("renewals:my_export")))
    for part in held.PARTS:
        assert part.words in page
    answer = owner.get(FILE)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="institute-of-cells-')
    assert answer.streaming


@pytest.mark.browser
def test_the_pages_are_for_everybody(portal, browser, client, today):
    contact = world.make_customer(postal_address="Cell Road 1\n10115 Berlin").contacts.get()
    for name, left_on in (("Bo Berg", None), ("Cy Gone", today)):
        Contact.objects.create(
            customer=contact.customer, name=name, email=f"{name[:2].lower()}@cells.example", left_on=left_on
        )
    other = world.make_customer("Institute with a name so long that no telephone shows it whole")
    other.contacts.update(email=contact.email)
    user = world.make_user("customer", contact.email, customer=contact.customer)
    found = []
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(portal + reverse("account_login_by_passkey"))
        check(page, found)
        page.goto(portal + reverse("account_request_login_code"))
        check(page, found)
        page.fill("[name=email]", contact.email)
        page.click("main button.button-primary")
        page.locator("[name=code]").wait_for()
        check(page, found)
        log_in(page, portal, client, user)
        look_at(page, portal, found, "renewals:my_addresses", "renewals:my_add_passkey", "renewals:my_export")
        look_at(page, portal, found, reverse("renewals:my_contact", args=[contact.pk]))
        page.goto(portal + NEW)
        page.fill("[name=email]", "bo@cells.example")
        page.click("main button.button-primary")
        check(page, found)
        page.goto(portal + ACCOUNT)
        page.locator("details summary").last.click()
        check(page, found)
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert found == []


def test_the_file_tells_nothing_of_who_is_on_file_with_others_and_was_only_written_down_here(owner, ada, client):
    theirs = world.make_customer("Zeta Institute")
    Contact.objects.filter(customer=theirs).update(name="Zoe", email="zoe@zeta.example")
    zoe = world.make_user("customer", "zoe@zeta.example", customer=theirs)
    client.force_login(zoe)
    record(Actor.of(zoe), world.at("2026-02-01"), Deed("log_in", zoe))
    owner.post(NEW, {"name": "Zoe", "email": zoe.email})
    found = json.loads(b"".join(owner.get(FILE)))
    assert [each["email"] for each in found["contacts"]] == [ada.email, zoe.email]
    assert [each["email"] for each in found["logins"]] == [ada.email]
    assert not [each for each in found["deeds"] if each["kind"] == "User"]


def test_who_is_put_on_file_elsewhere_later_still_logs_in_to_their_own_organisation(ada, client):
    first = world.make_customer("Aardvark Laboratory")
    Contact.objects.create(customer=first, name="Ada", email=ada.email)
    user = open_account(email=ada.email, actor=world.SALES, at=world.at("2026-02-01"))
    assert user.customer == ada.customer
