"""The dongle that is replaced."""

import pytest

from tests import world


@pytest.fixture
def dongle(catalogue):
    return world.make_dongle()
