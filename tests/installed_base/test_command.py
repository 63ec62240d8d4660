"""The import on the command line."""

import json

import pytest
from django.core.management import CommandError, call_command

from dongles.installed_base.sheets import read_table
from dongles.models import Dongle, Import
from portal.models import AuditEvent
from tests import workbooks
from tests.workbooks import csv_of, row, xlsx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.fixture
def file(tmp_path):
    def written(content, name="base.xlsx"):
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return written


def run(*arguments):
    return call_command("import_installed_base", *arguments)


def test_a_dry_run_says_what_would_be_made_and_the_run_makes_it(file, capsys):
    path = file(xlsx([row(), row("104240")]))
    run(path, "--dry-run")
    assert "2 rows: 1 customer, 1 contact, 2 dongles, 2 licences, 2 periods would be made." in capsys.readouterr().out
    assert not Dongle.objects.exists()
    run(path)
    assert "2 dongles, 2 licences, 2 periods were made." in capsys.readouterr().out
    assert Dongle.objects.count() == 2
    assert (
        AuditEvent.objects.get(subject_kind="import", action="import").actor_name == "manage.py import_installed_base"
    )
    run(path)
    assert "2 rows, nothing new." in capsys.readouterr().out


def test_faults_end_it_with_status_1_and_go_into_a_workbook(file, capsys, tmp_path):
    back = tmp_path / "back.xlsx"
    with pytest.raises(SystemExit) as end:
        run(file(csv_of(workbooks.with_twenty_faults(900)), "base.csv"), "--faults", str(back))
    assert end.value.code == 1
    told = capsys.readouterr().out
    assert "Days that do not exist (date_impossible), row 79, 352, 614" in told
    assert "20 faults in 900 rows: nothing was written." in told
    assert sum(line[0] is not None for _, line in read_table(back.read_bytes()).rows) == 20
    assert not Dongle.objects.exists()


def test_a_mapping_says_which_column_holds_what(file):
    heads = {"serial": "A", "product": "Module", "acquired_on": "B"}
    mapping = {"columns": heads, "country": "DE", "currency": "EUR", "order": "day"}
    path = file(json.dumps(mapping).encode(), "mapping.json")
    run(file(csv_of([row(acquired_on="03/04/2020")], heads=heads), "base.csv"), "--mapping", path)
    assert str(Dongle.objects.get().licences.get().acquired_on) == "2020-04-03"


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"colour": "red"}, "colour"),
        ({"columns": {"colour": "Serial no."}}, "colour"),
        ({"columns": {"serial": "X"}}, "X"),
    ],
)
def test_a_mapping_that_names_what_there_is_not_is_refused(file, mapping, sentence):
    path = file(json.dumps(mapping).encode(), "mapping.json")
    with pytest.raises(CommandError, match=sentence):
        run(file(xlsx([row()])), "--mapping", path)
    assert not Dongle.objects.exists()


def test_what_can_t_be_read_is_refused(file):
    with pytest.raises(CommandError, match="import_empty"):
        run(file(b""))
    with pytest.raises(CommandError, match="can’t be read: No such file"):
        run("/nowhere/base.xlsx")
    assert not Import.objects.exists()
