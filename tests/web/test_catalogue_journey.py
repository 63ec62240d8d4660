"""New prices for next year in a real browser: copy the list, raise it by 3 %, schedule it, compare it. axe looks on."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from dongles.models import Product
from portal.models import AuditEvent, Contact
from renewals.models import PolicySettings, PriceList
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check, look_at
from tests.web.test_journeys import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_new_prices_are_copied_raised_scheduled_and_compared(portal, browser, client, today):
    """1,200.00 and 3 % are 1,236.00; the upgrade is then set to 2,500.00 by hand: 4.17 % more than 2,400.00."""
    starts_on, found = today + timedelta(days=40), []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, world.make_user("administrator"))
        page.goto(portal)
        page.locator(".site-nav summary").click()
        page.get_by_role("link", name="Back office").click()
        check(page, found)
        page.get_by_role("link", name="Price lists").click()
        check(page, found)
        page.get_by_role("link", name="EUR 2020").click()
        check(page, found)

        page.get_by_role("link", name="Copy …").click()
        page.get_by_role("button", name="Copy the list").click()  # no day yet
        expect(page.locator(".error-summary")).to_contain_text("Valid from")
        check(page, found)
        page.get_by_label("Name").fill("EUR next year")
        page.get_by_label("Valid from").fill(starts_on.isoformat())
        page.get_by_label("Raise all prices by").fill("3")
        page.get_by_role("button", name="Copy the list").click()

        expect(page.locator(".message-success")).to_contain_text("EUR next year is in force from")
        expect(page.get_by_label("Volocity Visualisation, SMA year")).to_have_value("1,236.00")
        page.get_by_label("Volocity Visualisation, Upgrade", exact=True).fill("1,236.00")
        page.get_by_role("button", name="Save and stay here").click()
        expect(page.locator(".errornote, .errorlist").first).to_be_visible()
        check(page, found)
        page.get_by_label("Volocity Visualisation, Upgrade", exact=True).fill("2,500.00")
        page.get_by_role("button", name="Save and stay here").click()
        expect(page.locator("main .message").last).to_contain_text("Scheduled")

        page.get_by_role("link", name="Compare with the last one").click()
        expect(page.locator(".page-lead")).to_have_text("Prices change by +3% to +4.17%.")
        check(page, found)
        page.go_back()
        page.get_by_role("link", name="History").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        check(page, found)
    assert found == []
    made = PriceList.objects.get(name="EUR next year")
    assert (made.valid_from, made.entries.get(product__code="VOL-VIS").upgrade) == (starts_on, 250_000)
    assert AuditEvent.objects.filter(subject_kind="pricelist").count() == 2


def test_no_page_of_the_back_office_has_a_barrier(portal, browser, client, today):
    customer = world.make_customer()
    dongle = world.make_dongle("SOLD", customer, [("VOL-VIS", str(today))])
    sold_against = world.make_release("6.5", str(today - timedelta(days=20)))
    coming = world.make_release("7.0", str(today - timedelta(days=1)))
    type(coming).objects.filter(pk=coming.pk).update(is_published=False)
    world.sell(dongle, today)
    user, contact = world.make_user("administrator"), Contact.objects.get()
    policy, product, unused = (
        PolicySettings.objects.get(),
        Product.objects.get(number=101),
        Product.objects.get(number=103),
    )

    def at(obj, page="change"):
        return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{page}", args=[obj.pk])

    pages = [
        *(at(coming, page) for page in ("change", "publish")),
        *(at(policy, page) for page in ("change", "copy")),
        *(at(each) for each in (sold_against, user, contact.customer, PriceList.objects.get())),
        *(at(each, "delete") for each in (product, unused)),
    ]
    lists = ("admin:portal_user_changelist", "admin:dongles_release_changelist")
    found = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, user)
        look_at(page, portal, found, *pages, *lists, "admin:portal_user_add")
        page.get_by_role("button", name="Save", exact=True).click()
        page.locator(".errorlist").first.wait_for()
        check(page, found)
    assert found == []
