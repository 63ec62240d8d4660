"""Every situation of the rulebook is really in the demo, by the rules' own predicates."""

from datetime import timedelta

import pytest

from dongles import coverage
from dongles.models import Dongle, Release, UnlockCode
from dongles.queries import coverage_of, licences_of, published_releases
from portal.models import Customer, User
from renewals import demo as published_demo
from renewals.models import Bridge, Order, PriceList, PurchaseOrderFile, QuoteVersion
from renewals.queries import DongleRequest, price_quote

pytestmark = pytest.mark.database


def carried(serial):
    return [coverage_of(licence) for licence in licences_of([Dongle.objects.get(serial=serial)])]


def status(serial, on):
    return coverage.sma_status(carried(serial), published_releases(["Volocity", "Openlab"], through=on), on, 0)


def ends(serial):
    return {coverage.covered_through(each) for each in carried(serial)}


def missed(serial, on):
    releases = published_releases(["Volocity", "Openlab"], through=on)
    return [[release.version for release in coverage.missed_majors(each, releases, on, 0)] for each in carried(serial)]


def test_the_demo_has_the_dongles_asked_for_and_forty_customers(demo):
    assert Dongle.objects.count() == 120
    assert Customer.objects.count() == 40
    assert {each.serial for each in published_demo.situations()} <= set(Dongle.objects.values_list("serial", flat=True))


def test_the_standard_renewal_has_three_licences_that_end_on_one_day(demo):
    assert [each.product for each in carried("104233")] == ["VOL-VIS", "VOL-QNT", "VOL-RST"]
    assert ends("104233") == {demo + timedelta(days=21)}
    assert status("104233", demo) == "expiring"


def test_a_valid_dongle_and_one_paid_years_ahead_are_there(demo):
    assert status("104301", demo) == status("104302", demo) == "valid"
    assert min(ends("104302")) > demo + timedelta(days=3 * 365)


def test_dongles_expire_this_month_and_today(demo):
    (end,) = ends("104303")
    assert demo <= end
    assert (end + timedelta(days=1)).day == 1
    assert (end.year, end.month) == (demo.year, demo.month)
    assert ends("104304") == {demo}
    assert all(coverage.is_valid_on(each.periods, demo) for each in carried("104304"))


def test_dongles_lapsed_without_a_missed_major_are_there(demo):
    assert status("104305", demo) == status("104306", demo) == "lapsed"
    assert ends("104305") == {demo - timedelta(days=1)}


def test_dongles_lapsed_over_one_major_and_over_several_are_there(demo):
    assert status("104307", demo) == status("104308", demo) == status("104309", demo) == "lapsed_over_major"
    assert missed("104307", demo) == [["8.0"], ["8.0"]]
    assert missed("104308", demo) == [["6.0", "7.0", "8.0"]]
    assert missed("104309", demo) == [["7.0"]]


def test_ragged_dongles_are_there_one_of_them_with_a_licence_lapsed_over_a_major(demo):
    assert len(ends("104310")) == 2
    assert status("104310", demo) == "valid"
    assert missed("104311", demo) == [[], ["8.0"]]


def test_a_licence_server_carries_seats_of_both_families(demo):
    assert Dongle.objects.get(serial="104312").kind == "licence_server"
    assert {each.family for each in carried("104312")} == {"Volocity", "Openlab"}
    assert sum(each.seats for each in carried("104312")) == 50


def test_only_licence_servers_carry_both_families(demo):
    for dongle in Dongle.objects.exclude(kind="licence_server"):
        assert len({each.family for each in carried(dongle.serial)}) <= 1, dongle.serial


def test_key_lost_retired_empty_and_ownerless_dongles_are_there(demo):
    dongles = Dongle.objects.in_bulk(["104313", "104314", "104315", "104316", "104317"], field_name="serial")
    assert dongles["104313"].kind == "key"
    assert dongles["104314"].state == "lost"
    assert dongles["104315"].state == "retired"
    assert status("104316", demo) == "empty"
    assert dongles["104317"].customer is None


def test_a_customer_pays_first_and_another_has_no_contact(demo):
    assert Dongle.objects.get(serial="104318").customer.fulfil_on == "payment"
    assert not Dongle.objects.get(serial="104323").customer.contacts.exists()


