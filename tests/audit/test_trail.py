"""The list of who did what: filters, pages, names and links; its file, at once and as long work."""

import csv
import io
from datetime import date, timedelta
from itertools import chain

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dongles.services import withdraw_licence
from portal import outbox, trail
from portal.audit import Actor, Deed, record
from portal.audit_chain import newest_link, seal_events
from portal.models import AuditEvent, Customer, Job
from portal.trail import TrailFilters, events_matching, history_of, read_page
from portal.web.audit import STREAMED_TO
from tests import world
from tests.web.conftest import client_of

pytestmark = pytest.mark.django_db
LIST = "/audit/"
REMINDERS = Actor("Reminders")


@pytest.fixture
def sales(db):
    return client_of("sales")


def found(**asked) -> list[str]:
    return [event.reason for event in events_matching(TrailFilters(**asked)).order_by("-at", "-id")]


def write(customer: Customer, *deeds: tuple[str, str, str]) -> None:
    """Events of these days, actions and reasons."""
    for day, action, reason in deeds:
        record(REMINDERS, world.at(day), Deed(action, customer, after={"name": "X"}, reason=reason))


# Filters


def test_the_list_is_filtered_by_each_of_who_what_kind_day_and_reason():
    customer = world.make_customer()
    write(customer, ("2026-01-01", "change", "first"), ("2026-01-02", "create", "second"))
    record(Actor("Sam"), world.at("2026-01-03"), Deed("log_in", world.make_user(), reason="third, 100% sure"))
    assert found() == ["third, 100% sure", "second", "first"]
    assert found(who="Sam") == ["third, 100% sure"]
    assert found(action="create") == ["second"]
    assert found(kind="user") == ["third, 100% sure"]
    assert found(from_on=date(2026, 1, 2)) == ["third, 100% sure", "second"]
    assert found(to_on=date(2026, 1, 2)) == ["second", "first"]
    assert found(from_on=date(2026, 1, 2), to_on=date(2026, 1, 2)) == ["second"]
    assert found(reason="IRS") == ["first"]
    assert found(reason="0%") == ["third, 100% sure"]
    assert found(who="Sam", action="create") == []


def test_days_are_those_of_the_business_time_zone():
    """In London's summer the day begins at 23:00 UTC."""
    customer = world.make_customer()
    record(REMINDERS, world.at("2026-07-01", hour=0), Deed("change", customer, reason="at midnight"))
    assert found(from_on=date(2026, 7, 1)) == ["at midnight"]
    assert found(to_on=date(2026, 6, 30)) == []


def test_an_object_is_found_by_what_people_call_it(dongle):
    order = world.sell(dongle, "2026-02-01")
    version = order.version

    def kinds(text, kind=""):
        return sorted(set(events_matching(TrailFilters(number=text, kind=kind)).values_list("subject_kind", flat=True)))

    assert kinds("104233") == ["licence", "unlockcode"]
    assert kinds("104-233", "unlockcode") == ["unlockcode"]
    assert kinds(order.number) == ["order"]
    assert kinds(version.quote.number.lower()) == ["quoteversion"]
    assert kinds("Q-999999") == []
    assert kinds("104233", "order") == []
    for hostile in ("'; --", "%", "Q-" + "9" * 40, "٣", "\\", "O-1 OR 1=1"):
        assert kinds(hostile) == []


# Pages


def walk(events, length) -> list[list[int]]:
    pages, older = [], ""
    while True:
        page = read_page(events, length, older=older)
        pages.append([event.pk for event in page.events])
        if not page.older:
            return pages
        older = page.older


def test_pages_go_to_the_end_and_back_without_gap_or_double_also_at_the_same_moment():
    customer = world.make_customer()
    write(customer, *[("2026-01-01", "change", str(i)) for i in range(7)], ("2025-12-31", "change", "earlier"))
    events = AuditEvent.objects.all()
    all_of_them = list(events.order_by("-at", "-id").values_list("pk", flat=True))
    pages = walk(events, 3)
    assert [len(page) for page in pages] == [3, 3, 2]
    assert list(chain.from_iterable(pages)) == all_of_them
    last = read_page(events, 3, older=read_page(events, 3, older=read_page(events, 3).older).older)
    assert (last.older, bool(last.newer)) == ("", True)
    middle = read_page(events, 3, newer=last.newer)
    assert [event.pk for event in middle.events] == pages[1]
    first = read_page(events, 3, newer=middle.newer)
    assert [event.pk for event in first.events] == pages[0]
    assert first.newer == ""


