"""Customers' downloads (rule S2): what stands there, links, what is sent, and what is refused."""

import hashlib
import os
import re
import tracemalloc
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dongles import builds
from dongles.models import Dongle, Release
from dongles.services import find_dongle_again, lose_dongle, withdraw_licence
from dongles.web.downloads import SALT
from portal.models import AuditEvent, Customer
from renewals.models import PolicySettings
from renewals.pricing import AddedLicence
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.replacements import replace_dongle, transfer_dongle
from tests import world
from tests.web.conftest import client_of

CONTENT = b"0123456789" * 10  # and the release's id, as tests/world.py makes it


def release(version, today, days_ago, **fields):
    return world.make_release(version, (today - timedelta(days_ago)).isoformat(), **fields)


@pytest.fixture
def running(dongle, today):
    """A build of ten days ago, which runs, with a file of a hundred bytes and some."""
    return world.make_release_file(release("8.0", today, 10), content=CONTENT)


@pytest.fixture
def lapsed(catalogue, today):
    """A dongle whose SMA ended a hundred days ago."""
    ended = (today - timedelta(100)).isoformat()
    return world.make_dongle("300001", world.make_customer("Lapsed lab"), [("VOL-VIS", ended)])


@pytest.fixture
def lapsed_owner(lapsed):
    return client_of("customer", email=lapsed.customer.contacts.get().email, customer=lapsed.customer)


def by(today):
    return {"actor": world.SALES, "at": world.at(today)}


def page_of(client):
    return client.get("/my/downloads/").content.decode()


def link_to(client, file):
    answer = client.get(f"/my/downloads/{file.pk}/")
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def content_of(answer):
    return b"".join(answer.streaming_content)


def is_offered(client, file):
    """The page has its button, and the address leads to a link: always both or neither."""
    has_button = f'href="/my/downloads/{file.pk}/"' in page_of(client)
    assert (client.get(f"/my/downloads/{file.pk}/").status_code == 302) == has_button
    return has_button


# What stands there


def test_a_build_that_runs_is_there_with_all_that_one_wants_to_know_s2(owner, running, dongle, today):
    Release.objects.update(notes="Corrects <b>tracking</b> & more.")
    page = page_of(owner)
    assert "Volocity 8.0" in page
    assert f"Runs on dongle {dongle.serial}." in page
    assert running.sha256 == hashlib.sha256(CONTENT + f" {running.release_id}".encode()).hexdigest()
    assert running.sha256 in page
    assert "setup-8.0.zip" in page
    assert f"{running.size} bytes" in page.replace("\xa0", " ")
    assert "Corrects &lt;b&gt;tracking&lt;/b&gt; &amp; more." in page
    assert re.search(r"Released \d{1,2} [A-Z][a-z]{2} \d{4}", page)


def test_a_newer_build_says_which_sma_it_takes_and_leads_to_the_quote_s2(lapsed_owner, lapsed, today):
    newer = world.make_release_file(release("8.1", today, 50))
    page = page_of(lapsed_owner)
    # A year from today is the least that is sold to a dongle that has lapsed.
    year = world.year_from(today)
    assert f'It needs an SMA to <strong class="nowrap">{year.day} {year:%b} {year.year}</strong>' in page
    assert f'href="/my/renew/?dongle={lapsed.serial}&amp;years=1"' in page
    quote = lapsed_owner.get(f"/my/renew/?dongle={lapsed.serial}&years=1")
    assert f"{year.day} {year:%b} {year.year}" in quote.content.decode()
    assert not is_offered(lapsed_owner, newer)
    assert newer.sha256 not in page


def test_in_the_grace_days_a_date_to_align_to_is_asked_for(lapsed_owner, lapsed, today):
    PolicySettings.objects.update(grace_days=90)
    ended = today - timedelta(40)
    lapsed.licences.get().periods.update(ends_on=ended)
    Dongle.objects.update(issued_expiry_on=ended)
    release("8.1", today, 20)
    found = re.search(r"/my/renew/\?dongle=300001&amp;align_to=([\d-]+)", page_of(lapsed_owner))
    assert found[1] > (ended + timedelta(85)).isoformat()


