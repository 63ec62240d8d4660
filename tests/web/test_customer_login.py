"""Customers log in by a code from their mail: contacts on file alone, in the browser that asked, once, for minutes."""

import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect

from portal import outbox
from portal.models import AuditEvent, OutboxMessage, SentMail, User
from tests import world
from tests.web.browsing import watched_page
from tests.web.mailed_codes import ASK, CONFIRM, HOME, ask, confirm, is_in, mailed
from tests.web.test_journeys import Keyboard

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


def test_who_asks_for_a_page_is_led_to_the_code_and_back(client, contact):
    asked = client.get("/my/account/").url
    assert asked == f"{ASK}?next=/my/account/"
    answer = ask(client, contact.email, next="/my/account/")
    assert answer.url == f"{CONFIRM}?next=%2Fmy%2Faccount%2F"
    assert 'name="next" value="/my/account/"' in client.get(answer.url).content.decode()
    assert not is_in(client)
    assert confirm(client, mailed(), next="/my/account/").url == "/my/account/"
    assert is_in(client)


def test_a_contact_on_file_gets_a_user_with_the_first_code_that_is_right(client, contact):
    ask(client, contact.email.upper())
    code = mailed()
    assert not User.objects.exists()  # a stranger who types an address makes nobody a user
    assert confirm(client, code).url == HOME
    user = User.objects.get()
    assert (user.email, user.name, user.role, user.customer) == (
        contact.email,
        "Ada Lenz",
        "customer",
        contact.customer,
    )
    assert not user.has_usable_password()
    events = list(AuditEvent.objects.values_list("action", "subject_id", "actor_name", "after"))
    made = {"email": contact.email, "name": "Ada Lenz", "role": "customer", "is_active": True}
    assert events == [("create", user.pk, "Log in", made), ("log_in", user.pk, "Ada Lenz", {"by": "code by mail"})]
    client.post(reverse("account_logout"))
    ask(client, contact.email)
    confirm(client, mailed())
    assert User.objects.count() == 1


def test_nobody_is_led_to_another_site(client, contact):
    ask(client, contact.email, next="https://elsewhere.example/")
    assert confirm(client, mailed(), next="https://elsewhere.example/").url == HOME


def test_the_mail_reads_as_text_and_links_to_no_login(client, contact):
    ask(client, contact.email)
    code = mailed()
    mail = SentMail.objects.get()
    assert mail.recipients == [contact.email]
    assert mail.subject == "Your code to log in"
    assert code not in mail.subject
    assert f"    {code}\n" in mail.text
    assert "It is good for 10 minutes, once, and in that browser alone." in " ".join(mail.text.split())
    assert max(map(len, mail.text.splitlines())) <= 78
    assert code in mail.html
    assert "login" not in re.sub(r"\s", "", mail.text).lower().replace("tologin", "")


def test_the_message_keeps_neither_address_nor_code(client, contact):
    ask(client, contact.email)
    ask(Client(), "stranger@nowhere.example")
    outbox.drain()
    assert list(OutboxMessage.objects.values_list("payload", flat=True)) == [{}, {}]
    assert not OutboxMessage.objects.filter(done_at=None).exists()


def answers_to(email):
    """Everything that a browser sees which asks for a code and types wrong ones."""
    client = Client()
    seen = []
    for answer in (ask(client, email), client.get(CONFIRM), confirm(client, "WRNG-CODE"), confirm(client, "")):
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(email, "X")
        seen.append((answer.status_code, body, {**answer.headers, "Content-Length": "", "Expires": ""}))
    return seen


def test_who_is_on_file_nowhere_gets_the_same_answer_and_no_mail(contact, today, settings):
    settings.PRODUCTION = True
    left = world.make_customer("Left").contacts.get()
    left.left_on = today
    left.save()
    closed = world.make_customer("Closed").contacts.get()
    world.make_user("customer", closed.email, customer=closed.customer, is_active=False)
    merged = world.make_customer("Merged", merged_into=contact.customer).contacts.get()
    staff = world.make_user()
    expected = answers_to(contact.email)
    others = [left.email, closed.email, merged.email, staff.email, "stranger@nowhere.example"]
    for email in others:
        for got, wanted in zip(answers_to(email), expected, strict=True):
            assert got == wanted, email
    outbox.drain()
    told = {mail.recipients[0]: mail.subject for mail in SentMail.objects.all()}
    assert told == {contact.email: "Your code to log in", staff.email: "Log in with your password"}
    assert User.objects.count() == 2


def test_known_or_unknown_the_same_queries_are_asked(contact, settings):
    settings.PRODUCTION = True

    def asked_of(email):
        with CaptureQueriesContext(connection) as queries:
            client = Client()
            ask(client, email)
            confirm(client, "WRNG-CODE")
        return [re.sub(r"'[^']*'|\d+|\w{32,}", "?", query["sql"]) for query in queries]

    assert asked_of(contact.email) == asked_of("stranger@nowhere.example")