def test_a_licence_without_an_sma_a_withdrawn_one_and_a_gap_are_there(demo):
    assert [each.periods for each in carried("104319")] == [()]
    assert Dongle.objects.get(serial="104320").licences.filter(withdrawn_on__isnull=False).count() == 1
    (came_back,) = carried("104321")
    gaps = [
        later.starts_on - earlier.ends_on
        for earlier, later in zip(came_back.periods, came_back.periods[1:], strict=False)
    ]
    assert max(gaps) > timedelta(days=365)


def test_the_history_of_releases_spans_ten_years_and_says_that_it_is_invented(demo):
    published = Release.objects.filter(is_published=True)
    for family in ("Volocity", "Openlab"):
        days = published.filter(family__name=family).order_by("build_on").values_list("build_on", flat=True)
        assert demo - days[0] > timedelta(days=9.7 * 365)
        assert max(days) <= demo
    assert not Release.objects.exclude(notes__startswith="Invented for the demo").exists()
    assert Release.objects.filter(is_published=False, build_on__gt=demo, is_major=True).count() == 2


def test_every_currency_and_segment_has_this_years_price_list_and_those_of_three_years_before(demo):
    found = set(PriceList.objects.values_list("currency", "segment", "valid_from__year"))
    assert found == {
        (currency, segment, year)
        for currency in ("EUR", "USD", "GBP", "JPY")
        for segment in ("commercial", "academic")
        for year in (2023, 2024, 2025, 2026)
    }


def test_every_active_dongle_with_an_owner_and_licences_can_be_priced(demo):
    active = Dongle.objects.filter(state="active", customer__isnull=False, licences__isnull=False).distinct()
    dongles = list(active.select_related("customer"))
    assert len(dongles) > 100
    for dongle in dongles:
        priced = price_quote(dongle.customer, [DongleRequest(dongle, renew_years=1)], on=demo)
        assert priced.net > 0, dongle.serial


def test_quotes_in_each_state_are_there_and_one_needs_approval_and_one_has_expired(demo):
    versions = QuoteVersion.objects.all()
    assert set(versions.values_list("state", flat=True)) == {"draft", "sent", "accepted", "declined", "superseded"}
    assert versions.get(dongles__dongle__serial="104410").needs_approval
    assert versions.get(dongles__dongle__serial="104408").valid_until < demo


def test_orders_in_each_state_are_there_with_codes_confirmed_and_not(demo):
    assert set(Order.objects.values_list("state", flat=True)) == {"accepted", "fulfilled", "cancelled"}
    codes = UnlockCode.objects.filter(dongle__serial__in=["104401", "104404"]).order_by("dongle__serial")
    assert [hasattr(code, "receipt") for code in codes] == [True, False]


def test_the_cancelled_order_took_the_date_back_to_the_day_before(demo):
    # Cancelled 30 days before 24 Nov 2026, from 25 Oct 2026 on: covered through 24 Oct 2026.
    assert str(Dongle.objects.get(serial="104405").issued_expiry_on) == "2026-10-24"


def test_no_date_of_a_dongle_that_was_sold_to_lies_beyond_its_least_covered_licence(demo):
    sold_to = Dongle.objects.filter(sequence__gt=0).exclude(bridges__version__state="sent")
    assert sold_to.count() > 5
    for dongle in sold_to:
        assert dongle.issued_expiry_on == coverage.least_covered_on(carried(dongle.serial)), dongle.serial


def test_a_dongle_waits_bridged_for_its_order(demo):
    bridge = Bridge.objects.select_related("dongle", "version").get()
    assert (bridge.dongle.serial, bridge.version.state) == ("104414", "sent")
    assert ends("104414") == {bridge.paid_through} == {demo}
    assert bridge.dongle.issued_expiry_on == bridge.ends_on == demo + timedelta(days=20)


def test_an_order_has_its_purchase_order_as_a_file(demo):
    file = PurchaseOrderFile.objects.get()
    assert (file.name, file.order.purchase_order_number) == ("BST-9917.pdf", "BST-9917")
    assert file.size > 500


def test_all_addresses_are_examples_and_the_demo_users_can_log_in(demo):
    assert not User.objects.exclude(email__endswith=".example").exists()
    assert not Customer.objects.exclude(contacts=None).exclude(contacts__email__endswith=".example").exists()
    for login in published_demo.logins():
        user = User.objects.get(email=login.email)
        assert user.check_password(login.password)
        assert user.role == login.role
