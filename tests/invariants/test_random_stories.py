"""Whatever happens in whatever order, nothing contradicts itself."""

import random
from datetime import date, timedelta

import pytest
from django.db import transaction

from dongles.models import Dongle
from portal.errors import DomainError
from renewals.models import Order, OrderLine
from renewals.pricing import AddedLicence
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world
from tests.invariants.records import bridge, cancel, concede, findings, lose, replace


def happen(chance: random.Random, step: int, day: date) -> None:
    """Something is sold, credited, cancelled, bridged or replaced; or refused."""
    on = str(day)
    dongle = chance.choice(list(Dongle.objects.exclude(state="retired").order_by("pk")))
    match chance.choice(("renew", "add", "wait", "bridge", "replace", "lose", "credit", "cancel", "cancel newest")):
        case "renew":
            world.sell(dongle, on, renew_years=chance.randint(1, 3))
        case "add":
            world.sell(dongle, on, renew_years=1, added=(AddedLicence("VOL-QNT", chance.randint(1, 3)),))
        case "wait":
            world.accept(world.send(dongle, on), str(day + timedelta(days=chance.randint(0, 20))))
        case "bridge":
            bridge(world.send(dongle, on), str(dongle.issued_expiry_on + timedelta(days=20)), on)
        case "replace":
            replace(dongle, f"600{step}", on)
        case "lose":
            lose(dongle, f"700{step}", on)
        case "credit":
            lines = list(OrderLine.objects.filter(order__state="fulfilled", net__gt=0).order_by("pk"))
            if lines:
                line = chance.choice(lines)
                concede(line, chance.randint(1, line.net), on)
        case chosen:
            orders = list(Order.objects.filter(state="fulfilled").order_by("-pk"))
            order = chance.choice(orders[:1] if chosen == "cancel newest" else orders) if orders else None
            if order:
                cancel(order, on, is_mistake=chance.random() < 0.4)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_whatever_order_nothing_is_found(catalogue, seed):
    """A random story of four dongles; refusals are part of it."""
    chance = random.Random(seed)
    world.make_release("6.0", "2026-08-01")
    ends = ("2026-03-31", "2026-03-31", "2026-09-30", "2026-01-15")
    for number, end in enumerate(ends):
        world.make_dongle(f"500{number}", licences=[("VOL-VIS", end), ("VOL-QNT", chance.choice([end, ends[0]]))])
    day, done = date(2026, 2, 1), 0
    for step in range(30):
        day += timedelta(days=chance.randint(0, 40))
        try:
            with transaction.atomic():
                happen(chance, step, day)
            done += 1
        except DomainError:
            continue
        if step % 6 == 0:
            update_renewal_figures()
    assert done > 10
    summarise_all()
    update_renewal_figures()
    assert findings() == {}
