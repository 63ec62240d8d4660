"""Purchase orders as files: what they are counts, not what they are called; nothing is kept twice or lost."""

import io
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from pypdf import PdfReader

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals import filestore
from renewals.demo.paper import purchase_order_pdf
from renewals.models import Order, PurchaseOrderFile
from renewals.services.files import attach_purchase_order, check_store, remove_orphans
from renewals.uploads import LONGEST_NAME, display_name, kind_of
from tests import papers, world
from tests.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(settings):
    return settings.FILES_DIR


@pytest.fixture
def order(dongle):
    return world.sell(dongle, "2026-02-01")


def attach(order, content=papers.PDF, name="PO-77.pdf", **options):
    options = {"actor": world.SALES, "at": world.at("2026-02-02"), **options}
    return attach_purchase_order(order=order, name=name, content=content, **options)


def kept(store: Path) -> list[str]:
    return sorted(path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file())


def refusal_of(order, store, **options) -> DomainError:
    before = (AuditEvent.objects.count(), PurchaseOrderFile.objects.count(), kept(store))
    with pytest.raises(DomainError) as refused:
        attach(order, **options)
    assert before == (AuditEvent.objects.count(), PurchaseOrderFile.objects.count(), kept(store))
    return refused.value


class Counted(io.BytesIO):
    """A file that says how large it is, as an upload does, and counts what is read of it."""

    name, was_read = "PO.pdf", 0

    def __init__(self, content: bytes, size: int | None = None) -> None:
        super().__init__(content)
        self.size = len(content) if size is None else size

    def read(self, *args):
        read = super().read(*args)
        self.was_read += len(read)
        return read


@pytest.mark.parametrize(
    ("content", "kind"),
    [(papers.PDF, "application/pdf"), (papers.PNG, "image/png"), (papers.JPEG, "image/jpeg")],
    ids=["pdf", "png", "jpeg"],
)
def test_pdf_png_and_jpeg_are_kept_as_they_are(order, store, content, kind):
    file = attach(order, content)
    assert (file.kind, file.size, file.order) == (kind, len(content), order)
    assert (store / file.path).read_bytes() == content
    assert kept(store) == [file.path]
    assert filestore.read(file.path, file.sha256) == content


def test_the_store_is_by_month_under_names_of_its_own_that_only_the_portal_reads(order, store):
    file = attach(order, name="Secret budget.pdf")
    assert file.path.startswith("2026/02/")
    assert "ecret" not in file.path
    assert len(Path(file.path).stem) == 32
    assert (store / file.path).stat().st_mode & 0o777 == 0o600


def test_what_was_added_by_whom_is_on_record(order):
    user = world.make_user("finance")
    file = attach(order, actor=Actor.of(user))
    event = AuditEvent.objects.get(action="attach")
    assert (event.subject_kind, event.subject_id, event.actor_id) == ("order", order.pk, user.pk)
    assert event.after == {"file": "PO-77.pdf", "size": len(papers.PDF), "sha256": file.sha256}
    assert (file.uploaded_by, file.uploaded_at) == (user, world.at("2026-02-02"))


def test_the_same_content_again_is_the_same_file_whatever_it_is_called_now(order, store):
    first = attach(order)
    assert attach(order, name="again.pdf") == first
    assert PurchaseOrderFile.objects.count() == 1
    assert kept(store) == [first.path]
    assert AuditEvent.objects.filter(action="attach").count() == 1


def test_an_order_can_have_several_files_and_two_orders_the_same_one(order, store):
    other = world.sell(world.make_dongle("204233", order.customer), "2026-02-01")
    files = [attach(order), attach(order, papers.PNG), attach(other)]
    assert len({file.path for file in files}) == len(kept(store)) == 3
    assert [list(each.files.all()) for each in (order, other)] == [files[:2], files[2:]]


def test_who_only_buys_adds_no_file(order, store):
    assert refusal_of(order, store, actor=Actor("A customer", None, "customer")).code == "not_allowed"


def test_the_demo_s_purchase_order_is_a_page_that_readers_read():
    (page,) = PdfReader(io.BytesIO(purchase_order_pdf(["Order (1)", r"SMA \ März"]))).pages
    assert page.extract_text().splitlines() == ["Order (1)", r"SMA \ März"]


