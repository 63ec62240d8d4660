"""What the rows of a file ask for, given what is on record; every contradiction is told with its row."""

from datetime import date

import pytest

from dongles.coverage import Period
from dongles.installed_base.faults import CAUSES
from dongles.installed_base.planning import plan_import
from dongles.installed_base.plans import PlannedLicence, Record, RecordedCustomer, RecordedDongle, RecordedLicence
from dongles.installed_base.rows import Choices, Row

NOTHING = Record({}, {})
FIRST, LAST = date(2025, 4, 1), date(2026, 3, 31)
YEAR = Period(FIRST, LAST)
BEFORE = Period(date(2024, 4, 1), date(2025, 3, 31))
ACQUIRED = date(2020, 1, 1)


def row(number, serial="104233", **cells):
    usual = {
        "product": "VOL-VIS",
        "seats": 1,
        "acquired_on": ACQUIRED,
        "sma_starts_on": FIRST,
        "sma_ends_on": LAST,
        "customer": "Institute of Cells",
        "country": "DE",
        "currency": "EUR",
    }
    return Row(number, serial, **{**usual, **cells})


def plan(*rows, record=NOTHING, **choices):
    return plan_import(rows, record, Choices({}, **choices))


def faults(*rows, **given):
    found = [(fault.code, fault.row) for fault in plan(*rows, **given).faults]
    assert {code for code, _ in found} <= CAUSES.keys()
    return found


def on_record(*licences, **facts):
    """Dongle 104233 of the institute as it is on record, with licences."""
    customer = RecordedCustomer(
        7, "Institute  of cells", "DE", "EUR", "commercial", "standard", frozenset(), frozenset()
    )
    usual = {
        "id": 1,
        "serial": "104233",
        "kind": "dongle",
        "state": "active",
        "customer_id": 7,
        "expiry_on": LAST,
        "has_codes": False,
        "licences": licences,
    }
    return Record({"institute of cells": [customer]}, {"104233": RecordedDongle(**{**usual, **facts})})


def licence(*periods, product="VOL-VIS", seats=1, acquired_on=ACQUIRED, is_withdrawn=False, id=11):
    spans = frozenset(periods)
    return RecordedLicence(id, product, seats, acquired_on, is_withdrawn, spans, spans)


# New dongles


def test_rows_of_a_dongle_are_its_licences_and_rows_of_a_licence_its_periods():
    (dongle,) = plan(
        row(2), row(3, sma_starts_on=BEFORE.starts_on, sma_ends_on=BEFORE.ends_on), row(4, product="VOL-QNT")
    ).dongles
    assert dongle.licences == (
        PlannedLicence(None, "VOL-VIS", 1, ACQUIRED, (BEFORE, YEAR)),
        PlannedLicence(None, "VOL-QNT", 1, ACQUIRED, (YEAR,)),
    )
    assert (dongle.expiry_on, dongle.owner) == (LAST, ("institute of cells", "DE"))


def test_an_sma_without_a_start_runs_from_the_day_of_purchase_and_a_licence_without_one_from_its_first_sma():
    (dongle,) = plan(row(2, sma_starts_on=None)).dongles
    assert dongle.licences[0].periods == (Period(ACQUIRED, LAST),)
    (dongle,) = plan(row(2, acquired_on=None)).dongles
    assert dongle.licences[0].acquired_on == FIRST


def test_a_row_that_leaves_seats_and_purchase_open_belongs_to_the_licence_that_can_be_meant():
    later = {"sma_starts_on": date(2026, 4, 1), "sma_ends_on": date(2027, 3, 31)}
    (dongle,) = plan(row(2, seats=5), row(3, seats=None, acquired_on=None, **later)).dongles
    assert [(each.seats, len(each.periods)) for each in dongle.licences] == [(5, 2)]


def test_a_dongle_takes_what_its_first_row_says_of_its_customer():
    planned = plan(row(2), row(3, product="VOL-QNT", customer=None, country=None, currency=None))
    assert len(planned.customers) == 1
    assert planned.faults == []


def test_the_date_in_the_dongle_is_the_one_stated_or_else_the_last_day_covered():
    assert plan(row(2, expiry_on=date(2025, 6, 30))).dongles[0].expiry_on == date(2025, 6, 30)
    without = {"sma_starts_on": None, "sma_ends_on": None}
    assert plan(row(2, **without)).dongles[0].expiry_on is None