def test_old_builds_never_vanish_however_long_ago_the_sma_ended_s2(lapsed_owner, lapsed, today):
    old = [world.make_release_file(release(f"{number}.0", today, 110 + 400 * number)) for number in range(9)]
    assert all(is_offered(lapsed_owner, file) for file in old)
    page = page_of(lapsed_owner)
    assert page.index("Volocity 0.0") < page.index("Volocity 1.0") < page.index("Volocity 8.0")
    assert "6 older Volocity versions" in page


def test_drafts_and_builds_of_days_to_come_are_not_shown(owner, dongle, today):
    draft = world.make_release_file(release("8.0", today, 10))
    Release.objects.update(is_published=False)
    coming = world.make_release_file(release("8.1", today, -3))
    assert not is_offered(owner, draft)
    assert not is_offered(owner, coming)
    assert "8.1" not in page_of(owner)


def test_who_has_no_licence_is_told_that_nothing_is_here_yet(customer_user):
    assert "Nothing to download yet" in page_of(customer_user)


def test_the_page_takes_as_many_queries_for_many_dongles_and_builds(
    owner, running, dongle, today, django_assert_num_queries
):
    page_of(owner)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page_of(owner)
    for number in range(12):
        world.make_dongle(f"4000{number:02}", dongle.customer, [("VOL-VIS", today.isoformat()), ("OPL-FUL", None)])
        world.make_release_file(release(f"5.{number}", today, 20 + number))
    with django_assert_num_queries(len(few)):
        page_of(owner)
    assert len(few) <= 10


# Which date counts, and what takes an entitlement back


def test_the_date_of_the_newest_code_counts_before_its_receipt_is_entered_s2(lapsed_owner, lapsed, today):
    newer = world.make_release_file(release("8.1", today, 50))
    assert not is_offered(lapsed_owner, newer)
    world.sell(lapsed, today)
    assert is_offered(lapsed_owner, newer)
    assert "once the newest unlock code is applied" in page_of(lapsed_owner)


def test_a_cancellation_between_link_and_use_counts_s2(lapsed_owner, lapsed, today):
    newer = world.make_release_file(release("8.1", today, 50))
    order = world.sell(lapsed, today)
    link = link_to(lapsed_owner, newer)
    cancel_order(order=order, from_on=today, reason="By mistake", is_mistake=True, **by(today))
    before = AuditEvent.objects.count()
    answer = lapsed_owner.get(link)
    assert answer.status_code == 409
    assert "runs on none of your dongles. It needs an SMA to" in answer.content.decode()
    assert "build_not_entitled" in answer.content.decode()
    assert AuditEvent.objects.count() == before
    assert not is_offered(lapsed_owner, newer)


def test_a_bridge_entitles_to_what_runs_by_it_s2(owner, dongle, today):
    # Covered for 30 days more; bridged to 20 days after that, asked 15 days after the end.
    version = world.send(dongle, today)
    until = today + timedelta(50)
    grant_bridge(version=version, until=until, reason="Signing", **by(today + timedelta(25)))
    later = today + timedelta(45)
    file = world.make_release_file(release("8.1", today, -40))
    builds.check_entitled(file, builds.estate_of_customer(dongle.customer), later)
    assert Dongle.objects.get().issued_expiry_on == until


def test_a_withdrawn_licence_keeps_old_builds_and_gets_no_new_ones_s2(owner, running, dongle, today):
    for licence in dongle.licences.all():
        withdraw_licence(licence=licence, reason="Not used", **by(today))
    assert is_offered(owner, running)
    assert not is_offered(owner, world.make_release_file(release("8.1", today, 0)))


def test_a_licence_added_by_mistake_takes_its_builds_with_it_s2(owner, dongle, today):
    Dongle.objects.update(kind="licence_server")
    openlab = world.make_release_file(release("7.0", today, 10, family="Openlab"))
    assert not is_offered(owner, openlab)
    order = world.sell(Dongle.objects.get(), today, added=(AddedLicence("OPL-FUL", 1),))
    assert is_offered(owner, openlab)
    cancel_order(order=order, from_on=today, reason="By mistake", is_mistake=True, **by(today))
    assert not is_offered(owner, openlab)


def test_losing_a_dongle_loses_no_download_s2(owner, running, dongle, today):
    lose_dongle(dongle=dongle, reason="Left in a train", **by(today))
    assert is_offered(owner, running)
    find_dongle_again(dongle=dongle, reason="", **by(today))
    assert is_offered(owner, running)


