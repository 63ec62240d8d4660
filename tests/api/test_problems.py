"""Whatever goes wrong is a problem+json with a stable code, and leaves nothing behind."""

import json

import pytest

from portal.api.problems import status_of
from renewals.models import Quote
from tests.api.asking import API, assert_problem, get, renewal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_written(db):
    yield
    assert not Quote.objects.exists()


def post_raw(client, body: bytes, content_type: str = "application/json"):
    return client.post(API + "quotes/", body, content_type=content_type)


@pytest.mark.parametrize("address", ["", "nothing/", "quotes", "dongles/1/2/3/4/", "dongles//", "quotes/x/"])
def test_an_address_with_nothing_at_it_is_a_problem_too(sales, address):
    assert_problem(get(sales, address), 404, "not_found")


@pytest.mark.parametrize("address", ["quotes/1/", "quotes/1/versions/1/", "orders/1/", "codes/1/"])
def test_what_is_not_on_record_is_not_found(sales, catalogue, address):
    assert_problem(get(sales, address), 404, "not_found")
    for huge in ("2147483648", "9" * 19, "9" * 30, "9" * 5000):
        assert_problem(get(sales, address.replace("1", huge)), 404, "not_found")


@pytest.mark.parametrize(
    ("serial", "code"), [("999", "unknown_serial"), ("%3F", "not_a_serial"), ("a%00b", "not_a_serial")]
)
def test_a_serial_that_leads_nowhere_is_not_found(sales, catalogue, serial, code):
    assert_problem(get(sales, f"dongles/{serial}/"), 404, code)


def test_another_method_is_told_which_are_allowed(sales):
    answer = sales.delete(API + "quotes/1/")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"
    assert_problem(sales.options(API + "quotes/"), 405, "method_not_allowed")


def test_only_json_is_answered_and_read(sales):
    assert_problem(sales.get(API + "quotes/1/", headers={"accept": "text/html"}), 406, "not_acceptable")
    assert_problem(post_raw(sales, b"serial=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"1" * 5_000 + b"}"],
    ids=["cut off", "NaN", "infinity", "not UTF-8", "too deep", "too many digits"],
)
def test_a_body_that_is_not_json_is_refused(sales, body):
    assert_problem(post_raw(sales, body), 400, "parse_error")


def test_a_body_larger_than_django_takes_is_refused(sales, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert_problem(post_raw(sales, b'{"note": "' + b"x" * 100 + b'"}'), 413, "too_large")


@pytest.mark.parametrize("body", ["", "[]", '"quote"', "1", "null", "true"])
def test_a_body_that_is_no_object_is_refused(sales, body):
    assert_problem(post_raw(sales, body.encode()), 400, "invalid")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dongles": []}, "dongles"),
        ({"dongles": None}, "dongles"),
        ({"dongles": "104233"}, "dongles"),
        ({"dongles": [{"serial": "104233", "renew_years": "1"}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "renew_years": True}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "renew_years": 1.5}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "align_to": "31.12.2027"}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "align_to": "2027-02-30"}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "align_to": "20271231"}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "align_to": 20271231}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "renew_year": 1}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "add": [{"product": "VOL-VIS", "seats": 0}]}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "add": [{"product": "VOL-VIS", "seats": -1}]}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "add": [{"product": "VOL-VIS", "seats": 65536}]}]}, "dongles"),
        ({"dongles": [{"serial": "104233", "add": [{"product": "VOL\0VIS", "seats": 1}]}]}, "dongles"),
        ({"dongles": [{"serial": 104233, "renew_years": 1}]}, "dongles"),
        ({"dongles": [{"renew_years": 1}]}, "dongles"),
        ({"discount": 0.05}, "discount"),
        ({"discount": "1.5"}, "discount"),
        ({"discount": "-0.1"}, "discount"),
        ({"discount": "0.12345"}, "discount"),
        ({"discount": "0.05\n"}, "discount"),
        ({"note": "NUL \0"}, "note"),
        ({"note": "half of a pair \ud800"}, "note"),
        ({"note": 5}, "note"),
        ({"note": "x" * 2001}, "note"),
        ({"discuont": "0.05"}, "discuont"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(sales, dongle, change, field):
    problem = assert_problem(post_raw(sales, json.dumps(renewal() | change).encode()), 400, "invalid")
    assert list(problem["data"]["errors"]) == [field]


def test_refusals_have_the_status_of_their_kind():
    assert status_of("unknown_serial", {"serial": "999"}) == 404
    assert status_of("unknown_serial") == 422
    assert status_of("not_allowed") == 403
    assert status_of("quote_expired") == 409
    assert status_of("align_too_early") == 422