def test_ragged_and_period_less_dongles_and_such_without_an_owner_are_taken_and_flagged():
    nobody = {"customer": None, "country": None, "currency": None}
    planned = plan(
        row(2, "1"),
        row(3, "1", product="VOL-QNT", sma_ends_on=date(2026, 6, 30)),
        row(4, "2", sma_starts_on=None, sma_ends_on=None),
        row(5, "3", **nobody),
        row(6, "4", contact_name="Ben"),
    )
    assert planned.faults == []
    assert [dongle.serial for dongle in planned.dongles] == ["1", "2", "3", "4"]
    assert planned.flags == (["1"], ["2"], ["3"], [6])


def test_the_same_row_twice_and_overlapping_smas_are_told():
    assert faults(row(2), row(9)) == [("row_twice", 9)]
    assert faults(row(2), row(9, sma_starts_on=date(2026, 3, 31), sma_ends_on=date(2026, 12, 31))) == [
        ("periods_overlap", 9)
    ]
    empty = {"sma_starts_on": None, "sma_ends_on": None}
    assert faults(row(2, **empty), row(9, **empty)) == [("row_twice", 9)]


def test_licence_numbers_tell_two_licences_of_one_product_apart():
    (dongle,) = plan(row(2, licence="L1"), row(3, licence="L2")).dongles
    assert [each.periods for each in dongle.licences] == [(YEAR,), (YEAR,)]


def test_a_licence_needs_a_first_day_and_no_sma_before_it():
    assert faults(row(2, acquired_on=None, sma_starts_on=None)) == [("acquired_missing", 2)]
    later = row(3, acquired_on=None, sma_starts_on=date(2019, 1, 1), sma_ends_on=date(2019, 12, 31))
    assert faults(row(2), later) == [("period_before_acquired", 3)]


def test_more_than_sixty_products_are_too_many():
    assert faults(*(row(number, product=f"P{number}") for number in range(2, 62))) == []
    assert faults(*(row(number, product=f"P{number}") for number in range(2, 63))) == [("too_many_products", 2)]


def test_a_dongle_has_one_owner_one_kind_and_one_date():
    assert faults(row(2), row(3, product="VOL-QNT", customer="Cells Ltd")) == [("dongle_of_two_customers", 3)]
    assert faults(row(2, kind="key"), row(3, product="VOL-QNT", kind="dongle")) == [("dongle_differs", 3)]
    assert faults(row(2, expiry_on=LAST), row(3, product="VOL-QNT", expiry_on=FIRST)) == [("dongle_differs", 3)]


# Customers


def test_a_customer_is_one_whatever_its_spaces_and_case_but_another_in_another_country():
    planned = plan(row(2, "1"), row(3, "2", customer="INSTITUTE  OF CELLS"), row(4, "3", country="FR"))
    assert list(planned.customers) == [("institute of cells", "DE"), ("institute of cells", "FR")]


def test_customers_are_never_made_one_because_they_are_alike():
    assert len(plan(row(2, "1"), row(3, "2", customer="Institute of Cell")).customers) == 2


def test_a_country_that_is_not_stated_comes_from_the_other_rows_the_record_or_the_choice():
    assert list(plan(row(2, "1"), row(3, "2", country=None)).customers) == [("institute of cells", "DE")]
    assert plan(row(2, "2", country=None), record=on_record()).dongles[0].owner == ("institute of cells", "DE")
    assert list(plan(row(2, country=None), country="AT").customers) == [("institute of cells", "AT")]
    assert faults(row(2, country=None)) == [("country_missing", 2)]


def test_a_new_customer_needs_a_currency():
    assert faults(row(2, currency=None)) == [("currency_missing", 2)]
    (customer,) = plan(row(2, currency=None, segment="academic"), currency="CHF").customers.values()
    assert (customer.currency, customer.segment, customer.tax_status) == ("CHF", "academic", "standard")


def test_two_rows_that_say_different_things_of_a_customer_are_told():
    assert faults(row(2, "1"), row(3, "2", currency="USD")) == [("customer_differs", 3)]


def test_contacts_are_gathered_once_by_their_address():
    (customer,) = plan(
        row(2, "1", contact_name="Ada", contact_email="ada@cells.example"),
        row(3, "2", contact_name="Ada Lenz", contact_email="ADA@cells.example"),
        row(4, "3", contact_email="ben@cells.example"),
    ).customers.values()
    assert customer.contacts == (("Ada", "ada@cells.example"), ("ben@cells.example", "ben@cells.example"))