def test_what_a_replaced_dongle_ran_is_had_by_the_one_in_its_place_s2(owner, running, dongle, today):
    replace_dongle(dongle=dongle, serial="900001", cause="broken", reason="Bent", **by(today))
    assert is_offered(owner, running)
    assert "Runs on dongle 900001, <strong>once the newest unlock code is applied" in page_of(owner)


def test_a_dongle_that_is_handed_on_takes_its_downloads_along_s2(owner, running, dongle, today, customer_user):
    other = Customer.objects.get(name="A customer")
    assert not is_offered(customer_user, running)
    transfer_dongle(dongle=dongle, customer=other, reason="Sold", **by(today))
    assert is_offered(customer_user, running)
    assert owner.get(f"/my/downloads/{running.pk}/").status_code == 404


# Links


def test_a_link_gives_the_file_and_the_download_is_recorded_once(owner, running, dongle):
    answer = owner.get(link_to(owner, running))
    assert content_of(answer) == CONTENT + f" {running.release_id}".encode()
    assert answer["Content-Disposition"] == 'attachment; filename="setup-8.0.zip"'
    assert answer["Content-Type"] == "application/zip"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{running.sha256}"'
    assert answer["Content-Length"] == str(running.size)
    (event,) = AuditEvent.objects.filter(action="download")
    assert (event.subject_kind, event.subject_id) == ("release", running.release_id)
    assert event.actor_name == str(event.actor)
    assert event.after == {"platform": "Windows", "sha256": running.sha256, "customer": dongle.customer.name}


def test_a_link_ends_after_five_minutes(owner, running, settings):
    link = link_to(owner, running)
    assert settings.DOWNLOAD_LINK_SECONDS == 300
    settings.DOWNLOAD_LINK_SECONDS = -1
    answer = owner.get(link)
    assert answer.status_code == 410
    assert f'href="/my/downloads/{running.pk}/"' in answer.content.decode()
    assert not AuditEvent.objects.filter(action="download").exists()
    goes_on = owner.get(link, headers={"Range": "bytes=50-", "If-Range": f'"{running.sha256}"'})
    assert (goes_on.status_code, goes_on.url) == (302, f"/my/downloads/{running.pk}/")


def test_a_link_is_nobody_elses(owner, running, dongle, customer_user):
    link = link_to(owner, running)
    colleague = client_of("customer", email="colleague@cells.example", customer=dongle.customer)
    dongle.customer.contacts.create(name="A colleague", email="colleague@cells.example")
    assert [each.get(link).status_code for each in (customer_user, colleague)] == [404, 404]
    assert Client().get(link).status_code == 302
    assert owner.get(link[:-2] + "x/").status_code == 404
    forged = signing.dumps({"file": running.pk, "customer": dongle.customer_id, "user": 1}, salt="another")
    assert owner.get(reverse("dongles:file", args=[forged])).status_code == 404
    assert signing.loads(link.split("/")[2], salt=SALT)["file"] == running.pk


# Ranges


@pytest.mark.parametrize(
    ("asked", "status", "part", "place"),
    [
        ("bytes=0-9", 206, slice(0, 10), "bytes 0-9/{size}"),
        ("bytes=95-", 206, slice(95, None), "bytes 95-{last}/{size}"),
        ("bytes=-5", 206, slice(-5, None), "bytes {last4}-{last}/{size}"),
        ("bytes=90-9999", 206, slice(90, None), "bytes 90-{last}/{size}"),
        ("bytes=9999-", 416, None, "bytes */{size}"),
        ("bytes=-0", 416, None, "bytes */{size}"),
        ("bytes=9-3", 200, slice(None), ""),
        ("bytes=0-1,4-5", 200, slice(None), ""),
        ("lines=1-2", 200, slice(None), ""),
        ("bytes=-", 200, slice(None), ""),
    ],
)
def test_a_range_is_answered_with_that_part(owner, running, asked, status, part, place):
    answer = owner.get(link_to(owner, running), headers={"Range": asked})
    whole = CONTENT + f" {running.release_id}".encode()
    assert answer.status_code == status
    size = running.size
    assert answer.get("Content-Range", "") == place.format(size=size, last=size - 1, last4=size - 5)
    if part is not None:
        assert content_of(answer) == whole[part]
        assert answer["Content-Length"] == str(len(whole[part]))
    begins = part is not None and whole[part][:1] == b"0" and part.start in (None, 0)
    assert AuditEvent.objects.filter(action="download").count() == begins


