"""The account map is kept by finance: what can't be is refused, and what it lacks is known before a journal asks."""

import pytest

from dongles.models import Product
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import AccountMapEntry, DatevDetails, MonthFigures
from renewals.overviews.finance.journal import account_map, holes_in_words, map_holes
from renewals.services import account_map as services
from tests import world
from tests.journal.books import DATEV
from tests.journal.closed import make_accounts

pytestmark = [pytest.mark.database, pytest.mark.django_db]
FINANCE = {"actor": Actor("Fiona Finance", None, "finance"), "at": world.at("2026-02-03")}


@pytest.fixture
def product(catalogue):
    return Product.objects.get(code="VOL-VIS")


def keep(**fields):
    return services.keep_account(entry=AccountMapEntry(**{"role": "revenue", "account": "8400", **fields}), **FINANCE)


def test_an_account_is_put_on_the_map_and_changed(product):
    entry = keep(product=product, country="DE", name="Erlöse")
    entry.account = "8401"
    services.keep_account(entry=entry, **FINANCE)
    assert AccountMapEntry.objects.get().account == "8401"
    created, changed = AuditEvent.objects.filter(subject_kind="accountmapentry").order_by("pk")
    assert (created.action, created.after["product"]) == ("create", product.name)
    assert (changed.before, changed.after) == ({"account": "8400"}, {"account": "8401"})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"account": ""}, "account"),
        ({"account": "=1+1"}, "account"),
        ({"account": "84 00"}, "account"),
        ({"account": "8400\n"}, "account"),
        ({"account": "8" * 21}, "account"),
        ({"role": "costs"}, "role"),
        ({"segment": "pirates"}, "segment"),
        ({"country": "DEU"}, "country"),
    ],
)
def test_what_is_no_account_is_refused(product, fields, field):
    with pytest.raises(DomainError) as refused:
        keep(**fields)
    assert (refused.value.code, refused.value.data) == ("account_invalid", {"field": field})
    assert not AccountMapEntry.objects.exists()
    assert not AuditEvent.objects.filter(subject_kind="accountmapentry").exists()


def test_an_account_is_for_a_product_or_for_a_family(product):
    with pytest.raises(DomainError) as refused:
        keep(product=product, family=product.family)
    assert refused.value.code == "account_invalid"
    assert not AccountMapEntry.objects.exists()


def test_a_role_has_one_account_for_the_very_same(product):
    kept = keep(country="DE")
    with pytest.raises(DomainError) as refused:
        keep(country="DE", account="8500")
    assert refused.value.code == "account_taken"
    assert list(AccountMapEntry.objects.values_list("account", flat=True)) == ["8400"]
    keep(country="AT")
    keep(country="DE", role="deferred")
    services.keep_account(entry=kept, **FINANCE)  # the same again is no other


def test_only_who_keeps_the_books_keeps_the_map(product):
    entry, sales = keep(), {**FINANCE, "actor": Actor("Sally Sales", None, "sales")}
    for service, asked in (
        (services.keep_account, {"entry": AccountMapEntry(role="deferred", account="0990")}),
        (services.remove_account, {"entry": entry}),
        (services.keep_datev, {"settings": DATEV}),
    ):
        with pytest.raises(DomainError) as refused:
            service(**asked, **sales)
        assert refused.value.code == "not_allowed"
    assert list(AccountMapEntry.objects.values_list("account", flat=True)) == ["8400"]
    assert not DatevDetails.objects.exists()


def test_what_datev_asks_for_is_kept_once():
    services.keep_datev(settings=DATEV, **FINANCE)
    services.keep_datev(settings=DATEV._replace(client=1), **FINANCE)
    assert DatevDetails.objects.get().settings == DATEV._replace(client=1)
    with pytest.raises(DomainError) as refused:
        services.keep_datev(settings=DATEV._replace(consultant=1000), **FINANCE)
    assert (refused.value.code, refused.value.data) == ("datev_invalid", {"field": "consultant"})
    assert DatevDetails.objects.get().consultant == DATEV.consultant


def test_what_the_ledger_has_amounts_of_asks_for_accounts(product):
    """Of months to come, too; a place with nothing but an annual value asks for none."""
    make_accounts()
    AccountMapEntry.objects.filter(role__in=["receivables", "revenue"]).delete()
    place = {"product": product, "customer_segment": "academic", "currency": "EUR"}
    MonthFigures.objects.bulk_create(
        [
            MonthFigures(month="2026-01-01", country="DE", booked=100, **place),
            MonthFigures(month="2027-01-01", country="FR", recognised=100, **place),
            MonthFigures(month="2026-02-01", country="CH", annual=100, **place),
        ]
    )
    assert holes_in_words(map_holes(account_map())) == [
        ("Receivables", product.name, "DE academic"),
        ("Revenue", product.name, "FR academic"),
    ]