def test_a_contact_without_an_address_is_taken_unless_somebody_of_that_name_is_known():
    rows = [row(2, "1", contact_name="Ada"), row(3, "2", contact_name="ADA", contact_email="ada@cells.example")]
    (customer,) = plan(*rows, row(4, "3", contact_name="Ben"), row(5, "4", contact_name="ben")).customers.values()
    assert customer.contacts == (("ADA", "ada@cells.example"), ("Ben", ""))


# What is on record


def test_what_is_on_record_already_is_nothing_new():
    planned = plan(row(2), record=on_record(licence(YEAR)))
    assert (planned.dongles, planned.customers, planned.faults, planned.unchanged) == ([], {}, [], 1)


def test_what_is_withdrawn_or_cancelled_since_is_not_made_again():
    assert plan(row(2), record=on_record(licence(YEAR, is_withdrawn=True))).dongles == []
    cancelled = licence(YEAR)._replace(standing=frozenset())
    assert plan(row(2), record=on_record(cancelled)).dongles == []


def test_new_periods_licences_and_dates_are_added():
    (dongle,) = plan(row(2), record=on_record(licence(BEFORE), expiry_on=BEFORE.ends_on)).dongles
    assert (dongle.id, dongle.expiry_on, dongle.owner) == (1, LAST, None)
    assert dongle.licences == (PlannedLicence(11, "VOL-VIS", 1, ACQUIRED, (YEAR,)),)
    (dongle,) = plan(row(2), row(3, product="VOL-QNT"), record=on_record(licence(YEAR))).dongles
    assert dongle.licences == (PlannedLicence(None, "VOL-QNT", 1, ACQUIRED, (YEAR,)),)


def test_a_date_that_a_code_has_moved_is_left_alone():
    planned = plan(row(2), record=on_record(licence(BEFORE), has_codes=True, expiry_on=BEFORE.ends_on))
    assert planned.dongles[0].expiry_on is None
    assert faults(row(2, expiry_on=FIRST), record=on_record(licence(YEAR), has_codes=True)) == []


@pytest.mark.parametrize(
    ("cells", "facts"),
    [
        ({"kind": "key"}, {}),
        ({"customer": "Cells Ltd"}, {}),
        ({"expiry_on": FIRST}, {}),
        ({"seats": 5}, {}),
        ({"acquired_on": date(2021, 1, 1)}, {}),
        ({"sma_ends_on": date(2026, 6, 30)}, {}),
        ({"currency": "USD"}, {}),
    ],
)
def test_what_contradicts_the_record_is_told_and_never_overwritten(cells, facts):
    assert faults(row(2, **cells), record=on_record(licence(YEAR), **facts)) == [("differs_from_record", 2)]


def test_a_second_licence_of_a_product_is_new_where_the_file_names_the_first_too():
    later = {"acquired_on": date(2021, 1, 1)}
    (dongle,) = plan(row(2), row(3, **later), record=on_record(licence(YEAR))).dongles
    assert [each.acquired_on for each in dongle.licences] == [date(2021, 1, 1)]


def test_of_two_like_licences_each_finds_its_own():
    record = on_record(licence(YEAR, id=11), licence(BEFORE, id=12))
    other = {"licence": "2", "sma_starts_on": BEFORE.starts_on, "sma_ends_on": BEFORE.ends_on}
    assert plan(row(2, **other), row(3, licence="1"), record=record).dongles == []


def test_nothing_is_added_to_a_lost_dongle_but_naming_it_is_no_fault():
    assert faults(row(2), record=on_record(licence(YEAR), state="lost")) == []
    assert faults(row(2), record=on_record(licence(BEFORE), state="lost")) == [("dongle_not_active", 2)]


def test_an_owner_is_set_where_there_is_none():
    planned = plan(row(2, customer="Cells Ltd"), record=on_record(licence(YEAR), customer_id=None))
    assert planned.dongles[0].owner == ("cells ltd", "DE")


def test_new_contacts_of_a_known_customer_are_added():
    planned = plan(row(2, contact_email="ada@cells.example"), record=on_record(licence(YEAR)))
    assert [(each.id, each.contacts) for each in planned.customers.values()] == [
        (7, (("ada@cells.example", "ada@cells.example"),))
    ]
