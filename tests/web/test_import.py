"""The pages of the import: a newcomer brings in a workbook with faults, mends it and imports it."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook
from playwright.sync_api import expect

from dongles.models import Dongle, Import
from portal import outbox
from portal.models import AuditEvent, Job
from tests import workbooks, world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in
from tests.workbooks import csv_of, row, xlsx

UPLOAD = "/dongles/import/"


@pytest.fixture
def keeper(catalogue, administrator):
    return administrator


def upload(client, content, name="base.xlsx"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def work_off():
    while outbox.drain():
        pass


def chosen(page):
    """What the columns' form would send as it stands."""
    form = page.context["form"]
    return {field.html_name: field.value() or "" for field in form}


def test_a_file_goes_from_upload_over_its_columns_and_its_check_into_the_record(keeper):
    answer = upload(keeper, xlsx([row(), row("104240")]))
    columns = keeper.get(answer.url)
    assert "Serial no." in columns.content.decode()
    assert "104240" in columns.content.decode()
    answer = keeper.post(answer.url, chosen(columns))
    work_off()
    page = keeper.get(answer.url).content.decode()
    assert "No faults: ready to import" in page
    assert not Dongle.objects.exists()
    answer = keeper.post(reverse("dongles:start_import", args=[Import.objects.get().pk]))
    work_off()
    assert "Imported" in keeper.get(answer.url).content.decode()
    assert Dongle.objects.count() == 2
    assert AuditEvent.objects.get(subject_kind="import", action="import").actor_name == "Administrator"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty."),
        (b"Serial,Product\n104\x00233,x\n", "Line 2 of this file holds zero bytes"),
        (csv_of([row(customer="Zürich")], encoding="cp1252"), "is not written in UTF-8"),
        (b"PK\x03\x04 and no workbook", "This workbook can’t be read"),
    ],
)
def test_a_file_that_can_t_be_read_is_refused_beside_its_field(keeper, content, sentence):
    answer = upload(keeper, content)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Import.objects.exists()


def test_a_workbook_of_200_mb_is_cut_off_and_refused(keeper):
    class Endless(io.RawIOBase):
        name, left = "large.xlsx", 200 * 1024 * 1024

        def read(self, size=-1):
            size = self.left if size < 0 else min(size, self.left)
            self.left -= size
            return b"P" * size

    answer = keeper.post(UPLOAD, {"file": Endless()})
    assert answer.status_code == 422
    assert "This file is larger than 32 MB." in answer.content.decode()
    assert not Import.objects.exists()


def test_two_columns_for_one_thing_and_none_for_the_serial_are_refused(keeper):
    answer = upload(keeper, xlsx([row()]))
    form = chosen(keeper.get(answer.url))
    refused = keeper.post(answer.url, {**form, "column_1": "serial"})
    assert refused.status_code == 422
    assert "“Serial no.” is chosen for that already" in refused.content.decode()
    refused = keeper.post(answer.url, {**form, "column_0": ""})
    assert "Choose the column with the serial number." in refused.content.decode()
    assert not Job.objects.exists()


def test_another_sheet_can_be_chosen(keeper):
    others = [("Old", [["Serial", "Product", "Purchased"], ["9", "VOL-VIS", "2019-01-01"]])]
    answer = upload(keeper, xlsx([row()], others=others))
    page = keeper.get(answer.url, {"sheet": "Old"})
    assert "Sheet “Old”" in page.content.decode()
    keeper.post(answer.url, chosen(page))
    assert Import.objects.get().sheet == "Old"


def test_only_administrators_find_the_pages(catalogue, sales, keeper):
    address = upload(keeper, xlsx([row()])).url
    assert {sales.get(each).status_code for each in (UPLOAD, address)} == {403}
    assert sales.post(f"{address}start/").status_code == 403
    assert "Import dongles" not in sales.get(reverse("dongles:find")).content.decode()
    assert "Import dongles" in keeper.get(reverse("dongles:find")).content.decode()


@pytest.mark.browser
def test_a_newcomer_mends_what_the_portal_names_and_imports_it(portal, browser, client, tmp_path):
    """900 rows with 20 faults of 6 kinds; every page on the way without a barrier."""
    file, mended = tmp_path / "dongles.xlsx", tmp_path / "mended.xlsx"
    file.write_bytes(xlsx(workbooks.with_twenty_faults(900), above=[["Our dongles"]]))
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, world.make_user("administrator"))
        page.goto(f"{portal}/dongles/")
        page.get_by_role("link", name="Import dongles").click()
        check(page, found)
        choose(page, file)
        check(page, found)
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
        check(page, found)
        work_off()
        expect(page.get_by_role("heading", name="20 faults in 20 of 900 rows")).to_be_visible()
        check(page, found)
        with page.expect_download() as download:
            page.get_by_role("link", name="dongles - what to mend.xlsx").click()
        download.value.save_as(mended)
        mend(mended)
        page.get_by_role("link", name="Choose the mended file").click()
        choose(page, mended)
        page.get_by_role("button", name="Check the file").click()
        work_off()
        expect(page.get_by_role("heading", name="No faults: ready to import")).to_be_visible()
        check(page, found)
        page.get_by_role("button", name="Import it now").click()
        work_off()
        expect(page.get_by_role("heading", name="Imported", exact=True)).to_be_visible()
        check(page, found)
    assert found == []
    assert Dongle.objects.count() == 450


def choose(page, file):
    page.get_by_label("File with your dongles").set_input_files(file)
    page.get_by_role("button", name="Go on to the columns").click()
    expect(page.get_by_role("heading", name="What do the columns hold?")).to_be_visible()


def mend(file):
    """As a person would: go from one told row to the next and write what is right over the marked cell."""
    right = {"SMA to": "28.02.2026", "Country": "Germany"}
    right |= {"E-mail": "person@institute.example", "Seats": 5}
    sound, fields = list(workbooks.installed_base(900)), {head: name for name, head in workbooks.HEADS.items()}
    book = load_workbook(file)
    sheet = book.active
    heads = [cell.value for cell in sheet[2]]
    for line in sheet.iter_rows(min_row=3):
        if line[0].value:
            for head, cell in zip(heads[1:], line[1:], strict=True):
                if cell.fill.fill_type:
                    cell.value = right.get(head) or sound[line[0].row - 3][fields[head]]
    book.save(file)