LIES = {
    "a program": papers.PROGRAM,
    "a program with the header of a PDF": papers.PROGRAM + papers.PDF,
    "a page": papers.PAGE,
    "a page with the header of a PDF": papers.PAGE + papers.PDF,
    "an archive with the header of a PDF": b"PK\x03\x04" + papers.PDF,
    "a picture with the header of a PDF": papers.PNG + papers.PDF,
    "a picture of another kind": b"GIF89a" + bytes(40),
    "a drawing that can hold script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "the header of a PDF alone": b"%PDF-1.7\n" + papers.PAGE,
    "a PDF cut off": papers.PDF[:-20],
    "a PDF whose header comes late": bytes(1024) + papers.PDF,
    "a PNG's signature alone": papers.PNG_SIGNATURE + papers.PAGE,
    "a PNG cut off": papers.PNG[:-6],
    "a PNG with a wrong checksum": papers.PNG.replace(b"\x08\x00\x00\x00\x00", b"\x08\x01\x00\x00\x00"),
    "a PNG without a size": papers.PNG_SIGNATURE + papers.chunk(b"IHDR", bytes(13)) + papers.PIXEL + papers.END,
    "a PNG without a picture": papers.PNG_SIGNATURE + papers.HEAD + papers.END,
    "a PNG with a page behind it": papers.PNG + papers.PAGE,
    "a JPEG's start and end alone": b"\xff\xd8\xff\xe0" + papers.PAGE + b"\xff\xd9",
    "a JPEG without a frame": papers.JPEG.replace(papers.FRAME, b""),
    "a JPEG cut off": papers.JPEG[:-2],
    "a JPEG with a segment of no length": b"\xff\xd8" + papers.FRAME + b"\xff\xe1\x00\x00" + papers.SCAN + b"\xff\xd9",
    "text": b"Please find our order attached.",
    "one byte": b"%",
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", ["order.pdf", "order.png", "order.jpg"])
def test_a_file_that_lies_about_what_it_is_is_refused_under_any_name(order, store, lie, name):
    refused = refusal_of(order, store, content=LIES[lie], name=name)
    assert (refused.code, refused.data) == ("file_type_refused", {"field": "purchase_order_file"})


def test_what_scanners_and_telephones_add_is_no_lie():
    assert kind_of(b"\r\n" + papers.PDF + b"\r\n" + bytes(100)) == "application/pdf"
    assert kind_of(papers.JPEG + b"SEFT" + bytes(200)) == "image/jpeg"


def test_ten_megabytes_are_kept_and_a_byte_more_is_not(order, store):
    assert len(papers.LARGEST) == 10_485_760
    assert attach(order, papers.LARGEST).size == 10_485_760
    assert refusal_of(order, store, content=papers.TOO_LARGE).code == "file_too_large"


def test_a_file_that_says_it_is_too_large_is_not_even_read(order, store):
    file = Counted(papers.PDF, size=10_485_761)
    assert refusal_of(order, store, content=file).code == "file_too_large"
    assert file.was_read == 0


def test_of_a_file_that_hides_its_size_no_more_is_read_than_a_byte_too_many(order, store):
    file = Counted(papers.TOO_LARGE + bytes(5_000_000), size=100)
    assert refusal_of(order, store, content=file).code == "file_too_large"
    assert file.was_read == 10_485_761


def test_an_empty_file_is_refused(order, store):
    assert refusal_of(order, store, content=b"").code == "file_empty"
    assert refusal_of(order, store, content=Counted(b"")).code == "file_empty"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("PO-77.pdf", "PO-77.pdf"),
        ("Bestellung Nr. 5 – März.PDF", "Bestellung Nr. 5 – März.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\ada\\order.pdf", "order.pdf"),
        ("order.exe", "order.exe.pdf"),
        ("order.jpeg", "order.pdf"),
        ("2026.12", "2026.12.pdf"),
        ("order\u202efdp.exe", "orderfdp.exe.pdf"),
        ("a\x00b\r\nc\td.pdf", "ab c d.pdf"),
        ("\u200border\ufeff.pdf", "order.pdf"),
        ('a"b<c>|d?.pdf', "a_b_c__d_.pdf"),
        ("...", "purchase-order.pdf"),
        (".pdf", "purchase-order.pdf"),
        ("", "purchase-order.pdf"),
        ("\ud800", "purchase-order.pdf"),
    ],
)
def test_a_name_is_for_people_and_does_not_lie(name, shown):
    assert display_name(name, kind_of(papers.PDF)) == shown


