"""What happens in the books: months closed and opened, exchange rates, accounts, the journal."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from dongles.models import Product
from portal.audit import Actor
from renewals.models import AccountMapEntry
from renewals.rates import read_rates
from renewals.services import account_map, closing, journal, rates, summaries
from tests import world
from tests.audit.happenings.beginnings import BY, new_dongle
from tests.journal.books import DATEV
from tests.journal.closed import close_with_entries


def closed_month() -> Callable[[], object]:
    world.sell(new_dongle(), "2026-01-20")
    summaries.summarise_all()
    return lambda: closing.close_month(month=date(2026, 1, 1), **BY)


def asked_to_reopen() -> Callable[[], object]:
    found = closed_month()()
    ann = Actor("Sally Sales", world.make_user("finance").pk, "finance")
    return lambda: closing.ask_reopening(close=found, reason="Late", actor=ann, at=BY["at"])


def reopened() -> Callable[[], object]:
    asked = asked_to_reopen()()
    ben = Actor("Administrator", world.make_user("administrator").pk, "administrator")
    return lambda: closing.decide_reopening(reopening=asked, is_granted=True, actor=ben, at=BY["at"])


def entered_rate() -> Any:
    asked = {"month": date(2026, 1, 1), "currency": "USD", "rate": Decimal("0.9241"), "source": "ECB"}
    return rates.keep_rate(**asked, **BY)


def changed_rate() -> Callable[[], object]:
    entered_rate()
    asked = {"month": date(2026, 1, 1), "currency": "USD", "rate": Decimal("0.93"), "source": "ECB, corrected"}
    return lambda: rates.keep_rate(**asked, **BY)


def imported_rates() -> Callable[[], object]:
    entered_rate()
    lines = read_rates("2026-01,USD,0.93\n2026-01,GBP,1.15", "EUR")
    return lambda: rates.import_rates(lines=lines, source="ECB file", **BY)


def removed_rate() -> Callable[[], object]:
    rate = entered_rate()
    return lambda: rates.remove_rate(rate=rate, **BY)


def new_account() -> Callable[[], object]:
    world.make_catalogue()
    entry = AccountMapEntry(role="revenue", account="8400", product=Product.objects.get(code="VOL-VIS"), country="DE")
    return lambda: account_map.keep_account(entry=entry, **BY)


def account_off() -> Callable[[], object]:
    entry = AccountMapEntry.objects.create(role="revenue", account="8400", name="Revenue")
    return lambda: account_map.remove_account(entry=entry, **BY)


def other_datev() -> Callable[[], object]:
    account_map.keep_datev(settings=DATEV, **BY)
    return lambda: account_map.keep_datev(settings=DATEV._replace(client=1, year_begins=1), **BY)


def exported_journal() -> Callable[[], object]:
    close = close_with_entries()
    return lambda: journal.export_journal(close=close, layout="generic", **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    account_map.keep_account: new_account,
    account_map.remove_account: account_off,
    account_map.keep_datev: other_datev,
    journal.export_journal: exported_journal,
    closing.close_month: closed_month,
    closing.ask_reopening: asked_to_reopen,
    closing.decide_reopening: reopened,
    rates.keep_rate: changed_rate,
    rates.import_rates: imported_rates,
    rates.remove_rate: removed_rate,
}
