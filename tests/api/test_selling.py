"""From serial to code by the API alone. VOL-VIS 1,200.00 and VOL-QNT 900.00 a year, tax 19 %; it is 1 Feb 2026."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dongles.keys import public_keys
from dongles.models import CodeReceipt, Licence, SmaPeriod, UnlockCode
from dongles.unlock import apply as apply_letters
from dongles.unlock import factory_state, receipt_of
from portal.models import AuditEvent, OutboxMessage
from renewals.models import Order, PriceList, PriceListEntry, Quote, QuoteLine, QuoteVersion, RevenueSegment
from tests import world
from tests.api.asking import assert_problem, get, post, renewal

pytestmark = pytest.mark.django_db

WRITTEN = (
    *(Quote, QuoteVersion, QuoteLine, Order, RevenueSegment, AuditEvent, OutboxMessage),
    *(SmaPeriod, UnlockCode, CodeReceipt),
)


def counts():
    return [model.objects.count() for model in WRITTEN]


def sent(client, **asked) -> str:
    """The address of a quote's version 1, sent."""
    drafted = post(client, "quotes/", renewal(**asked))
    assert drafted.status_code == 201, drafted.content
    address = f"quotes/{drafted.json()['quote']}/versions/1/"
    assert post(client, address + "send/").status_code == 200
    return address


def ordered(client, **asked) -> dict:
    answer = post(client, sent(client, **asked) + "accept/", {"accepted_by": "Ada", "purchase_order_number": "PO-77"})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_dongle_is_found_in_any_spelling_with_its_coverage_and_dates(sales, dongle):
    found = get(sales, "dongles/104 2-33/").json()
    assert (found["serial"], found["kind"], found["state"]) == ("104233", "dongle", "active")
    assert (found["status"], found["paid_through"]) == ("expiring", "2026-03-31")  # 58 days ahead, within 90
    assert (found["issued_expiry_on"], found["confirmed_expiry_on"]) == ("2026-03-31", "2026-03-31")
    assert found["customer"]["name"] == "Institute of Cells"
    assert [
        (each["product"]["code"], each["product"]["number"], each["seats"], each["covered_through"], each["status"])
        for each in found["licences"]
    ] == [("VOL-VIS", 101, 1, "2026-03-31", "expiring"), ("VOL-QNT", 102, 1, "2026-03-31", "expiring")]
    assert found["licences"][0]["periods"] == [{"starts_on": "2020-01-01", "ends_on": "2026-03-31"}]
    assert found["codes"] == found["quotes"] == found["orders"] == []


def test_a_lapsed_dongle_names_the_major_release_that_it_missed_and_what_it_still_runs(sales, catalogue):
    world.make_release("6.0", "2025-06-01")
    world.make_release("7.0", "2026-01-15")
    world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    found = get(sales, "dongles/104233/").json()
    assert found["status"] == found["licences"][0]["status"] == "lapsed_over_major"
    assert [each["version"] for each in found["licences"][0]["missed_majors"]] == ["7.0"]
    assert [each["version"] for each in found["newest_running"]] == ["6.0"]
    assert [each["version"] for each in found["newest"]] == ["7.0"]


def test_a_preview_shows_each_line_with_its_arithmetic_and_saves_nothing(sales, dongle):
    before = counts()
    answer = post(sales, "quotes/preview/", renewal())
    assert answer.status_code == 200
    priced = answer.json()
    # 1,200.00 + 900.00 = 2,100.00; 19 % of it 399.00
    assert (priced["currency"], priced["on"]) == ("EUR", "2026-02-01")
    assert (priced["net"], priced["tax"], priced["total"], priced["tax_rate"]) == (
        "2100.00",
        "399.00",
        "2499.00",
        "0.19",
    )
    (asked,) = priced["dongles"]
    assert (asked["serial"], asked["paid_through"], asked["covered_through"]) == ("104233", "2026-03-31", "2027-03-31")
    line = asked["lines"][0]
    rules, steps = line.pop("rules"), line.pop("steps")
    assert line == {
        "kind": "sma_year",
        "licence": 0,
        "product": "VOL-VIS",
        "seats": 1,
        "starts_on": "2026-04-01",
        "ends_on": "2027-03-31",
        "months": [12, 0, 0],
        "list": "1200.00",
        "discounts": [],
        "net": "1200.00",
    }
    assert "P3" in rules
    assert steps == [
        {"rule": "P3", "what": "exact", "result": "1200.00", "text": "1,200.00 × 1 seat × 12 ÷ 12 = 1,200.00"}
    ]
    assert counts() == before


