"""A customer's own first page: all dongles, the most urgent first, each with how it stands and what to do next."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dongles.models import CodeReceipt, Dongle, Licence, Product, SmaPeriod
from portal.wording import write_day, write_validity
from tests import world
from tests.web.reading import text_of


def home(owner, **asked):
    return owner.get("/my/", asked)


def shown(page):
    """The serials in the order of the page."""
    return re.findall(r'name="dongle" value="(\w+)"', page.content.decode())


@pytest.fixture
def more(dongle, today):
    """Makes a further dongle of the same owner; `days` from today to the end of each licence's SMA."""

    def make(serial, *days, **fields):
        ends = [("VOL-VIS", str(today + timedelta(days=each))) for each in days]
        return world.make_dongle(serial, dongle.customer, ends, **fields)

    return make


@pytest.mark.parametrize(
    ("ends_on", "words"),
    [
        (date(2027, 9, 14), "valid until 14 Sep 2027, for 9 months more"),
        (date(2026, 11, 27), "valid until tomorrow, 27 Nov 2026"),
        (date(2026, 11, 26), "valid until today, 26 Nov 2026"),
        (date(2026, 11, 25), "ended yesterday, on 25 Nov 2026"),
        (date(2026, 8, 24), "ended 3 months ago, on 24 Aug 2026"),
    ],
)
def test_a_last_valid_day_is_said_in_words(ends_on, words):
    assert write_validity(ends_on, date(2026, 11, 26)) == words


def test_each_dongle_says_how_it_stands_and_what_to_do_next(owner, more, today):
    more("VALID", 400)
    more("OVER", -40)
    more("RAGGED", 300, 400)
    more("EMPTY")
    page = text_of(home(owner))
    assert "5 dongles: the SMA of one has ended and that of one ends within 90 days." in page
    valid, over = write_day(today + timedelta(days=400)), write_day(today - timedelta(days=40))
    assert f"SMA valid until {valid}, for 13 months more Nothing to do" in page
    assert f"Ended SMA ended 40 days ago, on {over} Renew : dongle OVER" in page
    first, last = (write_day(today + timedelta(days=days)) for days in (300, 400))
    assert f"SMA valid until different days, from {first} to {last} Bring to one date" in page
    assert "No licence on it yet Add a licence" in page


def test_the_most_urgent_come_first(owner, dongle, more, today):
    more("LATER", 400)
    more("LONGAGO", -800)
    more("SOON", 10)
    more("AGO", -20)
    assert shown(home(owner)) == ["SOON", "AGO", dongle.serial, "LONGAGO", "LATER"]


def test_a_code_that_waits_stands_on_top_and_is_one_click_away(owner, more, today):
    sold = more("SOLD", 20)
    world.sell(sold, today)
    page = home(owner)
    address = f"/my/dongles/SOLD/codes/{sold.codes.get().pk}/"
    assert shown(page)[0] == "SOLD"
    assert "A code waits for dongle SOLD" in text_of(page)
    assert re.search(rf'class="button-primary" href="{address}"', page.content.decode())
    assert owner.get(address).status_code == 200
    CodeReceipt.objects.create(code=sold.codes.get(), confirmed_at=world.at(today), confirmed_by="Ada")
    assert "waits" not in text_of(home(owner))


def test_an_open_quote_is_shown_and_a_draft_never(owner, dongle, more, today):
    world.draft(dongle, today, renew_years=3)
    page = text_of(home(owner))
    assert "Quote Q-" not in page
    version = world.send(more("QUOTED", 15), today)
    page = home(owner)
    # one VOL-VIS: 1,200.00, with 19 % tax 1,428.00
    assert f"Quote {version.quote.number}, €1,428.00, is valid until" in text_of(page)
    assert f'href="/my/quotes/{version.quote_id}/"' in page.content.decode()


def test_an_order_that_waits_for_payment_says_so(owner, dongle, today):
    dongle.customer.fulfil_on = "payment"
    dongle.customer.save()
    order = world.sell(dongle, today)
    page = home(owner)
    assert f"See the order : dongle {dongle.serial} Order {order.number} waits for its payment" in text_of(page)
    assert f'href="/my/orders/{order.pk}/"' in page.content.decode()


def test_a_single_dongle_is_not_to_be_ticked_but_renewed_by_its_own_button(owner, dongle, more):
    more("GONE", 40, state=Dongle.State.LOST)
    page = home(owner)
    assert shown(page) == []
    assert "Renew together" not in text_of(page)
    assert "Bring to one date" not in text_of(page)
    primary = re.findall(r'class="button-primary" href="([^"]+)"', page.content.decode())
    assert primary == [f"/my/renew/?dongle={dongle.serial}"]
    assert owner.get(primary[0]).status_code == 200
    more("SECOND", 40)
    assert shown(home(owner)) == [dongle.serial, "SECOND"]
    assert "Renew together" in text_of(home(owner))


def test_lost_and_retired_dongles_stand_apart_and_can_not_be_ticked(owner, dongle, more):
    more("GONE", 40, state=Dongle.State.LOST)
    more("OLD", -400, state=Dongle.State.RETIRED)
    more("LATER", 400)
    page = home(owner)
    assert shown(page) == [dongle.serial, "LATER"]
    assert text_of(page).index("Lost, or no longer in use") < text_of(page).index("GONE")


def make_many(customer, numbers, today):
    dongles = Dongle.objects.bulk_create(
        Dongle(serial=f"M{index:04d}", customer=customer, issued_expiry_on=today + timedelta(days=index))
        for index in numbers
    )
    product = Product.objects.get(code="VOL-QNT")
    licences = Licence.objects.bulk_create(
        Licence(dongle=dongle, product=product, acquired_on=world.DAY_ONE) for dongle in dongles
    )
    SmaPeriod.objects.bulk_create(
        SmaPeriod(licence=licence, starts_on=world.DAY_ONE, ends_on=licence.dongle.issued_expiry_on, source="record")
        for licence in licences
    )


def test_five_hundred_dongles_are_paged_with_as_many_queries_as_three(owner, dongle, today):
    make_many(dongle.customer, range(2), today)
    home(owner)
    with CaptureQueriesContext(connection) as few:
        home(owner)
    make_many(dongle.customer, range(2, 499), today)
    with CaptureQueriesContext(connection) as many:
        page = home(owner)
    assert len(many) == len(few) <= 20
    assert len(shown(page)) == 50
    assert "1–50 of 500" in text_of(page)
    assert len(shown(home(owner, page=10))) == 50


def test_more_than_twenty_dongles_have_a_filter_by_serial_and_product(owner, dongle, today):
    assert 'id="own-filter"' not in home(owner).content.decode()
    make_many(dongle.customer, range(20), today)
    assert 'id="own-filter"' in home(owner).content.decode()
    assert shown(home(owner, q="m-0007")) == ["M0007"]
    assert shown(home(owner, q="visual")) == [dongle.serial]
    assert len(shown(home(owner, q="Quantitation"))) == 21
    nothing = home(owner, q="zebra\x00")
    assert shown(nothing) == []
    assert "No dongle of yours matches" in text_of(nothing)


def test_somebody_elses_dongles_are_found_by_no_filter(owner, dongle, more, today):
    more("SECOND", 40)
    world.make_dongle("STRANGE", world.make_customer("Somebody else"), [("VOL-VIS", str(today))])
    assert shown(home(owner, q="STRANGE")) == []
