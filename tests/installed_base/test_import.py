"""The import as a whole, in the database: all or nothing, and a check that leaves nothing behind."""

from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dongles.installed_base import services
from dongles.installed_base.outcome import told_outcome
from dongles.installed_base.returned import workbook_with_faults
from dongles.installed_base.sheets import read_table
from dongles.models import ColumnChoice, Dongle, Import
from dongles.queries import coverage_of, licences_of
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Customer
from renewals.services.customers import merge_customers
from tests import workbooks, world
from tests.installed_base.conftest import KEEPER, TODAY, bring_in, check, everything, keep
from tests.workbooks import csv_of, row, xlsx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def test_a_workbook_comes_in():
    outcome = bring_in(xlsx([row(), row(product="Volocity Quantitation", sma_starts_on=None, sma_ends_on=None)]))
    assert outcome.faults == []
    assert everything() == {
        "customers": {("Institute of Cells", "DE", "EUR", "academic", "standard")},
        "contacts": {("Institute of Cells", "Ada Lenz", "ada@cells.example")},
        "dongles": {("104233", "dongle", "Institute of Cells", date(2026, 3, 31), date(2026, 3, 31))},
        "licences": [("104233", "VOL-QNT", 1, date(2020, 1, 1)), ("104233", "VOL-VIS", 1, date(2020, 1, 1))],
        "periods": [("104233", "VOL-VIS", date(2025, 4, 1), date(2026, 3, 31))],
        "events": 3,
    }
    covered = [coverage_of(licence) for licence in licences_of([Dongle.objects.get()])]
    assert [licence.product for licence in covered] == ["VOL-VIS", "VOL-QNT"]  # in the order of the file


def test_a_check_does_the_same_and_leaves_nothing_behind():
    before = everything()
    checked = check(xlsx([row(), row("104240")]))
    assert everything() == before
    brought_in = bring_in(xlsx([row(), row("104240")]))
    assert checked.made == brought_in.made
    assert brought_in.made == (1, 1, 2, 0, 2, 2)


def test_one_fault_keeps_everything_out():
    before = everything()
    outcome = bring_in(xlsx([row(), row("104240", sma_ends_on="31.02.2026")]))
    assert [(fault.code, fault.row, fault.field) for fault in outcome.faults] == [("date_impossible", 3, "sma_ends_on")]
    assert everything() == before
    assert Import.objects.get().imported_at is None


def test_the_same_file_twice_changes_nothing_as_workbook_and_as_csv():
    rows = [row(), row("104240", seats=5, product="VOL-QNT"), row("104241", customer="Cells Ltd", country="UK")]
    bring_in(xlsx(rows))
    before = everything()
    for again in (xlsx(rows), csv_of(rows), csv_of(rows, delimiter=";", encoding="utf-16")):
        outcome = bring_in(again)
        assert (outcome.faults, any(outcome.made), outcome.plan.unchanged) == ([], False, 3)
        assert everything() == before


def test_a_longer_list_later_adds_what_is_new():
    bring_in(xlsx([row()]))
    later = {"sma_starts_on": date(2026, 4, 1), "sma_ends_on": date(2027, 3, 31)}
    second = {"contact_name": "Ben", "contact_email": "ben@cells.example"}
    outcome = bring_in(xlsx([row(), row(**later), row("104240", **second)]))
    assert outcome.made == (0, 1, 1, 1, 1, 2)
    assert Dongle.objects.get(serial="104233").issued_expiry_on == date(2027, 3, 31)


def test_after_a_renewal_the_old_list_still_changes_nothing():
    bring_in(xlsx([row(segment="commercial")]))
    world.sell(Dongle.objects.get(), "2026-02-01")
    before = everything()
    assert bring_in(xlsx([row(segment="commercial")])).faults == []
    assert everything() == before


