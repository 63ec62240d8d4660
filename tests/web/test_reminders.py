"""The pages of reminders, and the page on which a contact stops them. The dongle's SMA ends in 30 days."""

import uuid
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from portal import outbox
from portal.models import AuditEvent, Contact
from portal.wording import write_day
from renewals.overviews.reminders import customer_reminders
from renewals.services.reminders import REMINDERS, post_reminders, switch_reminders
from tests import world
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in


def page(client, name, query=""):
    return text_of(client.get(reverse(f"renewals:{name}") + query))


def post(today):
    """Now: a mail posted at noon would not be due in the morning."""
    assert timezone.localdate() == today
    return post_reminders(actor=REMINDERS, at=timezone.now())


@pytest.fixture
def contact(dongle):
    return dongle.customer.contacts.get()


@pytest.fixture
def own_page(contact):
    return reverse("renewals:reminders_of_key", args=[contact.reminders_key])


def is_stopped(contact):
    contact.refresh_from_db()
    return contact.reminders_stopped_at is not None


# For staff


def test_what_is_coming_is_counted_by_day_and_named_for_one(dongle, contact, sales, today):
    later = world.make_dongle("204233", world.make_customer("Later"), [("VOL-VIS", str(today + timedelta(days=70)))])
    first = page(sales, "reminders")
    assert f"{write_day(today)} today 1 1 –" in first
    assert f"{write_day(today + timedelta(days=10))} 1 1 –" in first
    assert f"Institute of Cells 104233 30 days before the end, {write_day(today + timedelta(days=30))}" in first
    assert contact.email in first
    chosen = page(sales, "reminders", f"?on={today + timedelta(days=10)}")
    assert f"Later 204233 60 days before the end, {write_day(today + timedelta(days=70))}" in chosen
    assert later.customer.contacts.get().email in chosen


def test_what_was_posted_is_not_coming_but_sent(dongle, contact, sales, today):
    assert "No reminder has been sent" in page(sales, "reminders_sent")
    post(today)
    assert "Nothing in the next two weeks" in page(sales, "reminders")
    assert f"{contact.email} on its way" in page(sales, "reminders_sent")
    outbox.drain()
    told = page(sales, "reminders_sent", "?dongle=104233")
    assert f"{write_day(today)} Institute of Cells 104233 30 days before the end" in told
    assert f"{contact.email} {write_day(today)}," in told
    assert "104233 30 days" not in page(sales, "reminders_sent", "?dongle=204233")


def test_what_was_renewed_meanwhile_is_told_as_left_out(dongle, sales, today):
    post(today)
    world.sell(dongle, today)
    outbox.drain()
    told = page(sales, "reminders_sent")
    assert "left out, as renewed or changed meanwhile" in told
    assert "not mailed: nothing left to say, or not wanted" in told