def test_a_preview_of_a_lapsed_dongle_sells_the_upgrade_and_names_what_was_missed(sales, catalogue):
    world.make_release("7.0", "2026-01-15")
    world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    (asked,) = post(sales, "quotes/preview/", renewal()).json()["dongles"]
    assert [(line["kind"], line["net"]) for line in asked["lines"]] == [("upgrade", "2400.00")]
    assert asked["missed_majors"] == {"0": ["7.0"]}


def test_discounts_are_shown_with_exact_rates_and_negative_amounts(sales, dongle):
    priced = post(sales, "quotes/preview/", {**renewal(), "discount": "0.05"}).json()
    # 5 % of 1,200.00 is 60.00, of 900.00 45.00: 1,140.00 + 855.00 = 1,995.00
    assert priced["net"] == "1995.00"
    assert [line["discounts"] for line in priced["dongles"][0]["lines"]] == [
        [{"reason": "negotiated", "rate": "0.05", "amount": "-60.00"}],
        [{"reason": "negotiated", "rate": "0.05", "amount": "-45.00"}],
    ]


def test_yen_have_no_decimals(sales, catalogue):
    yen = PriceList.objects.create(name="JPY", currency="JPY", segment="commercial", valid_from=world.DAY_ONE)
    euro = PriceListEntry.objects.get(product__code="VOL-VIS")
    PriceListEntry.objects.create(
        price_list=yen, product=euro.product, licence=900_000, sma_year=180_000, upgrade=360_000
    )
    customer = world.make_customer(currency="JPY", country="JP")
    world.make_dongle(customer=customer, licences=[("VOL-VIS", "2026-03-31")])
    priced = post(sales, "quotes/preview/", renewal()).json()
    assert (priced["currency"], priced["net"], priced["tax"], priced["total"]) == ("JPY", "180000", "0", "180000")


def test_several_dongles_of_a_customer_are_quoted_together(sales, dongle):
    world.make_dongle("777", dongle.customer, [("OPL-FUL", "2026-03-31")])
    asked = {"dongles": [{"serial": "104233", "renew_years": 1}, {"serial": "7-7-7", "align_to": "2027-03-31"}]}
    priced = post(sales, "quotes/preview/", asked).json()
    # 2,100.00 + 1,500.00 = 3,600.00; tax 684.00
    assert (priced["net"], priced["total"]) == ("3600.00", "4284.00")
    assert [(each["serial"], each["net"]) for each in priced["dongles"]] == [("104233", "2100.00"), ("777", "1500.00")]


def test_from_draft_to_code_a_renewal_takes_three_requests(sales, dongle):
    drafted = post(sales, "quotes/", {**renewal(), "note": "As discussed"})
    assert drafted.status_code == 201
    quote = drafted.json()
    assert (quote["version"], quote["state"], quote["total"], quote["note"]) == (1, "draft", "2499.00", "As discussed")
    address = f"quotes/{quote['quote']}/versions/1/"
    assert drafted.headers["Location"] == f"/api/v1/{address}"

    answer = post(sales, address + "send/").json()
    assert (answer["state"], answer["valid_until"]) == ("sent", "2026-03-03")  # thirty days

    order = post(sales, address + "accept/", {"accepted_by": "Ada Lenz", "purchase_order_number": "PO-77"}).json()
    assert (order["state"], order["purchase_order_number"], order["serials"]) == ("fulfilled", "PO-77", ["104233"])
    assert [(each["product"], each["starts_on"], each["ends_on"], each["net"]) for each in order["lines"]] == [
        ("VOL-VIS", "2026-04-01", "2027-03-31", "1200.00"),
        ("VOL-QNT", "2026-04-01", "2027-03-31", "900.00"),
    ]
    assert [(each["recognised"], each["deferred"]) for each in order["lines"]] == [
        ("0.00", "1200.00"),
        ("0.00", "900.00"),
    ]
    (code,) = order["codes"]
    assert (code["expiry_on"], code["previous_expiry_on"], code["sequence"]) == ("2027-03-31", "2026-03-31", 1)
    assert code["licences"] == [{"number": 101, "seats": 1}, {"number": 102, "seats": 1}]
    assert "".join(code["rows"]).replace("-", "").replace(" ", "") == code["letters"]
    assert get(sales, f"codes/{code['id']}/").json() == code
    assert get(sales, f"orders/{order['id']}/").json() == order
    newest = get(sales, f"quotes/{quote['quote']}/").json()
    assert (newest["state"], newest["order"]) == ("accepted", order["id"])


