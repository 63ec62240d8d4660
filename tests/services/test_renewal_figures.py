"""The figures of renewals (F5) follow what is sold, cancelled, handed on, replaced and merged, and nothing else.

Prices are those of the test world: VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00.
"""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from django.utils.module_loading import import_string

from dongles.models import Dongle, ProductFamily
from dongles.services import withdraw_licence
from portal.models import Customer
from renewals import tasks
from renewals.invariants import renewal_figures as invariant
from renewals.models import (
    CohortFigures,
    CustomerCohort,
    CustomerRetention,
    DueDongle,
    DueFigures,
    OutdatedRenewal,
    PolicySettings,
    RetentionFigures,
    RevenueSegment,
)
from renewals.renewal_sums import OF_CUSTOMERS, OF_DONGLES
from renewals.services.customers import merge_customers, undo_merge
from renewals.services.renewal_figures import rebuild_renewal_figures, update_renewal_figures
from renewals.services.replacements import transfer_dongle
from tests import world
from tests.invariants.records import cancel, make_world, replace

BY = {"actor": world.SALES}


def due_of(serial: str):
    """What was due of a dongle: day, outcome, old, new and kept value; in whole euros."""
    rows = DueDongle.objects.filter(dongle__serial=serial, product=None, family=None).order_by("due_on")
    return [
        (str(row.due_on), row.outcome, row.old_value // 100, row.new_value // 100, row.kept_value // 100)
        for row in rows
    ]


def figures_of(month: str) -> tuple[int, ...]:
    """Of all that was due in a month: due, renewed, won back, then due, kept and unrenewed value in whole euros."""
    names = ("due", "renewed", "won_back", "due_value", "kept_value", "unrenewed_value")
    rows = DueFigures.objects.filter(family=None, product=None, month=f"{month}-01").values_list(*names)
    return tuple(total // (100 if n > 2 else 1) for n, total in enumerate(map(sum, zip(*rows, strict=True))))


def retention_at(month: str, **of) -> tuple[int, ...]:
    """Annual value, then, kept, now and lost in whole euros."""
    names = ("value", "then", "kept", "now", "lost")
    rows = RetentionFigures.objects.filter(family=None, product=None, month__lte=f"{month}-01", **of)
    return tuple(total // 100 for total in map(sum, zip(*rows.values_list(*names), strict=True)))


def findings() -> list[str]:
    return [str(finding) for batch in invariant.check(timezone.now()) for finding in batch.findings]


@pytest.fixture
def owner(catalogue):
    return world.make_customer()


@pytest.fixture
def dongle(owner):
    """VOL-VIS on record through 31 Mar 2026."""
    return world.make_dongle("1001", owner, [("VOL-VIS", "2026-03-31")])


@pytest.mark.usefixtures("dongle")
def test_a_dongle_that_came_on_record_is_due_by_count_at_its_last_day():
    update_renewal_figures()
    assert due_of("1001") == [("2026-03-31", "", 0, 0, 0)]
    assert figures_of("2026-03") == (1, 0, 0, 0, 0, 0)
    assert not DueDongle.objects.filter(is_valued=True).exists()


def test_renewals_count_once_each_with_what_they_were_worth_before(dongle):
    world.sell(dongle, "2026-03-01")
    world.sell(dongle, "2027-06-01")  # back after a gap
    update_renewal_figures()
    assert due_of("1001") == [
        ("2026-03-31", "renewed", 0, 0, 0),  # its value is not known
        ("2027-03-31", "won_back", 1_200, 1_200, 0),
        ("2028-05-31", "", 1_200, 0, 0),
    ]
    assert figures_of("2027-03") == (1, 0, 1, 1_200, 0, 0)
    assert figures_of("2028-05") == (1, 0, 0, 1_200, 0, 1_200)
    assert retention_at("2026-04") == (1_200, 0, 0, 0, 0)
    assert retention_at("2027-04") == (0, 1_200, 0, 0, 1_200)
    assert retention_at("2027-06") == (1_200, 1_200, 1_200, 1_200, 0)
    assert findings() == []


def test_an_advance_purchase_moves_nothing_but_the_outcome_and_the_next_date(dongle):
    world.sell(dongle, "2026-03-01")
    update_renewal_figures()
    assert figures_of("2027-03") == (1, 0, 0, 1_200, 0, 1_200)
    world.sell(dongle, "2026-03-02", renew_years=2)
    update_renewal_figures()
    assert figures_of("2027-03") == (1, 1, 0, 1_200, 1_200, 0)
    assert figures_of("2029-03") == (1, 0, 0, 1_200, 0, 1_200)


def test_what_is_cancelled_or_annulled_is_taken_out_again(dongle):
    order = world.sell(dongle, "2026-02-01")
    update_renewal_figures()
    assert figures_of("2026-03") == (1, 1, 0, 0, 0, 0)
    cancel(order, "2026-02-01", on="2026-02-10", is_mistake=True)
    update_renewal_figures()
    assert due_of("1001") == [("2026-03-31", "", 0, 0, 0)]
    assert retention_at("2026-04") == (0, 0, 0, 0, 0)
    cancel(world.sell(dongle, "2026-03-01"), "2026-07-16")
    update_renewal_figures()
    assert [row[:2] for row in due_of("1001")] == [("2026-03-31", "renewed"), ("2026-07-15", "")]
    assert retention_at("2026-06")[0] == 1_200
    assert retention_at("2026-07")[0] == 0
    assert findings() == []


def test_a_replaced_dongle_goes_on_as_the_one_that_took_its_place(dongle):
    world.sell(dongle, "2026-03-01")
    successor = replace(dongle, "2001", "2026-05-01")
    world.sell(successor, "2027-03-01")
    update_renewal_figures()
    assert due_of("1001") == []
    assert [row[:2] for row in due_of("2001")] == [
        ("2026-03-31", "renewed"),
        ("2027-03-31", "renewed"),
        ("2028-03-31", ""),
    ]
    assert findings() == []


def test_what_was_due_before_a_dongle_was_handed_on_stays_with_who_owned_it(dongle, owner):
    world.sell(dongle, "2026-03-01")
    other = world.make_customer("Another", country="FR")
    transfer_dongle(dongle=dongle, customer=other, reason="Sold", at=world.at("2026-06-01"), **BY)
    update_renewal_figures()
    rows = DueDongle.objects.filter(family=None).order_by("due_on").values_list("due_on__year", "customer", "country")
    assert list(rows) == [(2026, owner.pk, "DE"), (2027, other.pk, "FR")]
    assert retention_at("2026-06", country="DE")[0] == 1_200  # what was sold stays with who bought
    assert findings() == []


def test_merged_customers_count_as_one_until_that_is_undone(dongle, owner):
    world.sell(dongle, "2026-03-01")
    other = world.make_customer("Institute of Cels", country="AT")
    world.sell(world.make_dongle("1002", other, [("VOL-VIS", "2026-03-31")]), "2026-03-01")
    update_renewal_figures()
    before = set(CustomerRetention.objects.values_list("customer", "country", "month", "value"))
    merge = merge_customers(kept=owner, merged=other, at=world.at("2026-04-01"), **BY)
    update_renewal_figures()
    assert set(DueDongle.objects.values_list("customer", "country")) == {(owner.pk, "DE")}
    rows = CustomerRetention.objects.filter(family=None, month="2027-04-01")
    assert list(rows.values_list("customer", "then", "lost", "customers_then")) == [(owner.pk, 240_000, 240_000, 1)]
    assert findings() == []
    undo_merge(merge=merge, at=world.at("2026-04-02"), **BY)
    update_renewal_figures()
    assert set(CustomerRetention.objects.values_list("customer", "country", "month", "value")) == before
    assert findings() == []


def test_a_licence_withdrawn_before_its_end_is_due_no_more(dongle):
    update_renewal_figures()
    withdraw_licence(licence=dongle.licences.get(), reason="Not used", at=world.at("2026-02-01"), **BY)
    update_renewal_figures()
    assert due_of("1001") == []
    assert figures_of("2026-03") == (0, 0, 0, 0, 0, 0)


@pytest.mark.usefixtures("dongle")
def test_a_new_policy_gives_its_days_of_grace_to_what_is_due_after_it():
    update_renewal_figures()
    PolicySettings.objects.create(valid_from=date(2026, 4, 1), grace_days=30)
    update_renewal_figures()
    assert DueDongle.objects.get(family=None).grace_ends_on == date(2026, 3, 31)
    PolicySettings.objects.create(valid_from=date(2026, 3, 1), grace_days=14)
    update_renewal_figures()
    assert DueDongle.objects.get(family=None).grace_ends_on == date(2026, 4, 14)
    assert findings() == []


def test_a_dongle_counts_once_with_each_of_its_products_and_families(owner):
    dongle = world.make_dongle("1001", owner, [("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-03-31")])
    world.sell(dongle, "2026-03-01")
    update_renewal_figures()
    rows = DueFigures.objects.filter(month="2027-03-01")
    told = {(each.family and each.family.name, each.product and each.product.code): each for each in rows}
    assert {key: (each.due, each.due_value) for key, each in told.items()} == {
        (None, None): (1, 210_000),
        ("Volocity", None): (1, 210_000),
        ("Volocity", "VOL-VIS"): (1, 120_000),
        ("Volocity", "VOL-QNT"): (1, 90_000),
    }
    product = dongle.licences.first().product
    product.family = ProductFamily.objects.get(name="Openlab")
    product.save()
    update_renewal_figures()
    assert DueFigures.objects.get(month="2027-03-01", family__name="Openlab", product=None).due_value == 120_000
    assert findings() == []


def test_cohorts_tell_who_is_covered_at_the_end_of_each_year_and_what_that_is_worth(dongle):
    world.sell(dongle, "2026-03-01", renew_years=2)  # on record since 1 Jan 2020, sold through 31 Mar 2028
    update_renewal_figures()
    rows = (
        CohortFigures.objects.filter(family=None)
        .order_by("year")
        .values_list("first_year", "year", "customers", "value")
    )
    assert list(rows) == [
        *((2020, year, 1, 0) for year in range(2020, 2026)),
        (2020, 2026, 1, 120_000),
        (2020, 2027, 1, 120_000),
    ]


def test_the_queue_is_written_with_what_changes_the_figures_and_empty_when_they_are_worked_out(dongle):
    update_renewal_figures()
    assert not OutdatedRenewal.objects.exists()
    Dongle.objects.filter(pk=dongle.pk).update(sequence=7)  # a code was issued: nothing that they are made of
    assert not OutdatedRenewal.objects.exists()
    world.sell(dongle, "2026-03-01")
    assert set(OutdatedRenewal.objects.values_list("dongle_id", flat=True)) == {dongle.pk}
    assert update_renewal_figures() > 0
    assert update_renewal_figures() == 0


@pytest.mark.usefixtures("dongle")
def test_beat_and_the_dispatcher_work_it_off_beside_the_outbox(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["work out the figures of renewals"]
    assert (entry["task"], entry["schedule"]) == (tasks.update_renewal_figures.name, 30)
    tasks.update_renewal_figures()
    assert due_of("1001") == [("2026-03-31", "", 0, 0, 0)]
    OutdatedRenewal.objects.create(dongle_id=Dongle.objects.get().pk)
    for chore in settings.DISPATCHER_CHORES:
        import_string(chore)()
    assert not OutdatedRenewal.objects.exists()


TABLES = (DueDongle, DueFigures, CustomerRetention, RetentionFigures, CustomerCohort, CohortFigures)


@pytest.fixture(scope="module")
def figures_of_all_sales(django_db_setup, django_db_blocker, tmp_path_factory):
    """The figures of all that is sold, cancelled, replaced, handed on and imported, worked out in small steps."""
    place = tmp_path_factory.mktemp("sound")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(OUTBOX_DISPATCH="none", SIGNER_LOG=place / "log", FILES_DIR=place / "files"):
            make_world()
        update_renewal_figures(batch=40)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def all_sales(figures_of_all_sales):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def everything() -> dict[str, list[tuple]]:
    """All figures; of the sums those that are not nothing, which are there or not."""
    told = {}
    for model in TABLES:
        names = [field.attname for field in model._meta.fields if field.attname != "id"]
        told[model.__name__] = sorted(model.objects.values_list(*names), key=repr)
    for sums in (*OF_DONGLES, *OF_CUSTOMERS):
        names = [*sums.key, *sums.sums]
        with connection.cursor() as cursor:
            amounts = " OR ".join(f"{name} <> 0" for name in sums.sums)
            cursor.execute(f"SELECT {', '.join(names)} FROM {sums.held} WHERE {amounts}")
            told[sums.held] = sorted(cursor.fetchall(), key=repr)
    for model in (DueFigures, RetentionFigures, CohortFigures):
        del told[model.__name__]
    return told


@pytest.mark.usefixtures("all_sales")
def test_the_figures_of_every_kind_of_sale_are_those_of_the_rule():
    assert set(DueDongle.objects.values_list("outcome", flat=True)) == {"renewed", "won_back", ""}
    assert findings() == []


@pytest.mark.usefixtures("all_sales")
def test_worked_out_anew_they_are_the_same():
    before = everything()
    assert all(before.values())
    rebuild_renewal_figures()
    assert everything() == before


@pytest.mark.usefixtures("all_sales")
def test_worked_out_twice_they_are_the_same():
    before = everything()
    OutdatedRenewal.objects.bulk_create(
        OutdatedRenewal(dongle_id=pk) for pk in Dongle.objects.values_list("pk", flat=True)
    )
    OutdatedRenewal.objects.bulk_create(
        OutdatedRenewal(customer_id=pk) for pk in Customer.objects.values_list("pk", flat=True)
    )
    update_renewal_figures(batch=11)
    assert everything() == before


@pytest.mark.usefixtures("all_sales")
def test_annual_value_is_that_of_the_ledger_s_segments():
    """F5, by the formula over the segments: at the end of each of the first forty months."""
    first = RetentionFigures.objects.order_by("month").first().month
    for n in range(40):
        month = date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        day = after - timedelta(days=1)
        segments = RevenueSegment.objects.filter(starts_on__lte=day, ends_on__gte=day)
        assert retention_at(f"{month:%Y-%m}")[0] * 100 == sum(segments.values_list("annual_amount", flat=True)), month


DAMAGES = {
    "an outcome is another": (
        "UPDATE renewals_duedongle SET outcome = '' WHERE outcome = 'renewed'",
        "outcome renewed",
    ),
    "something due is missing": ("DELETE FROM renewals_duedongle WHERE outcome = 'won_back'", "found nothing"),
    "something is due that is not": (
        "UPDATE renewals_duedongle SET due_on = due_on + 400 WHERE outcome = ''",
        "expected nothing",
    ),
    "a sum is one too many": (
        "UPDATE renewals_duefigures SET due = due + 1 WHERE due > 0",
        "duefigures of",
    ),
    "a customer kept more": (
        "UPDATE renewals_customerretention SET kept = kept + 1 WHERE kept > 0",
        "customer ",
    ),
    "all customers lost more": (
        "UPDATE renewals_retentionfigures SET lost = lost + 1 WHERE lost > 0",
        "retentionfigures of",
    ),
    "a cohort is gone": ("DELETE FROM renewals_cohortfigures WHERE customers > 0", "cohortfigures of"),
    "a customer is in another cohort": (
        "UPDATE renewals_customercohort SET first_year = first_year - 1",
        "first_year",
    ),
}


@pytest.mark.usefixtures("all_sales")
@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_figures_are_found(name):
    statement, words = DAMAGES[name]
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0
    found = findings()
    assert any(words in sentence for sentence in found), found


@pytest.mark.usefixtures("all_sales")
def test_what_waits_to_be_worked_out_is_no_damage():
    dongle = DueDongle.objects.filter(outcome="renewed", family=None).first().dongle
    DueDongle.objects.filter(dongle=dongle).update(grace_ends_on=date(2040, 1, 1))
    assert findings()
    OutdatedRenewal.objects.create(dongle_id=dongle.pk)
    assert findings() == []