def test_a_mail_that_no_server_takes_is_told(dongle, contact, sales, today, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    post(today)
    outbox.drain()
    assert f"{contact.email} not taken by the mail server yet, tried again" in page(sales, "reminders_sent")


def test_customers_whom_nobody_can_write_to_are_listed_with_the_reason(dongle, contact, sales, today):
    assert "Everybody can be written to" in page(sales, "reminders_unreached")
    Contact.objects.filter(pk=contact.pk).update(left_on=today)
    assert f"Institute of Cells {write_day(today)} today 1 No contact on file" in page(sales, "reminders_unreached")
    Contact.objects.filter(pk=contact.pk).update(left_on=None, reminders_stopped_at=world.at(today))
    assert "1 contact stopped reminders" in page(sales, "reminders_unreached")
    assert f"{write_day(today)} today 1 1 1" in page(sales, "reminders")


def test_sales_switches_a_contact_and_finance_only_looks(dongle, contact, sales, finance, today):
    address = reverse("renewals:switch_reminders", args=[contact.pk])
    assert finance.post(address, {"reminders": "off"}).status_code == 403
    assert not is_stopped(contact)
    answer = sales.post(address, {"reminders": "off", "back": "/queue/"})
    assert (answer.url, is_stopped(contact)) == ("/queue/", True)
    shown = page(sales, "reminders_stopped")
    assert f"{contact.name} {contact.email} Institute of Cells {write_day(today)}" in shown
    assert "Send again" in shown
    assert "Send again" not in page(finance, "reminders_stopped")
    answer = sales.post(address, {"reminders": "on", "back": "https://elsewhere.example/"})
    assert (answer.url, is_stopped(contact)) == (reverse("renewals:reminders_stopped"), False)
    assert [event.actor_name for event in AuditEvent.objects.filter(subject_kind="contact")] == ["Sales", "Sales"]


def test_switched_off_the_page_says_so(dongle, sales, settings):
    assert "one mail a day at most, from 7:00 on." in page(sales, "reminders")
    settings.REMINDERS = False
    assert "Reminders are switched off; nothing of this goes out." in page(sales, "reminders")


def test_the_pages_take_as_many_queries_however_much_is_shown(dongle, sales, today, django_assert_max_num_queries):
    post(today)
    for number in range(30):
        customer = world.make_customer(f"Customer {number}")
        world.make_dongle(f"C{number}", customer, [("VOL-VIS", str(today + timedelta(days=60)))])
        if number % 3 == 0:
            customer.contacts.update(left_on=today)
    # the session, the user; below each what it reads
    for name, most in (("reminders", 12), ("reminders_sent", 8), ("reminders_unreached", 10), ("reminders_stopped", 4)):
        with django_assert_max_num_queries(most):
            sales.get(reverse(f"renewals:{name}"))
    post(today)
    with django_assert_max_num_queries(8):
        assert page(sales, "reminders_sent").count("60 days before the end") == 20


def part_of(customer, today, **context):
    """What a customer's page shows."""
    shown = {**customer_reminders(customer, today), "customer": customer, "today": today, **context}
    return text_of(render_to_string("renewals/parts/reminders.html", shown, RequestFactory().get("/")))


def test_a_customer_s_page_says_who_gets_what_next_and_what_went_out(dongle, contact, today):
    part = part_of(dongle.customer, today, may_sell=True)
    assert f"{contact.name} {contact.email} Gets them Stop" in part
    stage = f"104233 30 days before the end, {write_day(today + timedelta(days=30))}"
    assert f"Next today, if nothing is renewed until then: {stage}" in part
    assert "No reminder has been sent yet." in part
    post(today)
    outbox.drain()
    part = part_of(dongle.customer, today)
    assert f"Next on {write_day(today + timedelta(days=23))}" in part
    assert f"{write_day(today)} 104233 30 days before the end" in part
    assert "Stop reminders" not in part
    Contact.objects.update(left_on=today)
    assert "No contact on file: nobody can be reminded." in part_of(dongle.customer, today)


# For the contact


def test_looking_changes_nothing(contact, own_page):
    answer = Client().get(own_page)
    assert f"Reminders go to {contact.email}: 90, 60, 30 and 7 days before" in text_of(answer)
    assert (answer["Cache-Control"], answer["X-Robots-Tag"]) == ("private, no-store", "noindex")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert Client().head(own_page).status_code == 200
    assert not is_stopped(contact)
    assert not AuditEvent.objects.filter(subject_kind="contact").exists()


def test_a_mail_program_stops_them_with_one_post_and_is_led_nowhere(contact, own_page):
    answer = Client(enforce_csrf_checks=True).post(own_page, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, is_stopped(contact)) == (200, True)
    assert f"Reminders to {contact.email} are stopped." in text_of(answer)
    event = AuditEvent.objects.get(subject_kind="contact")
    assert (event.action, event.actor_name) == ("stop_reminders", "By the link in a reminder")


def test_unknown_keys_are_answered_alike(dongle):
    addresses = [f"/reminders/{key}/" for key in (uuid.uuid4(), uuid.UUID(int=0), "nonsense", dongle.customer_id)]
    answers = [Client().get(address) for address in addresses] + [Client().post(addresses[0])]
    assert {(answer.status_code, text_of(answer)) for answer in answers} == {(404, text_of(answers[0]))}


@pytest.mark.browser
def test_a_contact_stops_reminders_and_has_them_again_without_script(portal, browser, today):
    customer = world.make_customer()
    contact = customer.contacts.get()
    found: list[str] = []
    with watched_page(browser, java_script_enabled=False) as tab:
        tab.goto(portal + reverse("renewals:reminders_of_key", args=[contact.reminders_key]))
        tab.click("text=Stop reminders to me")
        tab.get_by_text(f"Reminders to {contact.email} are stopped.").wait_for()
        assert is_stopped(contact)
        tab.reload()
        tab.click("text=Send me reminders again")
        tab.get_by_text(f"Reminders go to {contact.email}").wait_for()
        assert not is_stopped(contact)
    with watched_page(browser) as tab:
        for wanted in (True, False):
            switch_reminders(contact=contact, wanted=wanted, actor=world.SALES, at=world.at(today))
            tab.goto(portal + reverse("renewals:reminders_of_key", args=[contact.reminders_key]))
            check(tab, found)
    assert found == []


@pytest.mark.browser
def test_the_pages_have_no_barrier(portal, browser, client, today):
    world.make_user()
    customer = world.make_customer("Institute of Cells with a rather long name, in the old town")
    for number in range(7):
        world.make_dongle(f"10423{number}", customer, [("VOL-VIS", str(today + timedelta(days=30)))])
    world.make_dongle("204233", world.make_customer("Later"), [("VOL-VIS", str(today + timedelta(days=70)))])
    nobody = world.make_customer("Nobody to write to")
    world.make_dongle("304233", nobody, [("VOL-VIS", str(today + timedelta(days=67)))])
    switch_reminders(contact=nobody.contacts.get(), wanted=False, actor=world.SALES, at=world.at(today))
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as tab:
        log_in(tab, portal, client)
        tab.goto(portal + reverse("renewals:reminders_sent"))
        check(tab, found)
        post(today)
        outbox.drain()
        for name in ("reminders", "reminders_sent", "reminders_unreached", "reminders_stopped"):
            tab.goto(portal + reverse(f"renewals:{name}"))
            check(tab, found)
    assert found == []