def test_each_customer_and_dongle_tells_where_it_came_from():
    imported = keep(xlsx([row(), row("104240")]), name="Base 2026.xlsx")
    services.carry_out(imported=imported, is_check=False, actor=KEEPER, at=TODAY)
    (whole,) = AuditEvent.objects.filter(subject_kind="import", action="import")
    assert whole.after == {
        "file": "Base 2026.xlsx",
        "sha256": imported.sha256,
        "customers": 1,
        "contacts": 1,
        "dongles": 2,
        "changed_dongles": 0,
        "licences": 2,
        "periods": 2,
    }
    dongle = Dongle.objects.get(serial="104240")
    (event,) = AuditEvent.objects.filter(subject_kind="dongle", subject_id=dongle.pk)
    assert (event.action, event.actor_name, event.reason) == ("import", "Keeper", "Base 2026.xlsx, row 3")
    assert event.after["licences"][0]["periods"] == [["2025-04-01", "2026-03-31"]]
    (event,) = AuditEvent.objects.filter(subject_kind="customer")
    assert (event.after["name"], event.after["contacts"]) == ("Institute of Cells", ["Ada Lenz <ada@cells.example>"])


def test_a_file_is_kept_until_it_is_imported_or_thirty_days_old():
    imported = keep(xlsx([row()]))
    services.carry_out(imported=imported, is_check=False, actor=KEEPER, at=TODAY)
    old = keep(xlsx([row("2")]))
    services.keep_file(name="new.csv", content=csv_of([row()]), actor=KEEPER, at=world.at("2026-03-05"))
    for gone in (imported, old):
        gone.refresh_from_db()
        with pytest.raises(DomainError) as refusal:
            services.start_check(imported=gone, actor=KEEPER, at=TODAY)
        assert refusal.value.code == "import_file_gone"
    with pytest.raises(DomainError) as refusal:
        services.start_import(imported=imported, actor=KEEPER, at=TODAY)
    assert refusal.value.code == "import_done"


def test_contacts_without_an_address_come_in_once():
    content = xlsx([row(contact_email=None), row("104240", contact_name="Ben", contact_email=None)])
    assert bring_in(content).made.contacts == 2
    before = everything()
    assert before["contacts"] == {("Institute of Cells", name, "") for name in ("Ada Lenz", "Ben")}
    bring_in(content)
    assert everything() == before


def test_a_spelling_that_was_merged_means_the_customer_into_which_it_was():
    content = xlsx([row(), row("104240", customer="Inst. of Cells"), row("104250", customer="Cells, Inst. of")])
    bring_in(content)
    kept, first, second = Customer.objects.order_by("pk")
    merge_customers(kept=first, merged=second, actor=world.SALES, at=TODAY)
    merge_customers(kept=kept, merged=first, actor=world.SALES, at=TODAY)
    before = everything()
    assert bring_in(content).faults == []
    assert everything() == before


# Columns


def test_columns_are_remembered_by_the_set_of_heads():
    heads = {**workbooks.HEADS, "seats": "Anz.", "sma_ends_on": "Gültigkeit"}
    first = services.keep_file(name="a.xlsx", content=xlsx([row()], heads=heads), actor=KEEPER, at=TODAY)
    table = services.preview_of(first)
    guessed = services.suggested_choices(first, table)
    assert "sma_ends_on" not in guessed.columns
    chosen = guessed._replace(columns={**guessed.columns, "sma_ends_on": 13, "seats": 10}, currency="CHF", order="day")
    services.choose_columns(imported=first, sheet=table.sheet, choices=chosen, actor=KEEPER, at=TODAY)

    turned = dict(reversed(heads.items()))
    second = services.keep_file(name="b.csv", content=csv_of([row()], heads=turned), actor=KEEPER, at=TODAY)
    suggested = services.suggested_choices(second, services.preview_of(second))
    assert (suggested.columns["sma_ends_on"], suggested.columns["seats"]) == (0, 3)
    assert (suggested.currency, suggested.order) == ("CHF", "day")
    assert ColumnChoice.objects.count() == 1


def test_serial_product_and_a_first_day_need_a_column():
    for lacking in (("serial",), ("product",), ("acquired_on", "sma_starts_on")):
        heads = {name: head for name, head in workbooks.HEADS.items() if name not in lacking}
        with pytest.raises(DomainError) as refusal:
            keep(xlsx([row()], heads=heads))
        assert (refusal.value.code, refusal.value.data["field"]) == ("import_columns_missing", lacking[0])
    assert not ColumnChoice.objects.exists()


