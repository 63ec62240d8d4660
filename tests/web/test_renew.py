"""The public pages: what they ask, keep and say; that they tell nothing of what is on record (Q5), and bear abuse."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.models import OutboxMessage, User
from renewals.models import QuoteVersion, RenewalRequest
from renewals.overviews import work_queue
from renewals.services.answers import PORTAL, answer_at_once
from tests import world
from tests.races import at_once
from tests.services.test_answers import ada_of
from tests.web.reading import text_of

SERIALS, DETAILS, CHECK, DONE = (
    reverse(f"renewals:{name}") for name in ("renew", "renew_details", "renew_check", "renew_done")
)
ADA = {"name": "Ada Lenz", "email": "ada@nowhere.example", "renew_years": "1"}
TOKEN = re.compile(r'name="(?:csrfmiddlewaretoken|once)" value="\w+"')


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def visitor(catalogue):
    return Client()


def answer(visitor, serials="104233", **details):
    """The first two pages answered; the third as it is shown."""
    assert visitor.post(SERIALS, {"serials": serials}).status_code == 302
    answered = visitor.post(DETAILS, {**ADA, **details})
    assert answered.status_code == 302, text_of(answered)
    return visitor.get(CHECK)


def once_of(page):
    return re.search(r'name="once" value="(\w+)"', page.content.decode())[1]


def send(visitor, serials="104233", **details):
    return visitor.post(CHECK, {"once": once_of(answer(visitor, serials, **details))})


def test_the_front_page_says_what_the_portal_is_and_has_a_door_for_everybody(visitor):
    page = visitor.get("/").content.decode()
    for address in (SERIALS, "/accounts/login/code/", "/check-code/", reverse("account_login")):
        assert f'href="{address}"' in page
    assert page.count("button-primary") == 1


def test_three_pages_lead_to_a_reference(visitor):
    page = text_of(answer(visitor, "104-233, S/N 999 999", renew_years="3", message="Soon", organisation="Cells"))
    for words in (
        "2 dongles 104-233 , 999 999",
        "Ada Lenz",
        "ada@nowhere.example",
        "Cells",
        "Renew for 3 years",
        "Soon",
    ):
        assert words in page
    assert not RenewalRequest.objects.exists()
    sent = visitor.post(CHECK, {"once": once_of(visitor.get(CHECK))}, follow=True)
    request = RenewalRequest.objects.get()
    assert sent.redirect_chain == [(DONE, 302)]
    assert f"Your reference is {request.number}" in text_of(sent)
    assert (request.wanted, request.message) == ({"renew_years": 3, "added": []}, "Soon")
    assert [each.serial for each in request.dongles.all()] == ["104-233", "999 999"]


def test_licences_are_asked_for_with_seats_and_dongle(visitor):
    more = {"renew_years": "", "product_2": "VOL-QNT", "seats_2": "3", "serial_2": "104234"}
    send(visitor, "104233 104234", **more)
    added = [{"product": "VOL-QNT", "seats": 3, "serial": "104234"}]
    assert RenewalRequest.objects.get().wanted == {"renew_years": None, "added": added}


@pytest.mark.parametrize(
    ("serials", "sentence"),
    [
        ("", "Enter the serial number of a dongle."),
        (" ,;", "Enter the serial number of a dongle: letters A–Z and digits."),
        ("1042!3", "“1042!3” can’t be a serial number: “!” is neither a letter A–Z nor a digit. Correct it"),
        ("9" * 33, "can’t be a serial number: it is longer than 32 letters and digits. Put each number on a line"),
        (" ".join(str(10_000 + n) for n in range(51)), "These are 51 serial numbers; 50 at most can be sent at once."),
        ("104233 " * 2000, "13999 letters long; 10000 at most"),
    ],
)
def test_serials_that_can_not_be_are_said_with_their_mend(visitor, serials, sentence):
    page = visitor.post(SERIALS, {"serials": serials})
    assert page.status_code == 422
    assert page.content.decode().count('href="#id_serials"') >= 1
    assert sentence in text_of(page)
    assert serials.strip()[:100] in page.content.decode()
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"name": ""}, "name", "Enter your name."),
        ({"email": "ada@"}, "email", "Enter an e-mail address in the form name@example.com."),
        ({"message": "x" * 2001}, "message", "2001 letters long; 2000 at most"),
        ({"renew_years": "9"}, "renew_years", "Choose for how many years, from the list."),
        ({"renew_years": ""}, "renew_years", "Choose for how many years, or which licences to add."),
        ({"product_1": "VOL-VIS"}, "seats_1", "Enter how many seats."),
        ({"seats_1": "2"}, "product_1", "Choose the product."),
        ({"product_1": "VOL-VIS", "seats_1": "0"}, "seats_1", "Enter 1 seat or more."),
    ],
)
def test_details_that_are_missing_or_wrong_are_said_and_nothing_typed_is_lost(visitor, typed, field, sentence):
    visitor.post(SERIALS, {"serials": "104233"})
    page = visitor.post(DETAILS, {**ADA, "telephone": "+49 30 1", **typed})
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert f'href="#id_{field}"' in page.content.decode()
    for again in (page, visitor.get(DETAILS)):
        assert 'value="+49 30 1"' in again.content.decode()
    assert visitor.get(CHECK).url == DETAILS
    assert not RenewalRequest.objects.exists()


def test_changing_an_answer_keeps_the_others_and_leads_back_to_the_check(visitor):
    answer(visitor, "104233", message="Soon")
    assert "104233" in visitor.get(SERIALS).content.decode()
    assert visitor.post(SERIALS, {"serials": "104234"}).url == CHECK
    page = text_of(visitor.get(CHECK))
    assert "104234" in page
    assert "Soon" in page


def test_a_licence_for_a_dongle_that_was_taken_out_is_asked_for_again(visitor):
    answer(visitor, "104233 104234", product_1="VOL-VIS", seats_1="1", serial_1="104234")
    visitor.post(SERIALS, {"serials": "104233, 104235"})
    assert visitor.get(CHECK).url == DETAILS
    assert "Choose one of your dongles from the list." in text_of(visitor.get(DETAILS))


def test_the_same_sent_twice_is_one_request(visitor):
    once = once_of(answer(visitor))
    assert [visitor.post(CHECK, {"once": once}).url for _ in range(3)] == [DONE] * 3
    assert RenewalRequest.objects.count() == 1
    assert visitor.get(CHECK).url == DONE  # the back button
    assert RenewalRequest.objects.get().number in text_of(visitor.get(DONE))


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_the_same_moment_it_is_one_request_whose_reference_both_see():
    world.make_catalogue()
    visitor = Client()
    once = once_of(answer(visitor))

    def press():
        twin = Client()
        twin.cookies["sessionid"] = visitor.cookies["sessionid"].value
        return twin.post(CHECK, {"once": once}).url

    assert at_once([press] * 4) == [DONE] * 4
    assert RenewalRequest.objects.get().number in text_of(visitor.get(DONE))


def test_a_form_of_another_time_sends_nothing(visitor):
    answer(visitor)
    assert visitor.post(CHECK, {"once": "0" * 32}).status_code == 200
    assert visitor.post(CHECK).status_code == 200
    assert not RenewalRequest.objects.exists()


@pytest.mark.parametrize("address", [DETAILS, CHECK, DONE])
def test_without_answers_every_page_leads_to_the_first_which_says_why(visitor, address):
    for visit in (visitor.get, visitor.post) if address != DONE else (visitor.get,):
        answered = visit(address)
        assert answered.url == f"{SERIALS}?again"
    assert "what you typed before is not here any more" in text_of(Client().get(answered.url))


def test_a_refused_cookie_is_said_and_what_was_typed_is_still_there(catalogue):
    strict = Client(enforce_csrf_checks=True)
    for address, typed in ((SERIALS, {"serials": "104-233"}), (DETAILS, ADA)):
        page = strict.post(address, typed)
        assert page.status_code == 403
        assert "Allow cookies for this site, then press the button once more." in text_of(page)
        assert next(iter(typed.values())) in page.content.decode()
    assert not Session.objects.exists()


def test_with_its_token_the_form_is_taken(catalogue):
    strict = Client(enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(SERIALS).content.decode())[1]
    assert strict.post(SERIALS, {"serials": "104233", "csrfmiddlewaretoken": token}).url == DETAILS


def test_signs_that_nobody_sees_are_taken_out(visitor):
    details = {"name": "\u202eAda\x00\u200b Lenz\n", "email": " ada@nowhere.example\u200e", "message": "a\r\nb\x07"}
    send(visitor, "\u202e104233\x00", **details)
    request = RenewalRequest.objects.get()
    assert (request.serial, request.name, request.email) == ("104233", "Ada Lenz", "ada@nowhere.example")
    assert request.message == "a\nb"


def test_what_is_typed_is_shown_as_text(visitor):
    page = answer(visitor, name="<script>alert(1)</script>").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_too_large_a_body_is_refused_before_it_is_read(visitor):
    for address in (SERIALS, DETAILS, CHECK):
        page = visitor.post(address, {"serials": "1" * 200_000})
        assert page.status_code == 413
        assert "50 serial numbers and a message of 2,000 letters" in text_of(page)
    assert not Session.objects.exists()


def test_who_is_logged_in_need_not_type_their_name(owner, dongle):
    owner.post(SERIALS, {"serials": "104233"})
    page = owner.get(DETAILS).content.decode()
    assert f'value="{ada_of(dongle)}"' in page


# Q5: nothing tells what is on record


def everything_said(visitor, serial, email):
    """Every answer on the way: status, headers and text, without what is random or counts."""
    said = []
    for page in (
        visitor.post(SERIALS, {"serials": serial}),
        visitor.get(DETAILS),
        visitor.post(DETAILS, {**ADA, "email": email}),
        shown := visitor.get(CHECK),
        visitor.post(CHECK, {"once": once_of(shown)}),
        visitor.get(DONE),
    ):
        text = TOKEN.sub("", page.content.decode()).replace(serial, "SERIAL").replace(email, "EMAIL")
        cookies = {name: {**cookie, "expires": ""} for name, cookie in page.cookies.items()}
        headers = {name: value for name, value in page.headers.items() if name not in ("Expires", "Content-Length")}
        said.append((page.status_code, re.sub(r"R-\d{6}", "R", text), headers, cookies))
    return said


def test_text_status_and_headers_are_the_same_whether_the_serial_exists_or_not_q5(dongle):
    email = ada_of(dongle)
    on_file = everything_said(Client(), dongle.serial, email)
    assert on_file == everything_said(Client(), "999999", email)
    assert on_file == everything_said(Client(), dongle.serial, "eve@elsewhere.example")
    assert RenewalRequest.objects.count() == 3
    assert [status for status, *_ in on_file] == [302, 200, 302, 200, 302, 200]


def test_no_page_asks_the_database_for_a_dongle_a_customer_or_a_contact(dongle):
    email = ada_of(dongle)
    with CaptureQueriesContext(connection) as captured:
        everything_said(Client(), dongle.serial, email)
    asked = "\n".join(query["sql"] for query in captured)
    assert 'INSERT INTO "renewals_requesteddongle"' in asked
    for table in ("dongles_dongle", "dongles_licence", "portal_customer", "portal_contact", "portal_user"):
        assert f'FROM "{table}"' not in asked
        assert f'JOIN "{table}"' not in asked


# Abuse


def test_what_fills_in_the_field_that_nobody_sees_gets_the_same_page_and_no_quote(dongle):
    visitor = Client()
    page = visitor.get(send(visitor, email=ada_of(dongle), website="https://spam.example").url)
    request = RenewalRequest.objects.get()
    assert f"Your reference is {request.number}" in text_of(page)
    assert request.state == "closed"
    assert not OutboxMessage.objects.exists()
    assert not QuoteVersion.objects.exists()


def test_people_and_screen_readers_do_not_meet_that_field(visitor):
    visitor.post(SERIALS, {"serials": "104233"})
    page = visitor.get(DETAILS).content.decode()
    assert re.search(r'<div class="for-machines" aria-hidden="true">.*name="website"[^>]*tabindex="-1"', page)


@pytest.mark.parametrize("exists", [True, False])
def test_a_serial_is_asked_for_so_often_an_hour_whether_it_exists_or_not(dongle, settings, exists):
    settings.REQUEST_LIMITS = {**settings.REQUEST_LIMITS, "serial": "2/1h/key"}
    serials = [dongle.serial, "104-233"] if exists else ["999999", "999-999"]
    for serial in serials:
        assert send(Client(), serial).url == DONE
    visitor = Client()
    held = send(visitor, serials[0])
    assert held.status_code == 429
    assert "Try again in 60 minutes; your answers are kept here for 4 hours." in text_of(held)
    assert 3590 <= int(held["Retry-After"]) <= 3601
    assert RenewalRequest.objects.count() == 2
    assert OutboxMessage.objects.count() == 2
    assert serials[0] in text_of(visitor.get(CHECK))  # nothing is lost
    cache.clear()
    assert visitor.post(CHECK, {"once": once_of(held)}).url == DONE


@pytest.mark.parametrize(("limit", "other"), [("sender", {"REMOTE_ADDR": "192.0.2.7"}), ("email", {})])
def test_a_sender_and_an_e_mail_address_are_limited_too(visitor, settings, limit, other):
    settings.REQUEST_LIMITS = {**settings.REQUEST_LIMITS, limit: "1/1h/ip" if limit == "sender" else "1/1h/key"}
    assert send(visitor, "1").url == DONE
    assert send(visitor, "2").status_code == 429
    details = {} if other else {"email": "ben@nowhere.example"}
    assert send(Client(**other), "3", **details).url == DONE


def test_without_the_cache_no_request_is_taken_and_the_answers_are_kept(visitor, settings):
    page = answer(visitor)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",  # nobody listens there
        }
    }
    refused = visitor.post(CHECK, {"once": once_of(page)})
    assert refused.status_code == 503
    assert "Try again in a few minutes; your answers are kept." in text_of(refused)
    assert "104233" in text_of(refused)
    assert not RenewalRequest.objects.exists()


# What the vendor's staff see


def asked_on_the_page(serial, email, **details):
    send(Client(), serial, email=email, **details)
    return answer_at_once(request=RenewalRequest.objects.latest("pk"), actor=PORTAL, at=timezone.now())


def test_staff_read_on_the_request_why_it_waits(dongle, sales):
    request = asked_on_the_page(
        "104233, 999999", "eve@elsewhere.example", organisation="Cells", product_1="VOL-VIS", seats_1="2"
    )
    page = text_of(sales.get(reverse("renewals:request", args=[request.pk])))
    for words in (
        "asks for a quote for 2 dongles.",
        "Wanted: Renew for 1 year; 2 seats more of Volocity Visualisation on dongle 104233.",
        "On the public page",
        "where eve@elsewhere.example is not on file. On file is: Ada Lenz",
        "No dongle on record has this serial number. Ask for its label. unknown_serial",
    ):
        assert words in page


def test_the_builder_opens_with_what_was_asked(dongle, sales):
    request = asked_on_the_page("104233", "eve@elsewhere.example", renew_years="3", product_1="VOL-VIS", seats_1="2")
    page = sales.get(reverse("renewals:request", args=[request.pk])).content.decode()
    address = re.search(r'class="button-primary" href="([^"]+)"', page)[1].replace("&amp;", "&")
    builder = sales.get(address).content.decode()
    assert '<option value="3" selected>' in builder
    assert re.search(r'name="add_104233_VOL-VIS" value="2"', builder)


def test_the_queue_says_in_short_why_a_request_waits(dongle, sales, today):
    email = ada_of(dongle)
    asked_on_the_page("104233", "eve@elsewhere.example")
    asked_on_the_page("999999, 999998", email)
    asked_on_the_page("104233", email)
    asked_on_the_page("104233", email, message="Hello")
    send(Client(), "104233")
    queue = work_queue(User.objects.get(role="sales"), today, kind="request")
    assert [(item.what, item.about[10:]) for item in (*queue.mine, *queue.others)] == [
        ("Ada Lenz asks for a quote: not a contact on file", "dongle 104233"),
        ("Ada Lenz asks for a quote: serial number not on record", "2 dongles"),
        ("Ada Lenz asks for a quote: quoted at once, with a message to read", "dongle 104233"),
        ("Ada Lenz asks for a quote: not looked up yet", "dongle 104233"),
    ]


def test_who_has_no_account_is_sent_no_htmx(visitor):
    assert "htmx" not in visitor.get("/").content.decode()
