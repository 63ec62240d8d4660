"""What happenings begin with: who acts and when, a dongle, a quote."""

from typing import Any

from dongles.models import Dongle
from portal.audit import Actor
from renewals.models import PriceList
from tests import world

DAY = "2026-02-01"
BY: dict[str, Any] = {"actor": Actor("Sally Sales"), "at": world.at(DAY, hour=15)}


def new_dongle(serial: str = "104233", **fields: Any) -> Dongle:
    if not PriceList.objects.exists():
        world.make_catalogue()
        world.make_release("6.0", "2025-05-05")
    return world.make_dongle(serial, **fields)


def draft(**asked: Any) -> Any:
    return world.draft(new_dongle(), DAY, **asked)


def sent(**asked: Any) -> Any:
    return world.send(new_dongle(), DAY, **asked)