def test_a_column_serves_one_thing():
    imported = keep(xlsx([row()]))
    choices = services.suggested_choices(imported, services.preview_of(imported))
    twice = choices._replace(columns={**choices.columns, "acquired_on": choices.columns["sma_ends_on"]})
    with pytest.raises(DomainError) as refusal:
        services.choose_columns(imported=imported, sheet="Dongles", choices=twice, actor=KEEPER, at=TODAY)
    assert refusal.value.code == "import_column_twice"


def test_a_file_without_heads_is_refused():
    with pytest.raises(DomainError) as refusal:
        services.keep_file(name="a.csv", content=b"104233,VOL-VIS\n104240,VOL-VIS\n", actor=KEEPER, at=TODAY)
    assert refusal.value.code == "import_without_heads"
    assert not Import.objects.exists()


@pytest.mark.parametrize("role", ["sales", "finance", "customer"])
def test_only_administrators_import(role):
    imported, nobody = keep(xlsx([row()])), Actor("Sam", None, role)
    for service in (services.start_check, services.start_import):
        with pytest.raises(DomainError) as refusal:
            service(imported=imported, actor=nobody, at=TODAY)
        assert refusal.value.code == "not_allowed"
    with pytest.raises(DomainError) as refusal:
        services.keep_file(name="a.xlsx", content=xlsx([row()]), actor=nobody, at=TODAY)
    assert refusal.value.code == "not_allowed"


# What is told


def test_faults_are_told_by_cause_with_their_rows():
    told = told_outcome(check(xlsx(workbooks.with_twenty_faults(900))))
    assert told["fault_count"] == 20
    assert {group["code"]: len(group["rows"]) for group in told["groups"]} == {
        "serial_lost_zeros": 3,
        "product_unknown": 4,
        "date_impossible": 3,
        "country_unknown": 3,
        "email_unreadable": 3,
        "seats_out_of_range": 4,
    }
    zeros = next(group for group in told["groups"] if group["code"] == "serial_lost_zeros")
    assert zeros["rows"] == [13, 212, 307]
    assert "11 has 2 digits where nearly all others have 6: is it 000011?" in zeros["sentences"]


def test_the_workbook_back_says_what_to_mend_and_can_be_mended_and_imported():
    imported = keep(xlsx(workbooks.with_twenty_faults(900), above=[["Our dongles"]]))
    outcome = services.carry_out(imported=imported, is_check=True, actor=KEEPER, at=TODAY)
    back = read_table(workbook_with_faults(outcome.table, imported.choices["columns"], outcome.faults))
    assert back.head_row == 2
    told = {number: line[0] for number, line in back.rows if line[0]}
    assert len(told) == 20
    assert told[14].startswith("11 has 2 digits where nearly all others have 6: is it 000011? Write them with")
    columns = {head: index for index, head in enumerate(back.heads)}
    faulty = dict(back.rows)[14]
    assert faulty[columns["Serial no."]] == 11  # still a number, so that it is not taken for typed

    sound = list(workbooks.installed_base(900))
    mended = [
        {name: line[columns[head]] for name, head in workbooks.HEADS.items()} | ({} if number not in told else sound[n])
        for n, (number, line) in enumerate(back.rows)
    ]
    again = bring_in(xlsx(mended, heads={"fault": back.heads[0], **workbooks.HEADS}))
    assert (again.faults, again.made.dongles) == ([], 450)


def test_a_csv_comes_back_as_a_workbook_whose_short_serials_are_not_taken_for_typed():
    rows = [row("104233"), *(row(str(104240 + n)) for n in range(9)), row("4233")]
    imported = keep(csv_of(rows), name="base.csv")
    outcome = services.carry_out(imported=imported, is_check=True, actor=KEEPER, at=TODAY)
    assert [fault.code for fault in outcome.faults] == ["serial_lost_zeros"]
    back = workbook_with_faults(outcome.table, imported.choices["columns"], outcome.faults)
    assert [fault.code for fault in check(back).faults] == ["serial_lost_zeros"]
    assert check(back, shorter="fill").faults == []