def test_known_or_unknown_it_takes_the_same_time(contact, settings):
    settings.PRODUCTION, settings.ACCOUNT_RATE_LIMITS = True, False
    times = {contact.email: [], "stranger@nowhere.example": []}
    for _ in range(20):
        for email, taken in times.items():
            began = time.perf_counter()
            ask(Client(), email)
            taken.append(time.perf_counter() - began)
    known, unknown = times.values()
    wins = sum(a < b for a in known for b in unknown) / (len(known) * len(unknown))
    assert 0.1 < wins < 0.9, (statistics.median(known), statistics.median(unknown))


def test_staff_never_get_in_by_a_code(client, contact):
    staff = world.make_user("sales", contact.email)
    ask(client, staff.email)
    outbox.drain()
    mail = SentMail.objects.get()
    assert "log in with your password and your second factor" in " ".join(mail.text.split())
    code = client.session["account_login"]["state"]["stages"]["login_by_code"]["data"]["code"]
    assert code not in mail.text
    answer = confirm(client, code)  # which nobody has, but the database
    assert answer.status_code == 422
    assert "This is not the code of the newest mail." in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert client.get("/dongles/").status_code == 302


def test_a_code_that_a_contact_has_is_none_any_more_once_they_are_staff(client, contact):
    ask(client, contact.email)
    code = mailed()
    world.make_user("sales", contact.email)
    assert confirm(client, code).status_code == 422
    assert "_auth_user_id" not in client.session


def test_looking_uses_no_code_up(client, contact):
    ask(client, contact.email)
    code = mailed()
    for _ in range(7):
        assert client.get(f"{CONFIRM}?code={code}").status_code == 200
        assert client.head(CONFIRM).status_code == 200
    assert not is_in(client)
    assert confirm(client, code).url == HOME


def test_a_code_opens_the_browser_that_asked_and_no_other(client, contact):
    ask(client, contact.email)
    code, other = mailed(), Client()
    assert confirm(other, code).url == ASK
    ask(other, contact.email)
    assert confirm(other, code).status_code == 422
    assert not is_in(other)
    assert confirm(client, code).url == HOME


def test_a_code_is_good_once(client, contact):
    ask(client, contact.email)
    code = mailed()
    assert confirm(client, code).status_code == 302
    client.post(reverse("account_logout"))
    assert confirm(client, code).url == ASK
    assert not is_in(client)


def test_a_newer_code_takes_the_place_of_the_one_before(client, contact):
    ask(client, contact.email)
    first = mailed()
    ask(client, contact.email)
    second = mailed()
    assert first != second
    assert confirm(client, first).status_code == 422
    assert confirm(client, second).url == HOME


def test_a_code_may_be_typed_small_and_without_its_dash(client, contact):
    ask(client, contact.email)
    assert confirm(client, f" {mailed().lower().replace('-', ' ')} ").url == HOME


@pytest.mark.parametrize(("seconds", "is_good"), [(595, True), (605, False)])
def test_a_code_is_good_for_ten_minutes(client, contact, seconds, is_good):
    ask(client, contact.email)
    code, session = mailed(), client.session
    session["account_login"]["state"]["stages"]["login_by_code"]["data"]["at"] -= seconds
    session.save()
    answer = confirm(client, code, next="")
    assert is_in(client) is is_good
    if not is_good:
        assert answer.url == ASK
        assert "That code is too old. Ask for a new one." in client.get(ASK).content.decode()


def test_a_code_whose_mail_was_late_is_not_mailed(client, contact):
    ask(client, contact.email)
    OutboxMessage.objects.update(created_at=OutboxMessage.objects.get().created_at - timedelta(minutes=11))
    outbox.drain()
    assert not SentMail.objects.exists()


def test_five_wrong_codes_spend_it(client, contact):
    ask(client, contact.email)
    code = mailed()
    for _ in range(4):
        assert confirm(client, "WRNG-CODE").status_code == 422
        assert confirm(client, "  ").status_code == 422  # nothing typed is no attempt
    assert confirm(client, "WRNG-CODE").url == ASK
    assert "5 wrong codes: that code is good no more." in client.get(ASK).content.decode()
    assert confirm(client, code).url == ASK
    assert not is_in(client)
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_kind, event.subject_id) == ("spend_code", "contact", contact.pk)
    assert event.after == {"attempts": 5}