@pytest.mark.parametrize("place", ["x", "1-2-3", "-1-2", "9" * 30 + "-1", "1-" + "9" * 30, "٣-٣", " "])
def test_a_place_that_is_none_shows_the_newest(sales, place):
    write(world.make_customer(), ("2026-01-01", "change", "here"))
    assert "here" in sales.get(LIST, {"older": place}).content.decode()
    assert "here" in sales.get(LIST, {"newer": place}).content.decode()


def test_the_page_takes_a_fixed_number_of_queries(sales, dongle):
    """One for each kind of object on it, however many objects."""

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert sales.get(LIST).status_code == 200
        return len(counted)

    world.sell(dongle, "2026-02-01")
    few = queries()
    for number in range(5):
        world.sell(world.make_dongle(f"20423{number}", dongle.customer), "2026-02-01")
    assert queries() == few


def test_every_name_of_an_actor_is_offered_once():
    customer = world.make_customer()
    assert trail.actor_names() == []
    for name in ("Sam", "Ada", "Sam", "Portal"):
        record(Actor(name), world.at("2026-01-01"), Deed("change", customer))
    assert sorted(trail.actor_names()) == ["Ada", "Portal", "Sam"]


# The page


def test_a_row_says_who_what_to_which_object_and_what_changed(sales, dongle):
    order = world.sell(dongle, "2026-02-01")
    page = sales.get(LIST, {"number": order.number}).content.decode()
    assert "Order fulfilled" in page
    assert f'Order <a href="{reverse("renewals:order", args=[order.pk])}">{order.number}</a>' in page
    assert "<dt>State</dt><dd><del>Accepted</del> → Fulfilled</dd>" in page
    licences = sales.get(LIST, {"kind": "licence", "number": "104233"}).content.decode()
    assert "SMA period added" in licences
    assert f'href="{reverse("renewals:dongle", args=["104233"])}">Volocity Visualisation on 104233</a>' in licences


def test_what_was_typed_somewhere_is_text_on_the_page(sales):
    customer = world.make_customer("<script>alert(1)</script>")
    record(Actor("<b>Sam"), world.at("2026-01-01"), Deed("change", customer, {"<i>": "<i>"}, {}, "<u>because"))
    page = sales.get(LIST).content.decode()
    for text in ("<script>alert", "<b>Sam", "<i>", "<u>because"):
        assert text not in page


def test_pages_of_the_back_office_are_linked_for_those_who_may_enter(sales):
    user = world.make_user("finance")
    record(REMINDERS, world.at("2026-01-01"), Deed("change", user))
    address = reverse("admin:portal_user_change", args=[user.pk])
    assert address not in sales.get(LIST).content.decode()
    assert address in client_of("administrator").get(LIST).content.decode()


def test_an_object_that_is_gone_is_named_by_its_number(sales):
    customer = Customer.objects.create(name="Gone", country="DE", currency="EUR")
    write(customer, ("2026-01-01", "delete", "a double"))
    number = customer.pk
    customer.delete()
    assert f"Customer number {number}, deleted" in sales.get(LIST).content.decode()


def test_filters_that_are_refused_are_told_and_left_out(sales):
    write(world.make_customer(), ("2026-01-01", "change", "here"))
    answer = sales.get(LIST, {"who": "Nobody", "from_on": "yesterday"})
    assert answer.status_code == 422
    assert "“Nobody” is not known here" in answer.content.decode()
    assert "here" in answer.content.decode()


def test_an_empty_trail_and_an_empty_choice_say_what_to_do(sales):
    assert "No events here" in sales.get(LIST).content.decode()
    assert "No event fits these filters" in sales.get(LIST, {"reason": "nothing"}).content.decode()


# Histories of objects


def test_the_history_of_objects_is_told_newest_first(dongle):
    licences = list(dongle.licences.all())
    for licence in licences:
        withdraw_licence(licence=licence, reason="Not used", actor=world.SALES, at=world.at("2026-02-01"))
    told = history_of(*licences)
    assert [(each.what, each.event.subject_id) for each in told] == [
        ("Withdrawn", licences[1].pk),
        ("Withdrawn", licences[0].pk),
    ]
    assert [change.after for change in told[0].changes] == ["1 Feb 2026"]
    assert history_of() == []


