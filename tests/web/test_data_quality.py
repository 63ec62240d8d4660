"""What is not right with the data on record, each with its mend one click away; two spellings of one customer."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from dongles.models import Dongle
from portal import outbox
from portal.models import Contact, Customer
from renewals.models import CustomerMerge, Resemblance
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in


def pair(likeness=100, names=("Zeta Imaging AG", "Zeta Imaging")):
    one, other = (Customer.objects.create(name=name, country="CH", currency="EUR") for name in names)
    Contact.objects.create(customer=one, name="Ada", email="ada@zeta.example")
    Contact.objects.create(customer=other, name="Ben", email="ben@zeta.example")
    return Resemblance.objects.create(one=one, other=other, likeness=likeness, found_at=timezone.now())


@pytest.fixture
def flaws(dongle, today):
    """One of each kind beside a dongle with which all is well."""
    ahead, later = str(today + timedelta(days=100)), str(today + timedelta(days=200))
    owner = dongle.customer
    world.make_dongle("RAGGED", owner, [("VOL-VIS", ahead), ("VOL-QNT", later)])
    world.make_dongle("PERIODLESS", owner, [("VOL-VIS", None)])
    orphan = world.make_dongle("ORPHAN", owner, [("VOL-VIS", ahead)])
    Dongle.objects.filter(pk=orphan.pk).update(customer=None)
    Contact.objects.create(customer=owner, name="Nameless", email="")
    silent = Customer.objects.create(name="Silent Optics", country="GB", currency="GBP")
    world.make_dongle("SILENT", silent, [("VOL-VIS", ahead)])
    # What is lost or withdrawn is no flaw: nothing can be sold for it.
    world.make_dongle("LOST", owner, [("VOL-VIS", ahead), ("VOL-QNT", later)], state=Dongle.State.LOST)
    return pair()


def shown(client, kind, **asked):
    answer = client.get(reverse("renewals:data_quality"), {"kind": kind, **asked})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "what", "mend"),
    [
        ("ragged", "Dongle RAGGED", "/dongles/RAGGED/quote/?align_to="),
        ("periodless", "on dongle PERIODLESS", "/dongles/PERIODLESS/quote/?renew_years=1"),
        ("unmailable", "Nameless", "/contacts/"),
        ("unreachable", "Silent Optics", "/contacts/new/"),
        ("ownerless", "Dongle ORPHAN", "/dongles/ORPHAN/transfer/"),
        ("doubles", "Zeta Imaging AG – Zeta Imaging", "/data-quality/doubles/"),
    ],
)
def test_each_flaw_is_listed_with_its_mend_and_nothing_else_is(flaws, sales, kind, what, mend):
    page = shown(sales, kind)
    assert what in page
    rows = page[page.index("<tbody data-keys>") : page.index("</tbody>")]
    assert rows.count("<tr>") == 1
    address = next(part.split('"')[0] for part in rows.split('href="') if mend in part)
    assert sales.get(address.replace("&amp;", "&")).status_code == 200, address


def test_every_kind_says_how_many_there_are(flaws, sales):
    page = shown(sales, "")
    assert page.count('<span class="quiet">1</span>') == 6


def test_a_ragged_dongle_whose_licences_are_all_over_is_renewed(catalogue, sales, today):
    long_ago, ago = str(today - timedelta(days=200)), str(today - timedelta(days=100))
    world.make_dongle("OVER", None, [("VOL-VIS", long_ago), ("VOL-QNT", ago)])
    assert "/dongles/OVER/quote/?renew_years=1" in shown(sales, "ragged")


def test_where_all_is_well_the_page_says_so(dongle, sales):
    assert "Nothing to mend" in shown(sales, "")
    assert "None: nothing to mend here." in shown(sales, "ragged")


def test_more_flaws_take_no_more_queries(flaws, sales, today):
    with CaptureQueriesContext(connection) as few:
        shown(sales, "ragged")
    ends = [("VOL-VIS", str(today + timedelta(days=100))), ("VOL-QNT", str(today + timedelta(days=200)))]
    owner = Customer.objects.get(name="Silent Optics")
    for number in range(60):
        world.make_dongle(f"RAGGED{number}", owner, ends)
    with CaptureQueriesContext(connection) as many:
        assert "1–50 of 61" in shown(sales, "ragged")
    assert len(many) == len(few) <= 14
    assert "51–61 of 61" in shown(sales, "ragged", page=2)


def test_a_pair_is_compared_merged_and_undone(flaws, sales):
    page = sales.get(reverse("renewals:merge", args=[flaws.pk])).content.decode()
    assert "ada@zeta.example" in page
    assert "ben@zeta.example" in page
    sales.post(reverse("renewals:merge", args=[flaws.pk]), {"keep": flaws.other_id})
    merge = CustomerMerge.objects.get()
    assert (merge.kept, merge.merged) == (flaws.other, flaws.one)
    page = shown(sales, "doubles")
    assert "None: nothing to mend here." in page
    assert "Merged lately" in page
    old = sales.get(reverse("renewals:customer", args=[flaws.one_id]))
    assert old.url == reverse("renewals:customer", args=[flaws.other_id])
    new = sales.get(old.url).content.decode()
    assert "Zeta Imaging AG was another spelling of this customer." in new
    assert "Other spellings" in new
    sales.post(reverse("renewals:undo_merge", args=[merge.pk]))
    assert "Zeta Imaging AG – Zeta Imaging" in shown(sales, "doubles")


def test_a_pair_of_two_is_dismissed_for_good(flaws, sales):
    sales.post(reverse("renewals:dismiss", args=[flaws.pk]))
    page = shown(sales, "doubles")
    assert "stay two customers" in page
    assert "None: nothing to mend here." in page


def test_two_that_differ_in_what_prices_depend_on_are_told_apart_before(sales):
    found = pair()
    found.other.currency, found.other.segment = "CHF", "academic"
    found.other.save()
    page = sales.get(reverse("renewals:merge", args=[found.pk])).content.decode()
    assert "<strong>Currency</strong> differs: EUR for Zeta Imaging AG, CHF for Zeta Imaging." in page
    assert "<strong>Price list</strong> differs: Commercial for Zeta Imaging AG, Academic for Zeta Imaging." in page


def test_merging_twice_in_two_tabs_says_so(sales):
    found = pair()
    address = reverse("renewals:merge", args=[found.pk])
    sales.post(address, {"keep": found.one_id})
    answer = sales.post(address, {"keep": found.one_id})
    assert answer.status_code == 409
    assert "was merged into another customer already" in answer.content.decode()
    assert CustomerMerge.objects.count() == 1


def test_finance_looks_and_mends_nothing(flaws, finance):
    page = shown(finance, "doubles")
    assert "Compare and merge" not in page
    for name, number in (("merge", flaws.pk), ("dismiss", flaws.pk)):
        assert finance.post(reverse(f"renewals:{name}", args=[number])).status_code == 403
    assert finance.post(reverse("renewals:look_for_doubles")).status_code == 403
    assert not CustomerMerge.objects.exists()


@pytest.mark.browser
def test_in_a_browser_doubles_are_looked_for_merged_and_undone(portal, browser, client):
    seller, found = world.make_user(), []
    for name in ("Brackwater Microscopy Ltd", "Brackwater Microscopy Limited"):
        Customer.objects.create(name=name, country="GB", currency="GBP", owner=seller)
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, seller)
        page.goto(portal + reverse("renewals:data_quality"))
        check(page, found)
        page.get_by_role("button", name="Look now").click()
        while outbox.drain():
            pass
        expect(page.locator(".page-lead")).to_contain_text("Done in")
        page.goto(portal + reverse("renewals:data_quality") + "?kind=doubles")
        check(page, found)
        page.get_by_role("link", name="Compare and merge").click()
        expect(page.locator("h1")).to_have_text("Is it one customer?")
        check(page, found)
        page.get_by_label("Keep Brackwater Microscopy Limited").check()
        page.get_by_role("button", name="Merge them").click()
        expect(page.locator(".message")).to_contain_text("It can be undone below.")
        check(page, found)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".message")).to_contain_text("are two customers again")
    assert found == []
    assert not Customer.objects.filter(merged_into__isnull=False).exists()
