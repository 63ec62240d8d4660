"""Lost, replaced and handed on dongles by the API alone (rule Q8). VOL-VIS 6,000.00, VOL-QNT 4,500.00; 1 Feb 2026."""

import pytest

from dongles.models import Dongle, Replacement, UnlockCode
from portal.models import AuditEvent
from renewals.models import PolicySettings, QuoteVersion
from tests import world
from tests.api.asking import assert_problem, get, post, renewal

pytestmark = pytest.mark.django_db

BROKEN = {"serial": "109-001", "cause": "broken", "reason": "The plug is bent"}
LOST = {**BROKEN, "cause": "lost", "reason": "Lost on a train"}


@pytest.fixture
def dongle(catalogue):
    return world.make_dongle()


def test_a_broken_dongle_is_replaced_and_the_new_one_answered(sales, dongle):
    answer = post(sales, "dongles/104233/replace/", BROKEN)
    assert answer.status_code == 200, answer.content
    new, old = answer.json(), get(sales, "dongles/104233/").json()
    assert (new["serial"], new["replaces"], new["replaced_by"], new["state"]) == ("109001", "104233", None, "active")
    assert (old["replaced_by"], old["replaces"], old["state"], old["licences"]) == ("109001", None, "retired", [])
    assert [each["product"]["code"] for each in new["licences"]] == ["VOL-VIS", "VOL-QNT"]
    assert (len(new["codes"]), new["codes"][0]["expiry_on"]) == (1, "2026-03-31")


def test_one_that_costs_something_is_quoted_accepted_and_then_replaced(sales, dongle):
    assert_problem(post(sales, "dongles/104233/replace/", LOST), 422, "replacement_to_be_quoted")
    asked = renewal(replacement=LOST)
    preview = post(sales, "quotes/preview/", asked).json()
    # 6,000.00 + 4,500.00 = 10,500.00; 19 % of it 1,995.00
    assert (preview["net"], preview["tax"], preview["total"]) == ("10500.00", "1995.00", "12495.00")
    quote = post(sales, "quotes/", asked).json()
    assert quote["dongles"][0]["replacement"] == {**LOST, "serial": "109001"}
    assert [line["kind"] for line in quote["dongles"][0]["lines"]] == ["replacement", "replacement"]
    address = f"quotes/{quote['quote']}/versions/1/"
    post(sales, address + "send/")
    order = post(sales, address + "accept/", {"accepted_by": "Ada", "purchase_order_number": "PO-77"}).json()
    assert (order["state"], order["net"], order["serials"]) == ("fulfilled", "10500.00", ["104233"])
    assert {line["serial"] for line in order["lines"]} == {"109001"}
    assert [(code["serial"], code["licences"] == []) for code in order["codes"]] == [
        ("104233", True),
        ("109001", False),
    ]
    assert get(sales, "dongles/104233/").json()["state"] == "retired"


def test_a_replacement_is_quoted_alone_and_for_a_free_serial(sales, dongle):
    assert_problem(post(sales, "quotes/", renewal(replacement=LOST, renew_years=1)), 422, "replacement_alone")
    taken = renewal(replacement={**LOST, "serial": "104233"})
    assert_problem(post(sales, "quotes/", taken), 422, "serial_taken")
    assert not QuoteVersion.objects.exists()


def test_lost_and_found_again(sales, dongle):
    assert post(sales, "dongles/104233/lost/", {"reason": "Gone"}).json()["state"] == "lost"
    assert_problem(post(sales, "quotes/", renewal()), 409, "dongle_not_active")
    assert post(sales, "dongles/104233/found/", {"reason": "In a drawer"}).json()["state"] == "active"
    assert_problem(post(sales, "dongles/104233/lost/", {"reason": " "}), 422, "loss_reason_missing")


def test_handed_on_to_another_customer(sales, dongle):
    other = world.make_customer("Institute of Plants")
    answer = post(sales, "dongles/104233/transfer/", {"customer": other.pk})
    assert answer.json()["customer"]["name"] == "Institute of Plants"
    assert_problem(post(sales, "dongles/104233/transfer/", {"customer": 10**12}), 422, "unknown_customer")


def test_refusals_write_nothing(sales, dongle):
    PolicySettings.objects.update(replacement_price="fee")
    assert_problem(post(sales, "dongles/104233/replace/", BROKEN), 422, "replacement_to_be_quoted")
    assert_problem(post(sales, "quotes/", renewal(replacement=BROKEN)), 422, "no_price")
    assert_problem(post(sales, "dongles/999/replace/", BROKEN), 404, "unknown_serial")
    assert_problem(post(sales, "dongles/104233/replace/", {**BROKEN, "cause": "eaten"}), 400, "invalid")
    assert [model.objects.count() for model in (Replacement, UnlockCode, AuditEvent)] == [0, 0, 0]
    assert Dongle.objects.count() == 1


def test_it_is_not_for_finance(finance, dongle):
    for step, body in (("lost", {"reason": "x"}), ("replace", BROKEN), ("transfer", {"customer": 1})):
        assert_problem(post(finance, f"dongles/104233/{step}/", body), 403, "not_allowed")
