"""The catalogue: numbers given once (Q9), releases published by a step (C5), what was sold against staying as it is."""

import pytest
from django.db import IntegrityError, connection, transaction

from dongles import catalogue as services
from dongles.models import Product, ProductFamily, Release, UnlockCode
from dongles.queries import licences_ended_before
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from tests import world

pytestmark = pytest.mark.django_db
NOW = {"actor": world.SALES, "at": world.at("2026-02-01")}


def keep(number=110, code="VOL-3D", name="Volocity 3D", family="Volocity"):
    made = Product(number=number, code=code, name=name, family=ProductFamily.objects.get(name=family))
    return services.keep_product(product=made, **NOW)


def test_a_product_comes_into_the_catalogue_and_is_recorded(catalogue):
    made = keep()
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id, event.after["number"]) == ("create", made.pk, 110)
    made.name = "Volocity 3D Plus"
    services.keep_product(product=made, **NOW)
    event = AuditEvent.objects.get(action="change")
    assert (event.before, event.after) == ({"name": "Volocity 3D"}, {"name": "Volocity 3D Plus"})


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("product_number_out_of_range", {"number": 0}),
        ("product_number_out_of_range", {"number": 65_536}),
        ("product_number_taken", {"number": 101}),
        ("product_code_taken", {"code": "VOL-VIS"}),
    ],
)
def test_a_product_that_cannot_be_is_refused_and_not_written_q9(catalogue, code, fields):
    with pytest.raises(DomainError, match=code):
        keep(**fields)
    assert Product.objects.count() == 4
    assert not AuditEvent.objects.exists()


def test_a_number_stays_with_its_product_q9(catalogue):
    product = Product.objects.get(number=103)
    product.number = 104
    with pytest.raises(DomainError, match="product_number_kept"):
        services.keep_product(product=product, **NOW)
    with pytest.raises(IntegrityError, match="product number 103 stays"), transaction.atomic():
        Product.objects.filter(number=103).update(number=104)
    assert Product.objects.filter(number=103).exists()


def state_in_a_code(dongle, *licences):
    """A code in the database that states these, as one does whose licences are gone."""
    world.sell(dongle, "2026-02-01")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dongles_unlockcode (dongle_id, cause, generation, sequence, key_slot, expiry_on, issued_on,"
            " issued_at, licences, letters) SELECT dongle_id, 'old', 0, 9, key_slot, expiry_on, issued_on, issued_at,"
            " %s::jsonb, '' FROM dongles_unlockcode LIMIT 1",
            [str([list(pair) for pair in licences])],
        )


def test_a_number_that_a_code_has_stated_is_never_given_again_q9(dongle):
    state_in_a_code(dongle, (110, 1), (103, 111))
    with pytest.raises(DomainError, match="product_number_stated"):
        keep(110)
    with pytest.raises(DomainError, match="product_number_stated"):
        services.delete_product(product=Product.objects.get(number=103), **NOW)
    with pytest.raises(IntegrityError, match="codes state product number 103"), transaction.atomic():
        Product.objects.filter(number=103).delete()
    keep(111)  # seats are no number
    assert set(Product.objects.values_list("number", flat=True)) == {101, 102, 103, 111, 201}
    assert UnlockCode.objects.count() == 2


def test_a_product_that_is_used_stays_and_one_that_never_was_goes_q9(catalogue):
    with pytest.raises(DomainError, match="product_used"):
        services.delete_product(product=Product.objects.get(number=101), **NOW)
    assert not AuditEvent.objects.exists()
    services.delete_product(product=Product.objects.get(number=103), **NOW)
    assert AuditEvent.objects.get().before["code"] == "VOL-NEW"
    assert keep(103).number == 103  # no code ever stated it


@pytest.mark.parametrize("change", [{"code": "VOL-X"}, {"family": "Openlab"}])
def test_what_licences_are_judged_by_stays(dongle, change):
    product = Product.objects.get(number=101)
    if "family" in change:
        change = {"family": ProductFamily.objects.get(name=change["family"])}
    for name, value in change.items():
        setattr(product, name, value)
    with pytest.raises(DomainError, match="product_licensed"):
        services.keep_product(product=product, **NOW)
    assert (Product.objects.get(number=101).code, Product.objects.get(number=101).family.name) == (
        "VOL-VIS",
        "Volocity",
    )


def test_a_release_counts_once_it_is_published_c5(dongle):
    """Covered through 31 Mar 2026, asked on 10 Jun: nothing missed until 7.0 of 5 May is published."""
    release = world.make_release("7.0", "2026-05-05")
    services.unpublish_release(release=release, **NOW)
    assert not Release.objects.get().is_published
    assert world.draft(dongle, "2026-06-10").net == 210_000
    services.publish_release(release=release, **NOW)
    assert world.draft(dongle, "2026-06-10").net == 420_000
    steps = [event.action for event in AuditEvent.objects.filter(subject_kind="release").order_by("pk")]
    assert steps == ["unpublish", "publish"]


def test_published_twice_is_published_once(catalogue):
    release = world.make_release("7.0", "2026-05-05")
    services.publish_release(release=release, **NOW)
    assert not AuditEvent.objects.exists()


def test_a_release_that_was_sold_against_stays_published(dongle):
    release = world.make_release("6.5", "2026-01-15")
    world.sell(dongle, "2026-02-01")
    events = AuditEvent.objects.count()
    for refused in (services.unpublish_release, services.delete_release):
        with pytest.raises(DomainError, match="release_sold_against"):
            refused(release=release, **NOW)
    with pytest.raises(IntegrityError, match="was sold against"), transaction.atomic():
        Release.objects.update(is_published=False)
    assert Release.objects.get().is_published
    assert AuditEvent.objects.count() == events


def test_only_a_draft_is_deleted(catalogue):
    release = world.make_release("6.5", "2026-01-15")
    with pytest.raises(DomainError, match="release_published"):
        services.delete_release(release=release, **NOW)
    services.unpublish_release(release=release, **NOW)
    services.delete_release(release=release, **NOW)
    assert not Release.objects.exists()
    assert AuditEvent.objects.get(action="delete").before["version"] == "6.5"


def test_only_who_keeps_the_catalogue_may(catalogue):
    by = {"actor": Actor.of(world.make_user("finance")), "at": NOW["at"]}
    release, product = world.make_release("6.5", "2026-01-15"), Product.objects.get(number=103)
    for service in (services.publish_release, services.unpublish_release, services.delete_release):
        with pytest.raises(DomainError, match="not_allowed"):
            service(release=release, **by)
    for service in (services.keep_product, services.delete_product):
        with pytest.raises(DomainError, match="not_allowed"):
            service(product=product, **by)


def test_how_many_licences_a_late_release_catches(dongle):
    """Both are covered through 31 Mar 2026; a lost dongle's and a withdrawn licence count for nothing."""
    volocity = ProductFamily.objects.get(name="Volocity")
    world.make_dongle("LOST", dongle.customer, [("VOL-VIS", "2025-01-01")], state="lost")
    world.make_dongle("NONE", dongle.customer, [("VOL-VIS", None), ("OPL-FUL", "2021-01-01")])
    days = {"2026-03-31": 1, "2026-04-01": 3, "2020-01-01": 0}
    assert {day: licences_ended_before(volocity, world.at(day).date()) for day in days} == days