def test_a_dongle_has_a_history_with_its_licences_and_codes(sales, dongle):
    world.sell(dongle, "2026-02-01")
    world.sell(world.make_dongle("204233", dongle.customer), "2026-02-01")
    page = sales.get(reverse("dongles:history", args=["104233"])).content.decode()
    assert page.count("SMA period added") == 2
    assert "Unlock code issued" in page
    assert "204233" not in page
    assert sales.get(reverse("dongles:history", args=["999999"])).status_code == 404
    assert reverse("dongles:history", args=["104233"]) in sales.get("/dongles/104233/").content.decode()


def test_a_code_has_its_history(sales, dongle):
    order = world.sell(dongle, "2026-02-01")
    code = order.version.dongles.get().dongle.codes.get()
    assert "Unlock code issued" in sales.get(reverse("dongles:code", args=[code.pk])).content.decode()


# The file


def rows_of(content: str) -> list[dict[str, str]]:
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content[1:])))


def test_the_file_holds_what_is_filtered_with_its_place_in_the_chain(sales, dongle):
    order = world.sell(dongle, "2026-02-01")
    seal_events()
    answer = sales.get("/audit/audit.csv", {"number": order.number})
    rows = rows_of(answer.getvalue().decode())
    assert [row["What"] for row in rows] == ["Order fulfilled", "Order placed"]
    first = rows[0]
    assert (first["Who"], first["Kind"], first["Object"]) == ("Sales", "Order", order.number)
    assert first["When (UTC)"] == "2026-02-01 12:00:00"
    assert first["Before"] == '{"state": "accepted"}'
    everything = rows_of(sales.get("/audit/audit.csv").getvalue().decode())
    assert max(int(row["Position in the chain"]) for row in everything) == newest_link().position
    assert newest_link().hash in {row["Hash"] for row in everything}
    assert "attachment" in answer["Content-Disposition"]


def test_nothing_in_the_file_becomes_a_formula(sales):
    customer = world.make_customer("=HYPERLINK(1)")
    record(Actor("+Sam"), world.at("2026-01-01"), Deed("change", customer, reason="@SUM(1)"))
    row = rows_of(sales.get("/audit/audit.csv").getvalue().decode())[0]
    assert (row["Who"], row["Object"], row["Reason"]) == ("'+Sam", "'=HYPERLINK(1)", "'@SUM(1)")


def many(count: int) -> None:
    customer = world.make_customer()
    moment = world.at("2026-01-01")
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=moment + timedelta(seconds=number // 3),  # three at each moment
            actor_name="Sam" if number % 2 else "Ada",
            action="change",
            subject_kind="customer",
            subject_id=customer.pk,
            after={"name": f"Name {number}"},
            reason=f"number {number}",
        )
        for number in range(count)
    )


def test_a_large_file_is_written_as_long_work_whole_and_in_order(sales):
    many(STREAMED_TO + 345)
    page = sales.get(LIST).content.decode()
    assert "More than 10,000 events" in page
    assert "/audit/audit.csv" not in page
    refused = sales.get("/audit/audit.csv")
    assert refused.status_code == 302
    assert refused.url.startswith(LIST)
    answer = sales.post("/audit/export/", {"reason": "number"})
    job = Job.objects.get()
    assert answer.url == reverse("job", args=[job.pk])
    slices = 0
    while outbox.drain():
        slices += 1
    assert slices > 1
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 10_345, 10_345)
    content = b"".join(sales.get(reverse("job_file", args=[job.pk, "audit.csv"])).streaming_content).decode()
    assert content.count("\ufeff") == 1
    rows = rows_of(content)
    assert [row["Reason"] for row in rows] == [f"number {number}" for number in reversed(range(10_345))]


def test_the_long_work_keeps_to_its_filters(sales):
    many(100)
    sales.post("/audit/export/", {"who": "Ada", "from_on": "2026-01-01", "to_on": "2026-01-01", "action": "change"})
    while outbox.drain():
        pass
    job = Job.objects.get()
    assert (job.state, job.done, job.refusal) == ("done", 50, "")


def test_an_export_that_can_not_be_filtered_is_told_on_the_page(sales):
    answer = sales.post("/audit/export/", {"who": "Nobody"})
    assert answer.url == "/audit/?who=Nobody"
    assert not Job.objects.exists()