def test_a_long_name_keeps_its_beginning_and_its_extension():
    name = display_name("x" * 500 + ".png", kind_of(papers.PNG))
    assert len(name) == LONGEST_NAME
    assert name.endswith("x.png")


def test_a_transaction_that_fails_leaves_no_row_and_its_file_is_cleaned_a_day_later(order, store):
    with pytest.raises(DatabaseError), transaction.atomic():
        attach(order)
        Order.objects.filter(pk=order.pk).update(state="fulfilled", fulfilled_on=None)
    assert not PurchaseOrderFile.objects.exists()
    assert not AuditEvent.objects.filter(action="attach").exists()
    (orphan,) = kept(store)
    file = attach(order)
    written = world.at("2026-02-02").timestamp()
    for path in (orphan, file.path):
        os.utime(store / path, (written, written))
    assert remove_orphans(world.at("2026-02-03", 11)).removed == []
    assert check_store(world.at("2026-02-03", 13)).orphans == [orphan]
    assert remove_orphans(world.at("2026-02-03", 13)).removed == [orphan]
    assert kept(store) == [file.path]


def test_a_file_that_was_changed_or_is_gone_is_not_handed_out_and_is_reported(order, store, capsys):
    gone, changed, whole = attach(order), attach(order, papers.PNG), attach(order, papers.JPEG)
    (store / gone.path).unlink()
    (store / changed.path).write_bytes(papers.PNG + b"x")
    for file in (gone, changed):
        with pytest.raises(DomainError) as refused:
            filestore.read(file.path, file.sha256)
        assert refused.value.code == "file_missing"
    assert filestore.read(whole.path, whole.sha256) == papers.JPEG
    with pytest.raises(SystemExit) as ended:
        call_command("files")
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert gone.path in told
    assert changed.path in told
    assert whole.path not in told


def test_a_path_that_leads_out_of_the_store_is_never_followed(store):
    with pytest.raises(AssertionError):
        filestore.read("../../etc/hostname", "0" * 64)


def test_rows_of_files_are_kept_for_good(order):
    file = attach(order)
    for change in (lambda: PurchaseOrderFile.objects.filter(pk=file.pk).update(name="x"), file.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert PurchaseOrderFile.objects.get().name == "PO-77.pdf"


def test_an_order_and_its_file_are_made_in_one_transaction(dongle, store):
    order = world.accept(world.send(dongle, "2026-02-01"), "2026-02-01", purchase_order_file=Counted(papers.PDF))
    assert order.files.get().name == "PO.pdf"
    assert order.state == "fulfilled"


def test_a_refused_file_leaves_no_order_and_the_quote_open(dongle, store):
    version = world.send(dongle, "2026-02-01")
    with pytest.raises(DomainError) as refused:
        world.accept(version, "2026-02-01", purchase_order_file=Counted(papers.PROGRAM))
    assert refused.value.code == "file_type_refused"
    assert not Order.objects.exists()
    assert not dongle.codes.exists()
    version.refresh_from_db()
    assert version.state == "sent"


def test_accepting_twice_keeps_the_file_once(dongle, store):
    version = world.send(dongle, "2026-02-01")
    orders = [world.accept(version, "2026-02-01", purchase_order_file=Counted(papers.PDF)) for _ in range(2)]
    assert orders[0] == orders[1]
    assert PurchaseOrderFile.objects.count() == len(kept(store)) == 1


@pytest.fixture
def fulfilled(transactional_db):
    world.make_catalogue()
    return world.sell(world.make_dongle(), "2026-02-01")


@pytest.mark.django_db(transaction=True)
def test_the_same_file_sent_many_times_at_once_is_kept_once(fulfilled, store):
    results = at_once([lambda: attach(fulfilled)] * 8)
    assert {each.pk for each in results} == {PurchaseOrderFile.objects.get().pk}
    assert len(kept(store)) == 1
    assert AuditEvent.objects.filter(action="attach").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_database_has_to_refuse(fulfilled):
    results = at_once([lambda: attach(fulfilled)] * 8, locked=False)
    assert any(isinstance(each, DatabaseError) for each in results)
    assert PurchaseOrderFile.objects.count() == 1
