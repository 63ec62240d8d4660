"""Who may use the API: staff with a token, each within their role."""

import pytest
from django.utils import timezone
from knox.models import AuthToken

from portal.api.views import StaffView
from portal.api_urls import urlpatterns
from renewals.models import Quote
from tests import world
from tests.api.asking import API, assert_problem, get, post, renewal
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"

# What each role may do beyond looking.
SELLING = [
    "quotes/",
    "quotes/1/versions/",
    "quotes/1/versions/1/approve/",
    "quotes/1/versions/1/send/",
    "quotes/1/versions/1/decline/",
    "quotes/1/versions/1/accept/",
    "dongles/104233/receipts/",
    "dongles/104233/licences/1/withdraw/",
]
SETTLING = ["orders/1/pay/"]
CANCELLING = ["orders/1/cancel/"]
LOOKING = ["dongles/104233/", "quotes/1/", "quotes/1/versions/1/", "orders/1/", "codes/1/"]


def log_in(client, email: str, password: str = PASSWORD):
    """Password and the code that every test user's authenticator app shows."""
    return post(client, "login/", {"email": email, "password": password, "code": world.code_now()})


def views_below(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views_below(pattern.url_patterns)
        elif (view := getattr(pattern.callback, "view_class", None)) is not None:
            yield view


def test_every_view_asks_for_a_token_but_login_schema_and_the_unknown():
    views = set(views_below(urlpatterns))
    open_views = {view.__name__ for view in views if not view.permission_classes}
    assert open_views == {"LoginView", "SpectacularAPIView", "UnknownAddress"}
    assert all(issubclass(view, StaffView) for view in views if view.permission_classes)


@pytest.mark.parametrize("address", ["quotes/preview/", *SELLING, *SETTLING, *CANCELLING, "logout/"])
def test_without_a_token_nothing_is_done(api_client, dongle, address):
    answer = post(api_client, address, renewal())
    assert_problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert not Quote.objects.exists()


@pytest.mark.parametrize("address", LOOKING)
def test_without_a_token_nothing_is_seen(api_client, dongle, address):
    assert_problem(get(api_client, address), 401, "not_authenticated")


@pytest.mark.parametrize("token", ["x" * 64, "", "a b", "ü", "%00"])
def test_a_token_that_is_none_is_refused(api_client, dongle, token):
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert_problem(get(api_client, "dongles/104233/"), 401, "authentication_failed")


def test_finance_sees_but_does_not_sell(finance, dongle):
    assert get(finance, "dongles/104233/").status_code == 200
    assert post(finance, "quotes/preview/", renewal()).status_code == 200
    for address in SELLING:
        assert_problem(post(finance, address, renewal()), 403, "not_allowed")
    assert not Quote.objects.exists()


def test_sales_does_not_settle(sales, dongle):
    for address in SETTLING:
        assert_problem(post(sales, address, {"paid_on": "2026-02-01"}), 403, "not_allowed")


def test_sales_finance_and_administrators_may_cancel(sales, finance, administrator, dongle):
    for client in (sales, finance, administrator):
        answer = post(client, CANCELLING[0], {"from_on": "2026-02-01", "reason": "A slip"})
        assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("address", LOOKING)
def test_a_customers_user_sees_nothing_even_with_a_token(dongle, address):
    stranger = client_of(world.make_user("customer", customer=dongle.customer))
    assert_problem(get(stranger, address), 403, "not_allowed")


def test_a_token_is_had_for_e_mail_and_password_and_given_back(api_client, dongle):
    world.make_user("sales")
    answer = log_in(api_client, "Sales@vendor.example")
    told = answer.json()
    assert (answer.status_code, told["name"], told["role"]) == (200, "Sales", "sales")
    assert told["expires_at"] == "2026-02-01T22:00:00Z"  # ten hours
    assert answer.headers["Cache-Control"] == "no-store"
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {told['token']}")
    assert get(api_client, "dongles/104233/").status_code == 200
    assert post(api_client, "logout/").status_code == 204
    assert_problem(get(api_client, "dongles/104233/"), 401, "authentication_failed")


def test_a_token_ends(api_client, dongle, monkeypatch):
    world.make_user("sales")
    token = log_in(api_client, "sales@vendor.example").json()["token"]
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    monkeypatch.setattr(timezone, "now", lambda: world.at("2026-02-01", hour=23))
    assert_problem(get(api_client, "dongles/104233/"), 401, "authentication_failed")


def test_a_wrong_password_an_unknown_e_mail_and_those_who_are_not_staff_are_answered_alike(api_client, dongle):
    world.make_user("sales")
    world.make_user("customer", customer=dongle.customer)
    world.make_user("finance", is_active=False)
    answers = [
        log_in(api_client, "sales@vendor.example", "another password"),
        log_in(api_client, "nobody@vendor.example"),
        log_in(api_client, "customer@vendor.example"),
        log_in(api_client, "finance@vendor.example"),
    ]
    assert_problem(answers[0], 401, "authentication_failed")
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {tuple(sorted(answer.headers.items())) for answer in answers} == {tuple(sorted(answers[0].headers.items()))}
    assert not AuthToken.objects.exists()


def test_five_failures_for_an_e_mail_close_it_for_a_while_whatever_the_address(api_client, db):
    world.make_user("sales")
    for number in range(5):
        answer = api_client.post(
            API + "login/",
            {"email": "sales@vendor.example", "password": "wrong"},
            format="json",
            REMOTE_ADDR=f"192.0.2.{number}",
        )
        assert answer.status_code == 401
    answer = log_in(api_client, "sales@vendor.example")
    assert_problem(answer, 429, "throttled")
    assert int(answer.headers["Retry-After"]) > 0
    assert not AuthToken.objects.exists()


def test_ten_failures_from_an_address_close_it_for_a_while_whatever_the_e_mail(api_client, db):
    world.make_user("sales")
    for number in range(10):
        assert log_in(api_client, f"nobody{number}@vendor.example").status_code == 401
    assert_problem(log_in(api_client, "sales@vendor.example"), 429, "throttled")


def test_failures_on_the_page_count_for_the_api(api_client, client, db):
    world.make_user("sales")
    for _ in range(5):
        client.post("/accounts/login/", {"login": "sales@vendor.example", "password": "wrong"})
    assert_problem(log_in(api_client, "sales@vendor.example"), 429, "throttled")


def test_a_session_of_the_pages_is_no_token(client, dongle):
    world.log_in(client, world.make_user("sales"))
    assert_problem(get(client, "dongles/104233/"), 401, "not_authenticated")
