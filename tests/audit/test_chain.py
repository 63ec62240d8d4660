"""The chain over the audit trail: what was altered, removed, slipped in or swapped shows, and where."""

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from portal import audit_chain, tasks
from portal.audit import Actor, Deed, record
from portal.audit_chain import FIRST, chain_findings, newest_link, seal_events
from portal.models import AuditEvent, AuditLink, Customer, UnsealedEvent
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def write_events(count: int = 5) -> list[int]:
    """Events of one customer, one after the other; their ids."""
    customer = Customer.objects.first() or world.make_customer()
    deeds = (Deed("change", customer, {"name": f"Name {i}"}, {"name": f"Name {i + 1}"}) for i in range(count))
    record(world.SALES, world.at("2026-03-01"), *deeds)
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))[-count:]


def tamper(*statements: str) -> None:
    """What somebody can do who owns the database: the triggers are off meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("portal_auditevent", "portal_auditlink"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in ("portal_auditevent", "portal_auditlink"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found(**asked) -> list[tuple[str, list[int]]]:
    """The kinds of findings, with the numbers that their sentences name."""
    findings = chain_findings(at=timezone.now(), **asked)
    return [(each.kind, [int(number) for number in re.findall(r"\b\d+\b", each.sentence)]) for each in findings]


def sealed(count: int = 5) -> list[int]:
    events = write_events(count)
    assert seal_events() == count
    assert found() == []
    return events


# Sealing


def test_each_event_gets_a_link_and_each_link_continues_the_one_before():
    events = sealed(7)
    links = list(AuditLink.objects.order_by("position"))
    assert [link.position for link in links] == [1, 2, 3, 4, 5, 6, 7]
    assert [link.event_id for link in links] == events
    assert len({link.hash for link in links}) == 7
    assert not UnsealedEvent.objects.exists()
    assert seal_events() == 0


def test_the_hash_is_the_documented_one():
    """Written out by hand, so that it can be checked by any other program and on any PostgreSQL."""
    customer = world.make_customer()
    deed = Deed("change", customer, {"b": 1, "aa": [True, None]}, {"name": 'Ü "x" \\ \n'}, "Because … 1.10")
    record(Actor("Über\x7f"), NOON, deed)
    event = AuditEvent.objects.get()
    seal_events()
    text = (
        f'["{event.pk}","2026-03-01T12:00:00.000005Z",null,"Über\x7f","change","customer","{customer.pk}",'
        r'"{\"b\": 1, \"aa\": [true, null]}","{\"name\": \"Ü \\\"x\\\" \\\\ \\n\"}","Because … 1.10"]'
    )
    assert AuditLink.objects.get().hash == sha256(f"{FIRST}\n{text}".encode()).hexdigest()


def test_every_column_of_an_event_is_in_the_hash():
    """A column that is added later has to come in, from a position on."""
    named = set(re.findall(r"event\.(\w+)", audit_chain.EVENT))
    assert named == {field.column for field in AuditEvent._meta.concrete_fields}


def test_many_events_are_sealed_in_batches():
    events = write_events(10)
    assert seal_events(batch=3) == 10
    assert list(AuditLink.objects.order_by("position").values_list("event", flat=True)) == events
    assert found() == []


def test_what_a_process_that_died_before_sealing_left_is_sealed_by_the_next():
    """The row that says that an event is unsealed commits with the event, so nothing has to be remembered."""
    events = write_events(3)
    assert sorted(UnsealedEvent.objects.values_list("event", flat=True)) == events
    assert found() == []
    tasks.seal_audit_trail()
    assert list(AuditLink.objects.order_by("position").values_list("event", flat=True)) == events


def test_an_event_that_was_rolled_back_leaves_no_gap():
    sealed(2)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write_events(1)
        raise ZeroDivisionError
    write_events(1)
    seal_events()
    assert list(AuditLink.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3]
    assert found() == []


def test_links_only_grow():
    sealed(1)
    for statement in ("UPDATE portal_auditlink SET hash = ''", "DELETE FROM portal_auditlink"):
        with pytest.raises(IntegrityError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# Damage

ALTERATIONS = {
    "at": "at + interval '1 microsecond'",
    "actor_id": "(SELECT min(id) FROM portal_user)",
    "actor_name": "'Somebody else'",
    "action": "'create'",
    "subject_kind": "'contact'",
    "subject_id": "subject_id + 1",
    "before": '\'{"name": "Name 9"}\'',
    "after": "after || '{\"more\": null}'",
    "reason": "' '",
}


@pytest.mark.parametrize("column", ALTERATIONS)
def test_an_altered_event_is_found_whatever_was_altered(column):
    world.make_user()
    events = sealed()
    tamper(f"UPDATE portal_auditevent SET {column} = {ALTERATIONS[column]} WHERE id = {events[2]}")
    assert found() == [("altered", [events[2], 3])]


def test_every_column_but_the_id_is_altered_above():
    columns = {field.column for field in AuditEvent._meta.concrete_fields}
    assert set(ALTERATIONS) == columns - {"id"}


def test_an_event_removed_from_the_middle_is_found():
    events = sealed()
    tamper(f"DELETE FROM portal_auditevent WHERE id = {events[2]}")
    assert found() == [("removed", [events[2], 3])]


def test_an_event_removed_with_its_link_leaves_a_gap():
    events = sealed()
    tamper(f"DELETE FROM portal_auditevent WHERE id = {events[2]}", "DELETE FROM portal_auditlink WHERE position = 3")
    assert found() == [("removed", [4, 2])]


def test_a_gap_that_is_closed_up_does_not_fit():
    events = sealed()
    tamper(
        f"DELETE FROM portal_auditevent WHERE id = {events[2]}",
        "DELETE FROM portal_auditlink WHERE position = 3",
        "UPDATE portal_auditlink SET position = 3 WHERE position = 4",
        "UPDATE portal_auditlink SET position = 4 WHERE position = 5",
    )
    assert found() == [("altered", [events[3], 3])]


def test_the_last_event_removed_alone_leaves_a_link_without_event():
    events = sealed()
    tamper(f"DELETE FROM portal_auditevent WHERE id = {events[-1]}")
    assert found() == [("removed", [events[-1], 5])]


def test_an_end_cut_off_with_its_links_is_found_by_a_noted_hash():
    events = sealed()
    noted = newest_link().hash
    tamper(f"DELETE FROM portal_auditevent WHERE id >= {events[3]}", "DELETE FROM portal_auditlink WHERE position >= 4")
    assert found() == []
    assert found(expect=noted)[0][0] == "cut"


def test_a_hash_noted_earlier_is_still_in_a_chain_that_has_grown():
    sealed(3)
    noted = newest_link().hash
    write_events(2)
    seal_events()
    assert found(expect=noted) == []


def test_a_trail_that_was_written_anew_is_found_by_a_noted_hash():
    events = sealed()
    noted = newest_link().hash
    tamper(
        f"UPDATE portal_auditevent SET actor_name = 'Nobody' WHERE id = {events[1]}",
        "DELETE FROM portal_auditlink",
        "INSERT INTO portal_unsealedevent SELECT id, now() FROM portal_auditevent",
    )
    seal_events()
    assert found() == []
    assert found(expect=noted)[0][0] == "cut"


def test_an_altered_event_whose_link_was_made_to_fit_breaks_the_next():
    events = sealed()
    tamper(f"UPDATE portal_auditevent SET reason = 'forged' WHERE id = {events[1]}")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {audit_chain.EVENT} FROM portal_auditevent event WHERE id = %s", [events[1]])
        fitting = audit_chain.link_hash(AuditLink.objects.get(position=1).hash, cursor.fetchone())
    tamper(f"UPDATE portal_auditlink SET hash = '{fitting}' WHERE position = 2")
    assert found() == [("altered", [events[2], 3])]


FORGED = """
    INSERT INTO portal_auditevent (id, at, actor_name, action, subject_kind, subject_id, before, after, reason)
    VALUES ({}, '2026-01-01', 'Sales', 'accept', 'order', 1, '{{}}', '{{}}', '')"""


def test_an_event_slipped_in_past_the_trigger_is_found():
    events = sealed()
    tamper(FORGED.format(events[-1] + 1))
    assert found() == [("unchained", [events[-1] + 1])]


def test_an_event_slipped_in_for_one_that_was_removed_is_found():
    events = sealed()
    tamper(f"DELETE FROM portal_auditevent WHERE id = {events[2]}", FORGED.format(events[2]))
    assert found() == [("altered", [events[2], 3])]


def test_two_events_that_were_swapped_are_found():
    first, second = sealed()[1:3]
    content = "at, actor_id, actor_name, action, subject_kind, subject_id, before, after, reason"
    tamper(
        f"UPDATE portal_auditevent mine SET ({content}) = (SELECT {content} FROM portal_auditevent other"
        f" WHERE other.id = {first} + {second} - mine.id) WHERE id IN ({first}, {second})"
    )
    assert found() == [("altered", [first, 2]), ("altered", [second, 3])]


def test_two_links_that_were_swapped_are_found():
    first, second = sealed()[1:3]
    tamper(
        f"UPDATE portal_auditlink SET event_id = -1 WHERE event_id = {first}",
        f"UPDATE portal_auditlink SET event_id = {first} WHERE event_id = {second}",
        f"UPDATE portal_auditlink SET event_id = {second} WHERE event_id = -1",
    )
    assert found() == [("altered", [second, 2]), ("altered", [first, 3])]


def test_an_event_removed_before_it_was_sealed_is_found():
    events = write_events()
    tamper(f"DELETE FROM portal_auditevent WHERE id = {events[0]}")
    assert found() == [("removed", [events[0]])]
    assert seal_events() == 4
    assert found() == [("removed", [events[0]])]


def test_an_event_that_nobody_seals_for_long_is_found():
    events = write_events(1)
    assert found() == []
    assert [each.kind for each in chain_findings(at=timezone.now() + timedelta(minutes=6))] == ["waiting"]
    assert str(events[0]) in next(chain_findings(at=timezone.now() + timedelta(minutes=6))).sentence


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3)), min_size=1, max_size=4), st.data())
def test_whatever_is_recorded_the_chain_holds_and_any_one_alteration_breaks_it(db, deeds, data):
    with transaction.atomic():
        customer = world.make_customer()
        record(world.SALES, NOON, *(Deed("change", customer, values, values, reason) for reason, values in deeds))
        count = seal_events()
        assert count == len(deeds)
        assert found() == []
        place = data.draw(st.integers(1, count))
        event = AuditLink.objects.get(position=place).event_id
        column = data.draw(st.sampled_from(["reason", "before", "after"]))
        value = "reason || 'x'" if column == "reason" else f"""jsonb_build_object('was', "{column}")"""
        tamper(f"UPDATE portal_auditevent SET {column} = {value} WHERE id = {event}")
        assert found() == [("altered", [event, place])]
        transaction.set_rollback(True)


# Several at once


@pytest.mark.django_db(transaction=True)
def test_of_several_sealers_at_once_none_fails_and_each_event_is_sealed_once():
    write_events(300)
    results = at_once([seal_events] * 6)
    assert [result for result in results if isinstance(result, Exception)] == []
    seal_events()
    assert AuditLink.objects.count() == 300
    assert found() == []


def without_the_lock(execute, sql, params, many, context):
    """Seals without waiting for the others, and leaves them time to come in between."""
    if "pg_try_advisory_xact_lock" in sql:
        return execute("SELECT true", [], many, context)
    if sql.startswith("INSERT INTO"):
        time.sleep(0.1)
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_sealers_get_into_each_others_way():
    write_events(20)

    def seal_unlocked():
        with connection.execute_wrapper(without_the_lock):
            return seal_events()

    results = at_once([seal_unlocked] * 4)
    assert any(isinstance(result, IntegrityError) for result in results), results


@pytest.mark.django_db(transaction=True)
def test_an_event_whose_transaction_commits_late_is_sealed_after_younger_ones():
    """Ids are given when an event is written; it is seen when its transaction commits."""
    customer = world.make_customer()
    is_written, may_commit = threading.Event(), threading.Event()

    def write_slowly():
        try:
            with transaction.atomic():
                record(world.SALES, NOON, Deed("change", customer, reason="slow"))
                is_written.set()
                may_commit.wait(30)
        finally:
            connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    is_written.wait(30)
    record(world.SALES, NOON, Deed("change", customer, reason="quick"))
    assert seal_events() == 1
    may_commit.set()
    slow.join()
    assert seal_events() == 1
    reasons = list(AuditLink.objects.order_by("position").values_list("event__reason", flat=True))
    assert reasons == ["quick", "slow"]
    assert found() == []


# manage.py audit


def audit(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_how_many_are_sealed_and_the_newest_hash():
    sealed(3)
    write_events(2)
    said = audit()
    assert said.startswith("3 sealed, 2 waiting to be.")
    assert newest_link().hash in said
    assert "The audit trail is whole." in said
    assert "whole" in audit("--expect", newest_link().hash.upper())


def test_the_command_fails_on_damage_and_names_it():
    events = sealed()
    tamper(f"UPDATE portal_auditevent SET reason = 'forged' WHERE id = {events[1]}")
    out = StringIO()
    with pytest.raises(CommandError, match="damaged: 1 finding") as error:
        call_command("audit", stdout=out)
    assert error.value.returncode == 1
    assert f"Event {events[1]} at position 2 was altered, or its link was." in out.getvalue()
    with pytest.raises(CommandError, match="damaged: 2 findings"):
        call_command("audit", "--expect", "0123", stdout=out)


def test_an_empty_trail_is_whole():
    assert FIRST in audit()
