"""Whatever is posted to a page that needs no login, or only a customer's, is answered: never by a failure of ours."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import world

# Letters that break things: ends of lines, NUL, directions, halves of characters, markup, long and short numbers.
ODD = st.sampled_from(
    [
        "",
        "\x00",
        "a\x00b",
        "\r\nBcc: x@evil.example",
        "\u202e\u2066",
        "\ufeff",
        "\ud7ff\U0001f600",
        "<script>alert(1)</script>",
        "{{ 7 }}{% now %}",
        "=1+1",
        "../../etc/passwd",
        "-1",
        "0",
        "1" * 400,
        "9" * 19,
        "1e999",
        "NaN",
        "\u0661\u0662",
        "0002-01-01",
        "9999-12-31",
        "10000-01-01",
        "[]",
        "null",
        '{"response": null}',
        '{"response": {"userHandle": 5}}',
        '{"id": "x", "rawId": "eA", "type": "public-key", "response": {"userHandle": "MQ"}}',
    ]
)
TEXT = ODD | st.text(max_size=60) | st.integers().map(str) | st.dates().map(str)
SERIALS = st.lists(ODD | st.text(max_size=30) | st.sampled_from(["104233", "104 233", "104-233"]), max_size=5)

PUBLIC = {
    "/renew/": ["serials"],
    "/renew/details/": [
        *("name", "email", "organisation", "telephone", "renew_years", "message", "website"),
        *("product_1", "seats_1", "serial_1"),
    ],
    "/renew/check/": ["once"],
    reverse("account_request_login_code"): ["email", "next"],
    reverse("account_confirm_login_code"): ["code", "next"],
    reverse("account_login_by_passkey"): ["credential", "next"],
    reverse("account_login"): ["login", "password", "next"],
    reverse("account_reset_password"): ["email"],
}
BY_LINK = {
    "accept": [
        *("version", "purchase_order_number", "accepted_by", "role", "terms_version", "agrees", "purchase_order_file")
    ],
    "decline": ["version", "reason", "name"],
    "ask": ["text", "name", "email"],
    "choose": ["choice"],
    "again": ["version"],
}
OWN = {
    "/my/renew/": ["dongle", "way", "years", "align_to", "add_104233_VOL-QNT", "once", "choose", "add"],
    "/my/organisation/": ["organisation"],
    "/my/account/contacts/new/": ["name", "email"],
    "/my/account/addresses/": ["postal_address", "invoice_address"],
    "/my/account/passkeys/add/": ["name", "credential"],
}


def typed(names):
    """Some of the fields, each with something odd; now and then one twice."""
    return st.dictionaries(st.sampled_from(names), st.lists(TEXT, min_size=1, max_size=2), max_size=len(names))


@pytest.fixture
def quick(settings):
    """Limits would soon be all that answers."""
    settings.ACCOUNT_RATE_LIMITS = False
    settings.REQUEST_LIMITS = {}


def answered(client, address, data, method="post"):
    """The answer, with what it wrote taken back. What fails here raises."""
    with transaction.atomic():
        answer = getattr(client, method)(address, data)
        transaction.set_rollback(True)
    assert answer.status_code < 500, (address, data)
    return answer


FUZZED = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_forms(dongle, quick, address):
    @FUZZED
    @given(typed(PUBLIC[address]))
    def run(data):
        client = Client()
        if address.startswith("/renew/") and address != "/renew/":
            client.post("/renew/", {"serials": "104233\n104234"})
        answered(client, address, data)
        answered(client, address, data, "get")

    run()


@pytest.mark.parametrize("address", [reverse("account_login_by_passkey"), "/my/account/passkeys/add/"])
def test_what_no_browser_makes_of_a_passkey_is_refused(owner, quick, address):
    client = owner if address.startswith("/my/") else Client()
    handle = "".join(("M", "Q"))  # the number of a user, as browsers write it
    for credential in (
        *("[]", "5", "0", '"x"', "null", "true", "false", "{}", "[" * 5000, '{"response": null}', '{"response": []}'),
        '{"id": 5, "rawId": 5, "type": "public-key", "response": {"userHandle": 5}}',
        f'{{"id": "x", "rawId": "eA", "type": "public-key", "response": {{"userHandle": "{handle}"}}}}',
        '{"response": {"userHandle": "//8"}}',
        '{"response": {"userHandle": "ODg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4"}}',
    ):
        cache.clear()  # of how often it was tried
        client.get(address)
        answer = answered(client, address, {"credential": credential, "name": "x"})
        assert answer.status_code == 422, credential
    assert not Authenticator.objects.exists()


def test_forms_of_a_quotes_page(dongle, quick, today):
    version = world.send(dongle, today)
    client = Client()
    client.get(reverse("renewals:quote_of_key", args=[version.key]))

    @FUZZED
    @given(st.sampled_from(sorted(BY_LINK)).flatmap(lambda step: st.tuples(st.just(step), typed(BY_LINK[step]))))
    def run(asked):
        step, data = asked
        answered(client, reverse(f"renewals:{step}_of_link", args=[version.quote.number]), data)

    run()


@pytest.mark.parametrize("address", OWN)
def test_forms_of_customers(owner, dongle, quick, address):
    @FUZZED
    @given(typed(OWN[address]))
    def run(data):
        answered(owner, address, data)
        answered(owner, address, data, "get")

    run()
