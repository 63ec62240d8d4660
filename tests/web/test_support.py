"""May I call the support desk? (rule S1), asked by customers and by staff on the telephone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect

from dongles.models import Dongle, ReleaseFile
from portal.wording import write_day
from renewals.services.replacements import replace_dongle
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check, log_in


@pytest.fixture
def openlab(dongle, today):
    """A second dongle of the same customer, whose Openlab licence lapsed ten days ago."""
    return world.make_dongle("300001", dongle.customer, [("OPL-FUL", (today - timedelta(10)).isoformat())])


def page_of(client, address="/my/support/"):
    return " ".join(client.get(address).content.decode().split())


def test_each_family_is_answered_by_its_policy_s1(owner, dongle, openlab, today):
    world.make_release("8.1", (today - timedelta(5)).isoformat())
    page = page_of(owner)
    volocity, lapsed = page.index("Volocity</h2>"), page.index("Openlab</h2>")
    assert lapsed < volocity
    assert "No, not now" in page[lapsed:volocity]
    assert "Openlab support needs a valid SMA, whatever version you run" in page[lapsed:volocity]
    assert f'href="/my/renew/?dongle={openlab.serial}&amp;years=1"' in page[lapsed:volocity]
    assert "Yes" in page[volocity:]
    assert "only the latest version is supported: 8.1" in page[volocity:]


def test_dongles_that_differ_are_answered_one_by_one_s1(owner, dongle, openlab, today):
    world.make_dongle("300002", dongle.customer, [("OPL-FUL", (today + timedelta(10)).isoformat())])
    page = page_of(owner)
    assert "Yes, for 1 of 2 dongles" in page
    assert page.index("Dongle 300002") < page.index("Dongle 300001")
    assert page.count("Openlab support needs a valid SMA") == 1


def test_dongles_that_differ_in_the_date_alone_share_the_reason_and_the_link_s1(owner, openlab, today):
    for serial, days in (("300002", 20), ("300003", 20), ("300004", 30)):
        world.make_dongle(serial, openlab.customer, [("OPL-FUL", (today - timedelta(days)).isoformat())])
    page = page_of(owner)
    assert page.count("Openlab support needs a valid SMA") == 1
    assert page.count("Renew the SMA: support begins again with it.") == 1
    for serials, days in (("Dongle 300001", 10), ("Dongles 300002, 300003", 20), ("Dongle 300004", 30)):
        assert f"{serials}</strong>: SMA ended on {write_day(today - timedelta(days))}." in page
    together = "&amp;".join(f"dongle=30000{each}" for each in (1, 2, 3, 4))
    assert f'href="/my/renew/?{together}&amp;years=1"' in page
    assert owner.get(f"/my/renew/?{together.replace('&amp;', '&')}&years=1").status_code == 200


def test_lost_dongles_and_withdrawn_licences_are_not_asked_about(owner, dongle, openlab):
    Dongle.objects.filter(pk=openlab.pk).update(state="lost")
    assert "Openlab" not in page_of(owner)


def test_who_has_no_dongle_is_told_so(customer_user):
    assert "No dongle in use" in page_of(customer_user)


def test_a_renewal_makes_it_a_yes_s1(owner, openlab, today):
    assert "No, not now" in page_of(owner)
    world.sell(openlab, today)
    page = page_of(owner)
    assert "No, not now" not in page
    assert "SMA valid until" in page


def test_staff_types_a_serial_in_any_spelling_and_reads_one_answer_s1(sales, dongle, openlab, today):
    page = page_of(sales, "/support/?serial=300-001")
    ended = today - timedelta(10)
    assert "Dongle 300001" in page
    assert f"since {ended.day} {ended:%b} {ended.year}, when the SMA ended" in page
    assert "Renew the SMA: support begins again with it." in page
    assert "Yes" in page_of(sales, f"/support/?serial={dongle.serial}")


@pytest.mark.parametrize(
    ("serial", "sentence"),
    [
        ("999999", "There is no dongle 999999 on record."),
        ("1042/33", "is not a serial number"),
        ("", "Type the serial number that stands on the dongle."),
    ],
)
def test_a_serial_that_leads_nowhere_is_told_beside_the_field(sales, serial, sentence, catalogue):
    answer = sales.get("/support/", {"serial": serial})
    assert answer.status_code == 404
    assert sentence in answer.content.decode()
    assert f'value="{serial}"' in answer.content.decode()


def test_the_page_without_a_question_asks_for_one(sales, db):
    answer = sales.get("/support/")
    assert answer.status_code == 200
    assert "autofocus" in answer.content.decode()


def test_a_replaced_dongle_leads_to_the_one_in_its_place(sales, dongle, today):
    about = {"cause": "broken", "reason": "Bent", "actor": world.SALES, "at": world.at(today)}
    replace_dongle(dongle=dongle, serial="900001", **about)
    page = page_of(sales, f"/support/?serial={dongle.serial}")
    assert 'href="/support/?serial=900001"' in page
    assert "It carries no licences" in page


def test_the_page_takes_as_many_queries_for_many_dongles(owner, dongle, today, django_assert_num_queries):
    page_of(owner)
    with CaptureQueriesContext(connection) as few:
        page_of(owner)
    for number in range(12):
        world.make_dongle(f"4000{number:02}", dongle.customer, [("VOL-VIS", today.isoformat()), ("OPL-FUL", None)])
    with django_assert_num_queries(len(few)):
        page_of(owner)


@pytest.mark.browser
def test_downloads_and_support_have_no_barrier_and_a_build_is_had_by_the_keyboard(
    portal, browser, client, today, settings
):
    customer = world.make_customer()
    ended = (today - timedelta(10)).isoformat()
    world.make_dongle("300001", customer, [("VOL-VIS", ended), ("OPL-FUL", ended)])
    for version, days_ago in (("8.2", 5), ("8.1", 60), ("8.0", 400), ("7.0", 500), ("6.0", 600)):
        world.make_release_file(world.make_release(version, (today - timedelta(days_ago)).isoformat()))
    world.make_user()
    user = world.make_user("customer", email=customer.contacts.get().email, customer=customer)
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, user)
        for address in ("/my/downloads/", "/my/support/"):
            page.goto(portal + address)
            for each in page.locator("main details > summary").all():
                each.click()
            check(page, found)
        page.goto(portal + "/my/downloads/")
        page.locator("a.button-primary").focus()
        with page.expect_download() as downloading:
            page.keyboard.press("Enter")
        assert downloading.value.suggested_filename == "setup-8.1.zip"
        settings.DOWNLOAD_LINK_SECONDS = -1
        file = ReleaseFile.objects.get(release__version="8.1")
        page.goto(portal + reverse("dongles:download", args=[file.pk]))
        expect(page.locator("h1")).to_contain_text("link")
        check(page, found)  # of a link that has ended
        log_in(page, portal, client)
        page.goto(portal + "/support/")
        expect(page.locator("[name=serial]")).to_be_focused()
        page.keyboard.type("300-001")
        page.keyboard.press("Enter")
        page.locator(".answer-card").first.wait_for()
        check(page, found)
    assert found == []
