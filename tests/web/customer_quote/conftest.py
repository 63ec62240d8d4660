"""A sent quote, and who sells it."""

import pytest

from tests import world
from tests.web.customer_quote.links import TERMS


@pytest.fixture(autouse=True)
def vendor(settings):
    settings.VENDOR = {**settings.VENDOR, "terms": TERMS, "telephone": "+44 1223 000000"}


@pytest.fixture
def version(dongle, today):
    return world.send(dongle, today, note="As agreed")
