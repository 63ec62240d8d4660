"""What happens: for each service a function that prepares, and returns the call whose writes are looked at."""

from collections.abc import Callable
from typing import Any

from tests.audit.happenings import books, campaigns, catalogue, dongles, jobs, orders, people, selling

HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    service: happening
    for room in (selling, orders, campaigns, books, dongles, people, catalogue, jobs)
    for service, happening in room.HAPPENINGS.items()
}