def test_how_dates_were_read_is_told():
    days = {"acquired_on": "12/31/2019", "sma_starts_on": "04/01/2025", "sma_ends_on": "03/31/2026"}
    notices = [notice["sentence"] for notice in told_outcome(check(csv_of([row(**days)])))["notices"]]
    assert notices == [
        "The dates lie between 31 Dec 2019 and 31 Mar 2026.",
        "Dates with slashes were read with the month first, as 12/31/2019 shows.",
    ]
    early = {"acquired_on": "01/02/2020", "sma_starts_on": "01/04/2025", "sma_ends_on": "03/04/2026"}
    assert {fault.code for fault in check(csv_of([row(**early)])).faults} == {"date_order_unknown"}
    assert check(csv_of([row(**early)]), order="day").plan.days == (date(2020, 2, 1), date(2026, 4, 3))


# Properties

SERIALS = st.text(alphabet="ABCXYZ0123456789", min_size=1, max_size=12)
DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))
# Of two apostrophes before a sign of formulas the first is taken for a spreadsheet's own: the name comes back shorter.
NAMES = st.text(alphabet="abc äßé&'-.=+", min_size=1, max_size=12).map(str.strip).filter(bool)
NAMES = NAMES.filter(lambda name: not name.startswith("''"))


@st.composite
def bases(draw):
    """Rows of an installed base without contradictions: each dongle has one customer, licences without overlaps."""
    rows = []
    for serial in draw(st.lists(SERIALS, min_size=1, max_size=5, unique=True)):
        name, country = draw(NAMES), draw(st.sampled_from(["DE", "FR", "US"]))
        kind = draw(st.sampled_from(["dongle", "key", "licence_server"]))
        for product in draw(st.lists(st.sampled_from(["VOL-VIS", "VOL-QNT", "OPL-FUL"]), max_size=3, unique=True)):
            facts = {"customer": name, "country": country, "kind": kind, "product": product}
            facts |= {"segment": "commercial", "seats": draw(st.integers(1, 65535))}
            days = sorted(set(draw(st.lists(DAYS, min_size=1, max_size=7))))
            acquired_on, spans = days[0], list(zip(days[1::2], days[2::2], strict=False))
            for starts_on, ends_on in spans or [(None, None)]:
                span = {"sma_starts_on": starts_on, "sma_ends_on": ends_on}
                rows.append(row(serial, acquired_on=acquired_on, **facts, **span))
    return rows


def exported():
    """What is on record as rows again."""
    rows = []
    for licence in licences_of(Dongle.objects.all()):
        dongle, customer = licence.dongle, licence.dongle.customer
        facts = {
            "customer": customer.name,
            "country": customer.country,
            "currency": customer.currency,
            "segment": customer.segment,
            "tax_status": customer.tax_status,
            "kind": dongle.kind,
            "product": licence.product.code,
            "seats": licence.seats,
            "acquired_on": licence.acquired_on,
            "expiry_on": dongle.issued_expiry_on,
        }
        periods = list(coverage_of(licence).periods)
        for starts_on, ends_on in periods or [(None, None)]:
            rows.append(row(dongle.serial, **facts, sma_starts_on=starts_on, sma_ends_on=ends_on))
    return rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=bases(), is_csv=st.booleans())
def test_any_base_that_came_in_comes_out_and_in_again_as_the_same(rows, is_csv):
    with transaction.atomic():
        written = csv_of if is_csv else xlsx
        if rows:
            first = bring_in(written(rows), shorter="keep")
            assert first.faults == []
            before = everything()
            assert len(before["licences"]) == len({(each["serial"], each["product"]) for each in rows})
            again = bring_in(written(exported()), shorter="keep")
            assert (again.faults, any(again.made)) == ([], False)
            assert everything() == before
        transaction.set_rollback(True)
