"""The update feed of a dongle: what it tells its software (rule S2), and that its address is its key."""

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dongles import feeds
from dongles.models import Dongle, Release
from portal.models import AuditEvent
from renewals.services.cancellations import cancel_order
from renewals.services.replacements import transfer_dongle
from tests import world

SPARKLE = "{http://www.andymatuschak.org/xml-namespaces/sparkle}"
SMA = "{urn:sma-portal:update-feed}"


@pytest.fixture
def lapsed(catalogue, today):
    """A dongle whose SMA ended a hundred days ago; 8.0 runs on it, of 8.1 it needs more."""
    ended = (today - timedelta(100)).isoformat()
    dongle = world.make_dongle("300001", world.make_customer("Lapsed lab"), [("VOL-VIS", ended)])
    for version, days_ago, is_major in (("8.0", 400, True), ("8.1", 50, False)):
        on = (today - timedelta(days_ago)).isoformat()
        release = world.make_release(version, on, is_major=is_major)
        world.make_release_file(release, "Windows")
        world.make_release_file(release, "macOS", b"another build")
    return dongle


def path_of(dongle, kind="json"):
    return feeds.feed_address(Dongle.objects.get(pk=dongle.pk), kind).removeprefix("http://127.0.0.1:8000")


def told(dongle, **asked):
    answer = Client().get(path_of(dongle), asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


def items_of(dongle, **asked):
    answer = Client().get(path_of(dongle, "xml"), asked)
    assert answer["Content-Type"] == "application/rss+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content).findall("channel/item")


def test_it_tells_what_runs_and_what_the_newest_takes_s2(lapsed, today):
    feed = told(lapsed)
    assert feed["serial"] == "300001"
    assert feed["sma_expires_on"] == (today - timedelta(100)).isoformat()
    assert [(each["family"], each["platform"]) for each in feed["builds"]] == [
        ("Volocity", "Windows"), ("Volocity", "macOS"),
    ]  # fmt: skip
    windows = feed["builds"][0]
    file = Release.objects.get(version="8.0").files.get(platform="Windows")
    runs = windows["newest_that_runs"]
    assert (runs["version"], runs["size"], runs["sha256"]) == ("8.0", file.size, file.sha256)
    assert runs["build_on"] == (today - timedelta(400)).isoformat()
    newest = windows["newest"]
    assert (newest["version"], newest["runs"]) == ("8.1", False)
    assert newest["needs_sma_to"] == world.year_from(today).isoformat()
    assert newest["quote_at"] == "http://127.0.0.1:8000/my/renew/?dongle=300001&years=1"
    assert "url" not in newest


def test_what_it_names_is_had_at_its_address_and_recorded(lapsed):
    address = told(lapsed)["builds"][1]["newest_that_runs"]["url"].removeprefix("http://127.0.0.1:8000")
    answer = Client().get(address)
    assert b"".join(answer.streaming_content).startswith(b"another build")
    event = AuditEvent.objects.get(action="download")
    assert (event.actor_name, event.after["dongle"]) == ("Update feed of dongle 300001", "300001")
    assert Client().get(address, headers={"Range": "bytes=3-"}).status_code == 206
    assert AuditEvent.objects.filter(action="download").count() == 1


def test_a_renewal_moves_it_ahead_and_a_cancellation_back_s2(lapsed, today):
    newest = Release.objects.get(version="8.1").files.get(platform="Windows")
    address = path_of(lapsed).removesuffix(".json") + f"/files/{newest.pk}/"
    refused = Client().get(address)
    assert refused.status_code == 403
    assert "does not run on dongle 300001" in refused.content.decode()
    order = world.sell(lapsed, today)
    assert told(lapsed)["builds"][0]["newest_that_runs"]["version"] == "8.1"
    assert told(lapsed)["builds"][0]["newest"]["runs"] is True
    assert Client().get(address).status_code == 200
    recorded = AuditEvent.objects.filter(action="download").count()
    cancel_order(order=order, from_on=today, reason="A mistake", is_mistake=True, actor=world.SALES, at=world.at(today))
    assert told(lapsed)["builds"][0]["newest_that_runs"]["version"] == "8.0"
    assert Client().get(address).status_code == 403
    assert AuditEvent.objects.filter(action="download").count() == recorded == 1


def test_software_that_says_what_its_dongle_holds_is_told_no_more_than_runs_there(lapsed, today):
    world.sell(lapsed, today)
    row = told(lapsed, holds=(today - timedelta(100)).isoformat())["builds"][0]
    assert row["newest_that_runs"]["version"] == "8.0"
    assert row["newest"]["apply_code_for"] == world.year_from(today).isoformat()
    assert Client().get(path_of(lapsed), {"holds": "soon"}).status_code == 400


def test_it_is_narrowed_to_a_family_and_a_platform(lapsed):
    assert [each["platform"] for each in told(lapsed, platform="macOS")["builds"]] == ["macOS"]
    assert told(lapsed, family="Openlab")["builds"] == []


def test_families_that_the_dongle_does_not_carry_are_not_told(lapsed, today):
    world.make_release_file(world.make_release("7.0", "2020-05-05", family="Openlab"))
    assert {each["family"] for each in told(lapsed)["builds"]} == {"Volocity"}


def test_the_appcast_names_what_runs_as_sparkle_reads_it_s2(lapsed):
    (item,) = [each for each in items_of(lapsed, platform="macOS") if each.find("enclosure") is not None]
    file = Release.objects.get(version="8.0").files.get(platform="macOS")
    assert item.findtext(f"{SPARKLE}version") == item.findtext(f"{SPARKLE}shortVersionString") == "8.0"
    assert item.findtext(f"{SPARKLE}minimumAutoupdateVersion") == "8.0"
    enclosure = item.find("enclosure").attrib
    assert (enclosure["length"], enclosure["type"]) == (str(file.size), "application/zip")
    assert Client().get(enclosure["url"].removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert item.findtext(f"{SMA}sha256") == file.sha256
    built = parsedate_to_datetime(item.findtext("pubDate"))
    assert (built.date(), built.utcoffset()) == (Release.objects.get(version="8.0").build_on, timedelta(0))


def test_software_of_one_system_passes_over_the_builds_of_another(lapsed):
    files = [file for item in items_of(lapsed) if (file := item.find("enclosure")) is not None]
    assert sorted(file.attrib[f"{SPARKLE}os"] for file in files) == ["macos", "windows"]


def test_the_newest_that_does_not_run_is_on_a_channel_of_its_own_without_a_file(lapsed, today):
    newest = items_of(lapsed, platform="macOS")[0]
    assert newest.findtext(f"{SPARKLE}version") == "8.1"
    assert newest.findtext(f"{SPARKLE}channel") == "needs-sma"
    assert newest.find(f"{SPARKLE}informationalUpdate") is not None
    assert newest.find("enclosure") is None
    assert newest.findtext("link") == "http://127.0.0.1:8000/my/renew/?dongle=300001&years=1"
    assert newest.findtext(f"{SMA}needsSmaTo") == world.year_from(today).isoformat()


def test_notes_are_text_in_the_appcast_and_what_xml_can_not_hold_is_left_out(lapsed):
    Release.objects.update(notes="<b>]]>&\x0b\x1fdone")
    assert items_of(lapsed)[0].findtext("description") == "<p>&lt;b&gt;]]&gt;&amp;done</p>"


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_who_has_it_already_gets_a_304_until_something_changes(lapsed, kind):
    first = Client().get(path_of(lapsed, kind))
    assert first["Cache-Control"] == "private, max-age=3600"
    again = Client().get(path_of(lapsed, kind), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Release.objects.filter(version="8.0").update(notes="Corrected")
    assert Client().get(path_of(lapsed, kind), headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_it_takes_five_queries(lapsed, kind):
    address = path_of(lapsed, kind)
    with CaptureQueriesContext(connection) as asked:
        assert Client().get(address).status_code == 200
    assert len(asked) == 5


# Its address


def wrong_addresses(dongle):
    right = path_of(dongle)
    token = right.split("/")[3].removesuffix(".json")
    return [
        right.replace(token, feeds.feed_token("300002", 0)),
        right.replace(token, token[:-1]),
        right.replace("300001", "999999"),
        f"/feeds/999999/{feeds.feed_token('999999', 0)}.json",
        right.replace(".json", "/files/0/"),
    ]


def test_a_wrong_token_and_an_unknown_serial_answer_alike(lapsed):
    answers = [Client().get(address) for address in wrong_addresses(lapsed)]
    alike = {(each.status_code, each.content, json.dumps(dict(each.headers))) for each in answers}
    assert len(alike) == 1
    assert answers[0].status_code == 404


@pytest.mark.parametrize("state", ["lost", "retired"])
def test_a_dongle_that_is_not_in_use_has_no_feed(lapsed, state):
    address = path_of(lapsed)
    Dongle.objects.update(state=state)
    assert Client().get(address).status_code == 404


def test_an_unknown_serial_costs_what_a_wrong_token_costs(lapsed):
    """One query each, and none more for a serial that is on record."""
    costs = []
    for address in wrong_addresses(lapsed)[:3]:
        with CaptureQueriesContext(connection) as asked:
            Client().get(address)
        costs.append(len(asked))
    assert costs == [1, 1, 1]


def test_the_customer_makes_new_addresses_and_the_old_ones_end(owner, dongle):
    before = path_of(dongle)
    page = owner.get("/my/downloads/").content.decode()
    assert f"http://127.0.0.1:8000{before}" in page
    answer = owner.post(f"/my/downloads/{dongle.serial}/addresses/", follow=True)
    assert "has new addresses for its update check" in answer.content.decode()
    assert f"http://127.0.0.1:8000{path_of(dongle)}" in answer.content.decode()
    assert Client().get(before).status_code == 404
    assert Client().get(path_of(dongle)).status_code == 200
    event = AuditEvent.objects.get(action="renew_feed")
    assert (event.before, event.after) == ({"feed_generation": 0}, {"feed_generation": 1})


def test_staff_who_sells_makes_them_too_and_finance_does_not(sales, finance, dongle):
    address, before = f"/dongles/{dongle.serial}/feed/", path_of(dongle)
    assert before in sales.get(address).content.decode()
    assert finance.post(address).status_code == 403
    assert path_of(dongle) == before
    assert sales.post(address).url == address
    assert path_of(dongle) != before


def test_a_dongle_that_is_handed_on_gets_new_addresses(dongle, today):
    before = path_of(dongle)
    other = world.make_customer("Another institute")
    transfer_dongle(dongle=dongle, customer=other, reason="Sold", actor=world.SALES, at=world.at(today))
    assert Client().get(before).status_code == 404
    assert Client().get(path_of(dongle)).status_code == 200