def test_the_letters_of_the_api_move_a_dongle_and_its_receipt_confirms_them(sales, dongle):
    (code,) = ordered(sales)["codes"]
    keys = public_keys()
    _, state = apply_letters(factory_state("104233", keys.root, keys.slots), code["letters"])
    assert state.expiry_on == date(2027, 3, 31)
    receipt = receipt_of("104233", state.generation, state.sequence, state.expiry_on).lower()

    confirmed = post(sales, "dongles/104-233/receipts/", {"receipt": receipt}).json()
    assert (confirmed["id"], confirmed["confirmed_at"]) == (code["id"], "2026-02-01T12:00:00Z")
    found = get(sales, "dongles/104233/").json()
    assert found["confirmed_expiry_on"] == found["issued_expiry_on"] == "2027-03-31"
    assert [each["id"] for each in found["codes"]] == [code["id"]]
    assert [(each["state"], each["total"]) for each in found["quotes"]] == [("accepted", "2499.00")]
    assert [(each["state"], each["total"]) for each in found["orders"]] == [("fulfilled", "2499.00")]


def test_another_dongles_receipt_is_refused(sales, dongle):
    ordered(sales)
    before = counts()
    assert_problem(post(sales, "dongles/104233/receipts/", {"receipt": "0000-0000"}), 422, "receipt_mismatch")
    assert counts() == before


def test_accepted_again_the_same_order_is_answered(sales, dongle):
    address = sent(sales)
    body = {"accepted_by": "Ada", "purchase_order_number": "PO-77"}
    first = post(sales, address + "accept/", body).json()
    before = counts()
    assert post(sales, address + "accept/", {**body, "purchase_order_number": "PO-78"}).json() == first
    assert counts() == before


def test_a_quote_is_revised_and_its_earlier_draft_superseded(sales, dongle):
    quote = post(sales, "quotes/", renewal()).json()["quote"]
    revised = post(sales, f"quotes/{quote}/versions/", renewal(renew_years=2))
    assert revised.status_code == 201
    # 2 × (1,200.00 + 900.00)
    assert (revised.json()["version"], revised.json()["net"]) == (2, "4200.00")
    earlier = get(sales, f"quotes/{quote}/versions/1/").json()
    assert (earlier["state"], earlier["newest_version"], earlier["net"]) == ("superseded", 2, "2100.00")
    assert get(sales, f"quotes/{quote}/").json()["version"] == 2


def test_a_discount_over_the_limit_waits_for_somebody_elses_approval(sales, administrator, dongle):
    drafted = post(sales, "quotes/", {**renewal(), "discount": "0.2", "discount_reason": "Framework contract"}).json()
    assert (drafted["net"], drafted["discount"], drafted["needs_approval"]) == ("1680.00", "0.2", True)  # 2,100 − 20 %
    address = f"quotes/{drafted['quote']}/versions/1/"
    before = counts()
    assert_problem(post(sales, address + "send/"), 409, "approval_needed")
    assert_problem(post(sales, address + "approve/", {"reason": "Please"}), 403, "approval_own")
    assert_problem(post(administrator, address + "approve/", {"reason": " "}), 422, "approval_reason_missing")
    assert counts() == before
    assert post(administrator, address + "approve/", {"reason": "Agreed"}).json()["is_approved"] is True
    assert post(sales, address + "send/").json()["state"] == "sent"


def test_a_quote_is_declined_with_a_reason(sales, dongle):
    address = sent(sales)
    before = counts()
    problem = assert_problem(post(sales, address + "decline/", {"reason": ""}), 422, "decline_reason_missing")
    assert problem["data"] == {"field": "reason"}
    assert counts() == before
    assert post(sales, address + "decline/", {"reason": "No budget"}).json()["state"] == "declined"


def test_a_customer_who_pays_first_gets_the_code_on_payment(sales, finance, catalogue):
    world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = post(sales, sent(sales) + "accept/", {"accepted_by": "Ada"}).json()
    assert (order["state"], order["codes"], order["lines"]) == ("accepted", [], [])
    address = f"orders/{order['id']}/pay/"
    before = counts()
    assert_problem(post(sales, address, {"paid_on": "2026-02-01"}), 403, "not_allowed")
    assert_problem(post(finance, address, {"paid_on": "2026-02-02"}), 422, "paid_in_future")
    assert counts() == before
    assert_problem(post(finance, address, {"paid_on": "2026-01-31"}), 422, "paid_before_quote")
    paid = post(finance, address, {"paid_on": "2026-02-01"}).json()
    assert (paid["state"], paid["paid_on"], paid["fulfilled_on"]) == ("fulfilled", "2026-02-01", "2026-02-01")
    assert [code["expiry_on"] for code in paid["codes"]] == ["2027-03-31"]


