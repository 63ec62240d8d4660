"""What the search finds by what was typed: every kind in every spelling, the best first, each by an index."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dongles.models import Dongle
from portal.models import Contact
from renewals.overviews import search_results, the_one_meant
from renewals.overviews.search import MOST_OF_A_KIND, read_typed
from renewals.services.requests import record_request
from tests import world

TODAY = date(2026, 2, 1)


def found(text):
    """Titles by kind."""
    return {kind.noun: [hit.title for hit in kind.hits] for kind in search_results(text, TODAY)}


def meant(text):
    hit = the_one_meant(search_results(text, TODAY))
    return hit and hit.title


@pytest.fixture
def sold(dongle):
    """An order of dongle 104233 with its quote, code and a request; numbers are whatever the database gives."""
    record_request(serial="104233", name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(TODAY))
    return world.sell(dongle, str(TODAY))


@pytest.mark.parametrize("text", ["104233", "104-233", " 10 42 33 ", "1-0-4-2-3-3"])
def test_a_serial_in_any_spelling_is_the_dongle(dongle, text):
    assert meant(text) == "104233"


def test_a_serial_with_letters_is_found_in_small_ones(catalogue):
    world.make_dongle("ILS2008A", None, [])
    assert meant("ils 2008-a") == "ILS2008A"


def test_the_beginning_of_a_serial_finds_all_that_begin_so_and_the_whole_one_is_meant(catalogue):
    customer = world.make_customer()
    for serial in ("1042", "10423", "104233", "204233"):
        world.make_dongle(serial, customer, [])
    assert found("10-42") == {"dongle": ["1042", "10423", "104233"]}
    assert meant("1042") == "1042"
    assert meant("104") is None
    assert meant("20") == "204233"


def test_no_more_of_a_kind_are_shown_than_fit_and_the_list_has_all(catalogue):
    customer = world.make_customer()
    for number in range(MOST_OF_A_KIND + 1):
        world.make_dongle(f"77{number}", customer, [])
        world.make_customer(f"Optics {number}")
        Contact.objects.create(customer=customer, name=f"Bo Optics {number}", email=f"bo{number}@x.example")
    (dongles,) = search_results("77", TODAY)
    assert (len(dongles.hits), dongles.has_more, dongles.all_address) == (MOST_OF_A_KIND, True, "/dongles/?q=77")
    customers, contacts = search_results("Optics", TODAY)
    assert (customers.number_in_words, customers.all_address) == ("8 customers or more", "/customers/?q=Optics")
    assert (contacts.number_in_words, contacts.all_address) == ("8 contacts or more", "")


@pytest.mark.parametrize("text", ["Institute of Cells", "INSTITUTE OF  CELLS", "cells insti", "tute"])
def test_a_customer_is_found_by_words_of_its_name_in_any_order(dongle, text):
    assert found(text)["customer"] == ["Institute of Cells"]
    assert meant(text) == "Institute of Cells"


def test_customers_are_ranked_the_whole_name_first_then_its_beginning(db):
    for name in ("Zeta Cells", "Living Cells", "Cells of Hull", "Cells"):
        world.make_customer(name)
    Contact.objects.all().delete()
    assert found("cells") == {"customer": ["Cells", "Cells of Hull", "Living Cells", "Zeta Cells"]}
    assert meant("cells") == "Cells"
    assert meant("cell") is None


def test_of_two_customers_with_one_name_neither_is_meant(db):
    for _ in range(2):
        world.make_customer("Cells")
    assert meant("cells") is None


def test_two_letters_find_the_beginning_of_a_name(db):
    world.make_customer("3M Imaging")
    world.make_customer("Imaging 3M")
    world.make_customer("青葉光学")
    assert found("3m") == {"customer": ["3M Imaging"]}
    assert found("青葉") == {"customer": ["青葉光学"]}


def test_a_contact_is_found_by_name_or_address_and_who_has_left_comes_last(db):
    customer = world.make_customer()
    customer.contacts.all().delete()
    for name, email, left_on in (
        ("Ada Lenz", "ada@cells.example", TODAY),
        ("Adam Lenz", "adam@cells.example", None),
        ("Bo Lenz", "bo@cells.example", None),
    ):
        Contact.objects.create(customer=customer, name=name, email=email, left_on=left_on)
    assert found("lenz") == {"contact": ["Adam Lenz", "Bo Lenz", "Ada Lenz"]}
    assert found("lenz bo") == {"contact": ["Bo Lenz"]}
    assert found("@cells") == {"contact": ["Adam Lenz", "Bo Lenz", "Ada Lenz"]}
    assert meant("BO@cells.example") == "Bo Lenz"
    (contacts,) = search_results("ada@cells.example", TODAY)
    assert contacts.hits[0].about == "ada@cells.example, left 1 Feb 2026"
    assert contacts.hits[0].address == f"/customers/{customer.pk}/#contacts"


def test_an_address_that_is_on_file_at_two_customers_is_a_choice(db):
    for name in ("One", "Two"):
        Contact.objects.create(customer=world.make_customer(name), name="Bo", email="bo@cells.example")
    assert found("bo@cells.example") == {"contact": ["Bo", "Bo"]}
    assert meant("bo@cells.example") is None


SPELLINGS = ("{0}{1:06d}", "{0}-{1:06d}", "{2}{1}", "{2}-{1}", "{3} {1}", "{3} #{1}", "{0} {1:06d}", "{0}000000{1}")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("kind", "letter"), [("quote", "Q"), ("order", "O"), ("request", "R")])
def test_a_number_with_its_kind_is_meant_in_any_spelling(sold, spelling, kind, letter):
    row = {"quote": sold.quote, "order": sold, "request": sold.version.dongles.get().dongle.requests.get()}[kind]
    text = spelling.format(letter, row.pk, letter.lower(), kind.capitalize())
    title = f"{row.number} version 1" if kind == "quote" else row.number
    assert meant(text) == title


@pytest.mark.parametrize("suffix", ["-1", " version 1", " v1", ", version 1"])
def test_a_quote_is_found_by_the_name_of_a_version(sold, suffix):
    assert meant(f"{sold.quote.number}{suffix}") == f"{sold.quote.number} version 1"


def test_the_newest_version_of_a_quote_is_shown(dongle):
    first = world.send(dongle, str(TODAY))
    world.send(dongle, str(TODAY), revises=first.quote)
    assert meant(first.quote.number) == f"{first.quote.number} version 2"


def test_a_number_alone_may_be_anybodys(sold):
    request = sold.version.dongles.get().dongle.requests.get()
    titles = [
        title for kind in (sold.pk, sold.quote_id, request.pk) for its in found(str(kind)).values() for title in its
    ]
    assert {f"{sold.quote.number} version 1", sold.number, request.number} <= set(titles)


def test_a_serial_goes_before_a_number_alone(dongle):
    version = world.draft(dongle, str(TODAY))
    world.make_dongle(str(version.quote_id), dongle.customer, [])
    assert list(found(str(version.quote_id))) == ["dongle", "quote"]
    assert meant(str(version.quote_id)) == str(version.quote_id)


def test_a_serial_that_reads_like_a_quote_number_is_a_choice(dongle):
    version = world.draft(dongle, str(TODAY))
    world.make_dongle(f"Q{version.quote_id}", dongle.customer, [])
    assert meant(f"q{version.quote_id}") is None
    assert list(found(f"q{version.quote_id}")) == ["dongle", "quote"]


def test_a_purchase_order_number_is_the_order_and_a_part_of_it_finds_it(sold):
    assert meant("po-77") == sold.number
    assert found("PO-7")["order"] == [sold.number]
    other = world.sell(
        world.make_dongle("777", sold.customer),
        str(TODAY),
    )
    other.purchase_order_number = "XPO-770"
    other.save()
    assert found("PO-77")["order"] == [sold.number, other.number]
    assert meant("PO-77") == sold.number
    assert meant("o-77") is None


def test_a_short_purchase_order_number_is_found_whole(sold):
    sold.purchase_order_number = "7X"
    sold.save()
    assert found("7x")["order"] == [sold.number]
    assert "order" not in found("7")


@pytest.mark.parametrize("text", ["104233-0-1", "104-233-0-1", "104233 0 1"])
def test_an_unlock_code_is_found_by_its_name(sold, text):
    assert meant(text) == "Code 104233-0-1"
    assert "unlock code" not in found("104233-0-2")


def test_a_hit_says_enough_to_recognise_it(sold):
    sold.customer.country = "DE"
    hits = {
        text: search_results(text, TODAY)[0].hits[0] for text in ("104233", "Institute of Cells", "PO-77", "104233-0-1")
    }
    told = {text: (hit.about, hit.customer and hit.customer.name, hit.state) for text, hit in hits.items()}
    # two licences for a year, 1,200.00 + 900.00 with 19 % tax, from 31 Mar 2026 to 31 Mar 2027
    assert told == {
        "104233": ("SMA expires in 13 months, 31 Mar 2027", "Institute of Cells", "active"),
        "Institute of Cells": ("Germany, EUR, commercial", None, ""),
        "PO-77": ("Purchase order PO-77, €2,499.00, 1 Feb 2026", "Institute of Cells", "fulfilled"),
        "104233-0-1": ("SMA date 31 Mar 2027, issued 1 Feb 2026", "Institute of Cells", ""),
    }


def test_a_quote_past_its_last_day_is_shown_as_expired(dongle):
    version = world.send(dongle, str(TODAY))
    (quotes,) = search_results(version.quote.number, TODAY + timedelta(days=31))
    assert quotes.hits[0].state == "expired"


def test_what_belongs_to_nobody_on_record_is_found_too(dongle):
    Dongle.objects.update(customer=None)
    asked = record_request(serial="nowhere", name="Bo", email="b@b.example", actor=world.SALES, at=world.at(TODAY))
    assert (meant("104233"), meant(asked.number)) == ("104233", asked.number)


HOSTILE = (
    *("", "   ", "\u3000", "%", "_", "%%%", "___", "'", '"', "\\", "'; --", "a' OR '1'='1", "( [ {", "-", "- 0 0", "#"),
    *("q", "q-", "q0", "Q-000000", "9" * 18, "q" + "9" * 18, "9" * 200, "x" * 200, "٣٤٥", "ﬁ", "\u202e", "🔬" * 50),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_finds_nothing_and_breaks_nothing(sold, text):
    assert found(text) == {}


def test_wildcards_are_letters(db):
    world.make_customer("Imaging 100% pure_light")
    world.make_customer("Imaging 100 pure light")
    assert found("100%") == {"customer": ["Imaging 100% pure_light"]}
    assert found("pure_l") == {"customer": ["Imaging 100% pure_light"]}


def test_a_text_is_read_as_all_that_it_could_be():
    typed = read_typed(" 104-233-0-7 ")
    assert (typed.serial, typed.number, typed.code) == ("10423307", None, ("104233", 0, 7))
    assert read_typed("Quote Q-12").number is None
    assert (read_typed("order 12").letter, read_typed("order 12").number) == ("o", 12)
    assert read_typed("12").number_of("q") == read_typed("#12").number_of("r") == 12
    assert read_typed("r12").number_of("q") is None


def test_the_search_asks_a_query_a_kind_at_most_however_much_there_is(catalogue):
    def asked(text):
        with CaptureQueriesContext(connection) as queries:
            search_results(text, TODAY)
        return len(queries)

    texts = ("123", "q12", "cells", "104233-0-1", "ada@", "x")
    few = [asked(text) for text in texts]
    for number in range(12):
        dongle = world.make_dongle(f"123{number}", world.make_customer(f"Cells {number}"))
        world.sell(dongle, str(TODAY))
    assert [asked(text) for text in texts] == few == [6, 5, 4, 5, 3, 3]
