"""The pages of the audit trail in a real browser: no barrier, and found where one looks for it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from renewals.services.cancellations import cancel_order
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in

pytestmark = pytest.mark.browser


def test_who_did_what_has_no_barrier(portal, browser, client, today):
    order = world.sell(world.make_dongle(licences=[("VOL-VIS", str(today + timedelta(days=20)))]), today)
    by = {"actor": world.SALES, "at": world.at(today)}
    cancel_order(order=order, from_on=today, reason="The instrument was sold.", is_mistake=True, **by)
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, world.make_user())
        page.goto(portal + reverse("renewals:queue"))
        page.locator(".site-nav summary").click()
        page.get_by_role("link", name="Who did what").click()
        page.get_by_role("heading", name="Who did what").wait_for()
        check(page, found)
        for address in ("?number=104233", "?who=Nobody", "?reason=nothing+like+this"):
            page.goto(portal + reverse("audit") + address)
            check(page, found)
        page.goto(portal + reverse("renewals:dongle", args=["104233"]))
        page.get_by_role("link", name="Who did what to this dongle").click()
        page.get_by_role("heading", name="Who did what to this dongle").wait_for()
        check(page, found)
    assert found == []