def test_a_cancelled_order_takes_its_money_and_its_date_back(sales, finance, dongle, set_day):
    order = ordered(sales)
    set_day("2026-10-01")
    before = counts()
    address = f"orders/{order['id']}/cancel/"
    assert_problem(post(finance, address, {"from_on": "2026-10-01", "reason": ""}), 422, "cancellation_reason_missing")
    early = {"from_on": "2026-01-31", "reason": "Closed"}
    assert_problem(post(finance, address, early), 422, "cancel_before_fulfilment")
    assert counts() == before
    done = post(finance, address, {"from_on": "2026-10-01", "reason": "The laboratory closes"}).json()
    assert (done["state"], done["cancelled_from"]) == ("cancelled", "2026-10-01")
    # Apr … Sep 2026 are 183 of 365 days: 1,200.00 × 183/365 = 601.643…, 900.00 × 183/365 = 451.232…
    assert [(each["net"], each["sold"], each["ends_on"]) for each in done["lines"]] == [
        ("1200.00", "601.64", "2026-09-30"),
        ("900.00", "451.23", "2026-09-30"),
    ]
    assert [code["expiry_on"] for code in done["codes"]] == ["2027-03-31", "2026-09-30"]


def test_a_withdrawn_licence_is_priced_no_more(sales, dongle):
    licence = dongle.licences.get(product__code="VOL-QNT")
    address = f"dongles/104233/licences/{licence.pk}/withdraw/"
    before = counts()
    assert_problem(post(sales, address, {"reason": " "}), 422, "withdrawal_reason_missing")
    assert counts() == before
    assert not Licence.objects.filter(withdrawn_on__isnull=False).exists()
    withdrawn = post(sales, address, {"reason": "Sold off"}).json()
    assert (withdrawn["withdrawn_on"], withdrawn["withdrawal_reason"]) == ("2026-02-01", "Sold off")
    assert post(sales, "quotes/preview/", renewal()).json()["net"] == "1200.00"
    found = get(sales, "dongles/104233/").json()
    assert [each["id"] for each in found["withdrawn"]] == [licence.pk]


def test_a_licence_is_withdrawn_only_at_its_own_dongles_address(sales, dongle):
    other = world.make_dongle("777", dongle.customer)
    address = f"dongles/777/licences/{dongle.licences.first().pk}/withdraw/"
    assert_problem(post(sales, address, {"reason": "Sold off"}), 404, "not_found")
    assert other.licences.filter(withdrawn_on__isnull=True).count() == 2


def test_a_dongle_that_changed_since_the_quote_gets_a_new_version_instead_of_an_order(sales, dongle):
    address = sent(sales)
    licence = dongle.licences.get(product__code="VOL-QNT")
    post(sales, f"dongles/104233/licences/{licence.pk}/withdraw/", {"reason": "Sold off"})
    answer = post(sales, address + "accept/", {"accepted_by": "Ada", "purchase_order_number": "PO-77"})
    problem = assert_problem(answer, 409, "dongle_changed")
    assert problem["data"] == {"version": 2}
    newer = get(sales, address.replace("versions/1", "versions/2")).json()
    assert (newer["state"], newer["net"]) == ("draft", "1200.00")
    assert not Order.objects.exists()


