"""The lines behind what was given away and what lapses cost; and the bridging codes of a month."""

import pytest
from django.urls import reverse

from renewals.models import Order
from renewals.services.bridges import grant_bridge
from renewals.services.summaries import summarise_all
from tests import world
from tests.web.reading import text_of


@pytest.fixture
def came_back(catalogue):
    """A licence covered through 31 Dec 2025 comes back on 20 May 2026: 4 + 19/31 months missed, 461.29."""
    world.sell(world.make_dongle(licences=[("VOL-VIS", "2025-12-31")]), "2026-05-20")
    summarise_all()


MAY = "/finance/sold-lines/?first_month=2026-05&last_month=2026-05&currency=EUR"


def test_a_figure_opens_its_lines_with_their_orders(finance, came_back):
    page = finance.get(f"{MAY}&kind=gap")
    assert "SMA missed, no upgrade bought: €461.29 on 1 line." in text_of(page)
    assert reverse("renewals:order", args=[Order.objects.get().pk]) in page.content.decode()


@pytest.mark.parametrize(
    "asked", ["&kind=upgrade", "&kind=gap&approved_by=1", "&kind=gap&country=DE&first_month=2026-06"]
)
def test_what_no_line_is_says_so(finance, came_back, asked):
    answer = finance.get(MAY.replace("first_month=2026-05&", "") + asked if "first_month" in asked else MAY + asked)
    assert "Nothing of this was sold in these months." in text_of(answer)


def test_what_cannot_be_asked_for_is_left_out(finance, sales, came_back):
    assert finance.get(f"{MAY}&kind=x&approved_by=%00&page=9").status_code == 200
    assert finance.get(f"{MAY}&family=x").status_code == 422
    assert sales.get(MAY).status_code == 200


def test_customers_and_visitors_do_not_see_it(client, customer_user):
    assert customer_user.get(MAY).status_code == 403
    assert client.get(MAY).url.startswith("/accounts/login/")


def test_bridging_codes_of_a_month_can_be_looked_at_alone(finance, dongle, today):
    version = world.send(dongle, today)
    until = world.timedelta(days=60) + today
    grant_bridge(version=version, until=until, reason="Signed soon", actor=world.SALES, at=world.at(today))
    assert "Signed soon" in text_of(finance.get(f"/bridges/?granted={today:%Y-%m}"))
    assert "Signed soon" not in text_of(finance.get("/bridges/?granted=2019-01"))
    assert "Signed soon" in text_of(finance.get("/bridges/?granted=yesterday"))
