"""Purchase orders through the order's page: uploaded, refused with a sentence, handed out to be saved."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.models import AuditEvent
from portal.uploading import MOST_BYTES_OF_A_REQUEST
from renewals.models import Order, PurchaseOrderFile
from renewals.services.files import attach_purchase_order
from tests import papers, world
from tests.web.reading import text_of


@pytest.fixture
def store(settings):
    return settings.FILES_DIR


@pytest.fixture
def order(dongle, today):
    return world.sell(dongle, today)


def upload(client, order, content=papers.PDF, name="PO-77.pdf", said="application/pdf"):
    file = SimpleUploadedFile(name, content, content_type=said)
    return client.post(reverse("renewals:attach", args=[order.pk]), {"purchase_order_file": file})


def kept(order, content=papers.PDF, name="PO-77.pdf"):
    return attach_purchase_order(order=order, name=name, content=content, actor=world.SALES, at=timezone.now())


def address_of(file):
    return reverse("renewals:order_file", args=[file.order_id, file.pk])


@pytest.mark.parametrize("who", ["sales", "finance", "administrator"])
def test_a_file_is_added_and_stands_on_the_order_s_page(order, who, request):
    client = request.getfixturevalue(who)
    answer = upload(client, order)
    assert (answer.status_code, answer.url) == (302, reverse("renewals:order", args=[order.pk]))
    page = text_of(client.get(answer.url))
    assert f"PO-77.pdf is kept with order {order.number}." in page
    assert "Purchase order file added" in page
    assert address_of(PurchaseOrderFile.objects.get()) in client.get(answer.url).content.decode()


def test_a_customer_adds_and_gets_none(order, customer_user):
    file = kept(order)
    assert upload(customer_user, order, papers.PNG).status_code == 403
    assert customer_user.get(address_of(file)).status_code == 403
    assert PurchaseOrderFile.objects.count() == 1


def test_who_is_not_logged_in_is_asked_to_before_anything_is_kept(order):
    answer = upload(Client(), order)
    assert answer.url.startswith("/accounts/login/?next=")
    assert Client().get(address_of(kept(order))).status_code == 302
    assert PurchaseOrderFile.objects.count() == 1


def test_an_upload_needs_the_token_against_forgery(order):
    client = Client(enforce_csrf_checks=True)
    world.log_in(client, world.make_user())
    assert upload(client, order).status_code == 403
    assert not PurchaseOrderFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (papers.PROGRAM, "This is no whole PDF, PNG or JPEG file, whatever its name says."),
        (papers.PAGE, "This is no whole PDF, PNG or JPEG file, whatever its name says."),
        (b"", "This file is empty."),
        (papers.TOO_LARGE, "This file is larger than 10 MB."),
    ],
    ids=["program", "page", "empty", "too large"],
)
def test_what_is_refused_says_why_beside_the_field(order, sales, store, content, sentence):
    before = AuditEvent.objects.count()
    answer = upload(sales, order, content)
    assert answer.status_code == 422
    assert f"Purchase order as a file: {sentence}" in text_of(answer)
    assert not PurchaseOrderFile.objects.exists()
    assert AuditEvent.objects.count() == before
    assert not store.exists()


def test_no_file_chosen_is_said(order, sales):
    answer = sales.post(reverse("renewals:attach", args=[order.pk]))
    assert answer.status_code == 422
    assert "Choose a file." in text_of(answer)


def test_what_the_browser_says_of_a_file_decides_nothing(order, sales):
    upload(sales, order, papers.PNG, "page.html", "text/html")
    file = PurchaseOrderFile.objects.get()
    assert (file.kind, file.name) == ("image/png", "page.html.png")


def test_ten_megabytes_come_through_and_what_is_far_larger_is_cut_off_as_it_comes_in(order, sales, rf):
    assert upload(sales, order, papers.LARGEST).status_code == 302
    huge = papers.PDF + bytes(3 * MOST_BYTES_OF_A_REQUEST)
    files = {name: SimpleUploadedFile(name, huge) for name in ("purchase_order_file", "another")}
    request = rf.post(reverse("renewals:attach", args=[order.pk]), files)
    assert sum(file.size for file in request.FILES.values()) == MOST_BYTES_OF_A_REQUEST
    assert upload(sales, order, huge).status_code == 422


def test_a_double_click_adds_it_once(order, sales):
    answers = [upload(sales, order) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert PurchaseOrderFile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [(papers.PDF, "application/pdf"), (papers.PNG, "image/png"), (papers.JPEG, "image/jpeg")],
    ids=["pdf", "png", "jpeg"],
)
def test_it_is_handed_out_as_it_was_to_be_saved_and_to_run_nothing(order, finance, content, kind):
    answer = finance.get(address_of(kept(order, content, name="Bestellung März")))
    assert answer.content == content
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''Bestellung%20M%C3%A4rz.")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_name_can_t_write_headers(order, finance):
    answer = finance.get(address_of(kept(order, name='a"; filename="x.exe\r\nX-Evil: 1.pdf')))
    assert "X-Evil" not in answer
    assert answer["Content-Disposition"] == 'attachment; filename="a_; filename=_x.exe X-Evil_ 1.pdf"'


def test_a_file_is_found_under_its_own_order_alone(order, sales, today):
    other = world.sell(world.make_dongle("204233", order.customer, [("VOL-VIS", today.isoformat())]), today)
    file = kept(order)
    assert sales.get(reverse("renewals:order_file", args=[other.pk, file.pk])).status_code == 404


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(papers.PNG)])
def test_a_file_that_is_gone_or_was_changed_is_not_handed_out(order, sales, store, damage):
    file = kept(order)
    damage(store / file.path)
    answer = sales.get(address_of(file))
    assert answer.status_code == 404
    assert "This file is not in the store any more as it was uploaded." in text_of(answer)


def test_no_address_of_static_files_leads_into_the_store(order, sales, store):
    file = kept(order)
    for prefix in ("/static/", "/media/", "/files/", "/"):
        assert sales.get(f"{prefix}{file.path}").status_code == 404


def accepting(client, version, content):
    """The form of the quote's page, with a file beside the purchase order number."""
    file = SimpleUploadedFile("order.pdf", content, content_type="application/pdf")
    return client.post(
        reverse("renewals:accept", args=[version.quote_id, version.number]),
        {"purchase_order_number": "PO-5", "accepted_by": "Ada Lenz", "purchase_order_file": file},
    )


def test_a_file_comes_with_the_purchase_order_on_the_quote_s_page(dongle, sales, today):
    version = world.send(dongle, today)
    answers = [accepting(sales, version, papers.PDF) for _ in range(2)]
    file = PurchaseOrderFile.objects.get()
    assert [answer.url for answer in answers] == [reverse("renewals:order", args=[file.order_id])] * 2
    assert file.order.purchase_order_number == "PO-5"


def test_a_file_that_lies_leaves_the_quote_unordered_and_the_form_as_typed(dongle, sales, today):
    version = world.send(dongle, today)
    answer = accepting(sales, version, papers.PROGRAM)
    assert answer.status_code == 422
    assert "This is no whole PDF, PNG or JPEG file" in text_of(answer)
    assert 'value="PO-5"' in answer.content.decode()
    version.refresh_from_db()
    assert (version.state, Order.objects.count(), dongle.codes.count()) == ("sent", 0, 0)