@pytest.mark.django_db(transaction=True)
def test_wrong_codes_typed_at_once_are_counted_one_by_one(client, contact):
    ask(client, contact.email)
    code, cookie = mailed(), client.session.session_key

    def guess(number):
        other = Client()
        other.cookies["sessionid"] = cookie
        try:
            return confirm(other, f"WRNG-COD{number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(guess, range(6))) == [302, 302, 422, 422, 422, 422]
    assert confirm(client, code).url == ASK
    assert AuditEvent.objects.get().action == "spend_code"


def test_what_was_typed_wrong_stays_in_the_field(client, contact):
    ask(client, contact.email)
    assert 'value="WRNG-CODE"' in confirm(client, "WRNG-CODE").content.decode()


def test_five_codes_in_a_quarter_of_an_hour_are_enough_for_an_address(contact):
    for email in (contact.email, "stranger@nowhere.example"):
        for number in range(5):
            assert ask(Client(REMOTE_ADDR=f"192.0.2.{number}"), email.title()).status_code == 302
        answer = ask(Client(REMOTE_ADDR="192.0.2.9"), email)
        assert answer.status_code == 422
        assert "Too many codes were asked for." in answer.content.decode()
        assert f'value="{email}"' in answer.content.decode()
    assert OutboxMessage.objects.count() == 10


def test_thirty_codes_an_hour_are_enough_for_a_place():
    client = Client(REMOTE_ADDR="192.0.2.7")
    for number in range(30):
        assert ask(client, f"somebody{number}@nowhere.example").status_code == 302
    assert ask(client, "another@nowhere.example").status_code == 422
    assert ask(Client(REMOTE_ADDR="192.0.2.8"), "another@nowhere.example").status_code == 302


def test_without_counting_no_code_is_sent(client, contact, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    answer = ask(client, contact.email)
    assert answer.status_code == 503
    assert not OutboxMessage.objects.exists()


def test_what_is_no_address_comes_back(client):
    answer = ask(client, "ada at cells")
    assert answer.status_code == 422
    assert 'value="ada at cells"' in answer.content.decode()
    assert "Write an e-mail address, like name@example.org." in answer.content.decode()
    assert not OutboxMessage.objects.exists()


def test_the_two_logins_lead_to_each_other_while_a_code_waits_too(client, contact):
    for _ in range(2):
        assert f'href="{reverse("account_login")}"' in client.get(ASK).content.decode()
        assert f'href="{ASK}"' in client.get(reverse("account_login")).content.decode()
        ask(client, contact.email)


def test_a_session_of_a_contact_who_has_left_reaches_nothing(client, contact, today):
    ask(client, contact.email)
    confirm(client, mailed())
    pages = [
        HOME,
        "/my/account/",
        "/my/account/export/file.json",
        "/my/account/passkeys/add/",
        "/my/account/addresses/",
    ]
    assert {client.get(page).status_code for page in pages} == {200}
    contact.left_on = today
    contact.save()
    assert {client.get(page).status_code for page in pages} == {403}
    page = client.get(HOME).content.decode()
    assert "that address is on file with no organisation any more" in page
    assert contact.customer.name not in page


def test_in_development_the_page_shows_the_code_of_invented_contacts_alone(client, contact, settings):
    def shown(email):
        ask(client, email)
        found = re.search(r"the code is <code>(\S+)</code>", client.get(CONFIRM).content.decode())
        return found and found[1]

    staff = world.make_user()
    real = world.make_customer("Real")
    real.contacts.update(email="ada@cells.ac.uk")
    assert [shown(email) for email in (staff.email, "stranger@nowhere.example", "ada@cells.ac.uk")] == [None] * 3
    code = shown(contact.email)
    settings.PRODUCTION = True
    assert shown(contact.email) is None
    settings.PRODUCTION = False
    assert code != (newest := shown(contact.email))
    assert confirm(client, newest).url == HOME


@pytest.mark.browser
@pytest.mark.parametrize("has_script", [True, False])
def test_the_way_in_by_the_keyboard_alone(portal, browser, has_script):
    contact = world.make_customer().contacts.get()
    with watched_page(browser, java_script_enabled=has_script) as page:
        hands = Keyboard(page) if has_script else None
        page.goto(portal + "/my/account/")
        if hands:
            hands.write("[name=email]", contact.email)
            hands.press("main button.button-primary")
            code = page.locator("#demo-code code").inner_text()
            hands.write("[name=code]", "x")
            hands.press("main button.button-primary")
            expect(page.get_by_role("alert")).to_be_focused()
            page.locator("[name=code]").fill("")
            hands.write("[name=code]", code)
            hands.press("main button.button-primary")
        else:
            page.fill("[name=email]", contact.email)
            page.click("main button.button-primary")
            page.fill("[name=code]", page.locator("#demo-code code").inner_text())
            page.click("main button.button-primary")
        expect(page.locator("h1")).to_have_text("Account")


@pytest.mark.parametrize("kind", ["login_code", "password_reset"])
def test_in_production_the_record_of_a_mail_keeps_nothing_that_logs_in(client, contact, settings, kind):
    world.make_user("customer", contact.email, customer=contact.customer)
    address = {"login_code": ASK, "password_reset": reverse("account_reset_password")}[kind]
    client.post(address, {"email": contact.email})
    message = OutboxMessage.objects.get(kind=kind)
    settings.PRODUCTION = True
    assert outbox.drain() == 1
    mail = SentMail.objects.get(message=message)
    assert mail.recipients == [contact.email]
    for text in (mail.text, mail.html):
        assert not re.search(r"/key/\w+-\w{6}-\w+|[A-Z]{4}-[A-Z]{4}", text)
        assert "…" in text