def test_if_range_gives_a_part_of_the_same_file_only(owner, running):
    link = link_to(owner, running)
    for_same = {"Range": "bytes=50-59", "If-Range": f'"{running.sha256}"'}
    assert owner.get(link, headers=for_same).status_code == 206
    modified = owner.get(link)["Last-Modified"]
    assert owner.get(link, headers={**for_same, "If-Range": modified}).status_code == 206
    assert owner.get(link, headers={**for_same, "If-Range": '"another"'}).status_code == 200
    assert owner.get(link, headers={**for_same, "If-Range": "nonsense"}).status_code == 200


def test_head_tells_of_the_file_and_is_no_download(owner, running):
    answer = owner.head(link_to(owner, running), headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == (str(running.size), "bytes")
    assert not AuditEvent.objects.filter(action="download").exists()


def test_who_has_the_file_already_gets_a_304(owner, running):
    answer = owner.get(link_to(owner, running), headers={"If-None-Match": f'"{running.sha256}"'})
    assert answer.status_code == 304
    assert not AuditEvent.objects.filter(action="download").exists()


def test_a_file_of_three_gigabytes_is_never_in_memory(owner, running, settings):
    size = 3 * 1024**3
    place = settings.DOWNLOADS_DIR / running.path
    os.truncate(place, size)  # sparse: it takes no room on the disk
    type(running).objects.update(size=size)
    link = link_to(owner, running)
    tracemalloc.start()
    answer = owner.get(link)
    read = sum(len(piece) for piece, _ in zip(answer.streaming_content, range(300), strict=False))
    last = content_of(owner.get(link, headers={"Range": f"bytes={size - 10}-"}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer["Content-Length"], read, last) == (str(size), 300 * 1024**2, bytes(10))
    assert peak < 24 * 1024**2


# What is not there


@pytest.mark.parametrize("how", ["gone", "short", "link", "folder link", "out", "absolute"])
def test_a_file_that_is_not_as_it_should_be_is_told_and_logged(how, owner, running, settings, tmp_path, caplog):
    place = settings.DOWNLOADS_DIR / running.path
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * running.size)
    if how == "gone":
        place.unlink()
    elif how == "short":
        os.truncate(place, 5)
    elif how == "link":
        place.unlink()
        place.symlink_to(secret)
    elif how == "folder link":
        place.parent.rename(tmp_path / "elsewhere")
        place.parent.symlink_to(tmp_path / "elsewhere")
    else:
        running.path = "../secret" if how == "out" else str(secret)
        running.save()
    answer = owner.get(link_to(owner, running))
    assert answer.status_code == 404
    assert "This file is not on our shelf as it should be." in answer.content.decode()
    assert "build_missing" in answer.content.decode()
    assert running.path in caplog.text
    assert not AuditEvent.objects.filter(action="download").exists()


def test_the_back_office_says_whether_a_file_is_there(administrator, running, settings):
    address = reverse("admin:dongles_release_change", args=[running.release_id])
    assert "setup-8.0.zip" in administrator.get(address).content.decode()
    (settings.DOWNLOADS_DIR / running.path).unlink()
    assert "No: it is not below the folder of downloads" in administrator.get(address).content.decode()


def test_in_production_the_front_is_told_to_send_it(owner, running, settings):
    settings.DOWNLOADS_ACCEL = "/protected-downloads/"
    answer = owner.get(link_to(owner, running), headers={"Range": "bytes=5-"})
    assert answer["X-Accel-Redirect"] == "/protected-downloads/Volocity/8.0/Windows/setup-8.0.zip"
    assert (answer.status_code, answer.content) == (200, b"")
    assert not AuditEvent.objects.filter(action="download").exists()
    owner.get(link_to(owner, running))
    assert AuditEvent.objects.filter(action="download").count() == 1


def test_staff_has_no_downloads_of_a_customer(sales, running):
    assert sales.get("/my/downloads/").status_code == 403