def test_an_expired_quote_is_ordered_no_more(sales, dongle, set_day):
    address = sent(sales)
    set_day("2026-03-04")
    answer = post(sales, address + "accept/", {"accepted_by": "Ada", "purchase_order_number": "PO-77"})
    assert_problem(answer, 409, "quote_expired")
    assert get(sales, address).json()["is_expired"] is True
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 422, "nothing_requested"),
        ({"renew_years": 0, "add": [], "align_to": None}, 422, "nothing_requested"),
        ({"renew_years": 1, "align_to": "2027-01-01"}, 422, "renew_or_align"),
        ({"renew_years": 6}, 422, "years_out_of_range"),
        ({"renew_years": -1}, 422, "years_out_of_range"),
        ({"renew_years": 10**30}, 422, "years_out_of_range"),
        ({"align_to": "2026-01-01"}, 422, "align_too_early"),
        ({"align_to": "0001-01-01"}, 422, "align_too_early"),
        ({"align_to": "9999-12-31"}, 422, "too_far_ahead"),
        ({"align_to": "2026-03-31"}, 422, "nothing_to_buy"),
        ({"add": [{"product": "VOL-NEW", "seats": 1}]}, 422, "no_price"),
        ({"add": [{"product": "NO-SUCH", "seats": 1}]}, 422, "unknown_product"),
        ({"add": [{"product": "OPL-FUL", "seats": 1}]}, 422, "wrong_family"),
        ({"add": [{"product": "VOL-VIS", "seats": 65535}]}, 422, "too_many_seats"),
    ],
)
@pytest.mark.parametrize("address", ["quotes/preview/", "quotes/"])
def test_what_the_rulebook_refuses_is_refused_with_its_code_and_nothing_written(
    sales, dongle, address, asked, status, code
):
    before = counts()
    body = {"dongles": [{"serial": "104233", **asked}]}
    assert_problem(post(sales, address, body), status, code)
    assert counts() == before


def test_a_serial_in_the_body_that_is_unknown_or_none_at_all_is_a_value_that_cannot_be_used(sales, dongle):
    assert_problem(post(sales, "quotes/", renewal("999")), 422, "unknown_serial")
    assert_problem(post(sales, "quotes/", renewal("!?")), 422, "not_a_serial")
    assert not Quote.objects.exists()


def test_dongles_that_cannot_be_quoted_are_named(sales, dongle):
    world.make_dongle("777", world.make_customer("Somebody else"))
    twice = {"dongles": [{"serial": "104233", "renew_years": 1}, {"serial": "104-233", "renew_years": 1}]}
    strangers = {"dongles": [{"serial": "104233", "renew_years": 1}, {"serial": "777", "renew_years": 1}]}
    assert assert_problem(post(sales, "quotes/", twice), 422, "dongle_twice")["data"] == {"serial": "104233"}
    problem = assert_problem(post(sales, "quotes/", strangers), 422, "dongle_of_other_customer")
    assert problem["data"] == {"serial": "777"}
    dongle.customer = None
    dongle.save()
    assert_problem(post(sales, "quotes/", renewal()), 422, "dongle_without_owner")
    dongle.state = "lost"
    dongle.customer = world.make_customer("Owner")
    dongle.save()
    assert_problem(post(sales, "quotes/preview/", renewal()), 409, "dongle_not_active")
    assert not Quote.objects.exists()


@pytest.mark.parametrize("address", ["quotes/preview/", "dongles/104233/"])
def test_one_licence_and_quote_take_as_many_queries_as_twenty_and_two(
    sales, dongle, django_assert_num_queries, address
):
    def ask():
        return get(sales, address) if address.startswith("dongles") else post(sales, address, renewal())

    Licence.objects.filter(product__code="VOL-QNT").update(withdrawn_on="2026-01-01", withdrawal_reason="Sold off")
    world.draft(dongle, "2026-02-01")
    with CaptureQueriesContext(connection) as few:
        assert ask().status_code == 200
    world.draft(dongle, "2026-02-01")
    for _ in range(19):
        licence = Licence.objects.create(
            dongle=dongle, product=dongle.licences.first().product, acquired_on=world.DAY_ONE
        )
        SmaPeriod.objects.create(licence=licence, starts_on="2020-01-01", ends_on="2026-03-31", source="record")
    with django_assert_num_queries(len(few)):
        answer = ask().json()
    assert len(answer["licences"] if "licences" in answer else answer["dongles"][0]["lines"]) == 20


def test_the_page_shows_the_cents_of_the_api(sales, catalogue, client):
    """A part of a year with a discount and three steps of rounding, the same on both faces."""
    world.make_dongle(licences=[("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-05-19")])
    priced = post(sales, "quotes/preview/", {**renewal(align_to="2026-12-24"), "discount": "0.07"}).json()
    world.log_in(client, world.make_user("sales", "page@vendor.example"))
    page = client.get("/dongles/104233/quote/?align_to=2026-12-24&discount=7").content.decode()
    shown = [priced["net"], priced["tax"], priced["total"], *(line["net"] for line in priced["dongles"][0]["lines"])]
    assert len(shown) == 5
    for amount in shown:
        assert f"{float(amount):,.2f}" in page
