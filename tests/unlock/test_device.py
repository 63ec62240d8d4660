"""The simulated dongle: the order of its checks, whatever is done to a code, and its whole life."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dongles.unlock import Outcome, apply, apply_bytes, parse, sign, to_letters
from dongles.unlock.codec import KEY, PAIR
from dongles.unlock.signing import message_for
from tests.unlock.keys import ROOT, SLOT, STRANGER, fresh, public, record, records

CODE = sign(record(), SLOT)
TEXT = to_letters(CODE)
REFUSED = set(Outcome) - {Outcome.APPLIED, Outcome.ALREADY_APPLIED}


def outcome_of(state, key=SLOT, **fields):
    return apply_bytes(state, sign(record(**fields), key))


def test_a_good_code_sets_everything():
    outcome, state = apply(fresh(), TEXT)
    assert outcome == Outcome.APPLIED
    assert (state.sequence, state.expiry_on, state.licences) == (1, date(2027, 3, 31), ((101, 1), (102, 3)))


def test_the_same_code_again_changes_nothing_and_succeeds():
    _, state = apply(fresh(), TEXT)
    assert apply(state, TEXT) == (Outcome.ALREADY_APPLIED, state)


def test_an_earlier_date_is_applied_too():
    _, state = outcome_of(fresh())
    outcome, lowered = outcome_of(state, sequence=2, expiry_on=date(2020, 1, 1))
    assert (outcome, lowered.expiry_on) == (Outcome.APPLIED, date(2020, 1, 1))


@pytest.mark.parametrize(
    ("fields", "key", "outcome"),
    [
        ({"serial": "104234"}, SLOT, Outcome.WRONG_DONGLE),
        ({"slot": 7}, SLOT, Outcome.UNKNOWN_KEY),
        ({}, STRANGER, Outcome.BAD_SIGNATURE),
        ({"sequence": 5}, SLOT, Outcome.SUPERSEDED),
        ({"sequence": 4}, SLOT, Outcome.SUPERSEDED),
        ({"generation": 1, "sequence": 9}, SLOT, Outcome.SUPERSEDED),
        ({"generation": 3, "sequence": 1}, SLOT, Outcome.OUT_OF_ORDER),
        ({"slot": 255, "generation": 2, "sequence": 9}, ROOT, Outcome.SUPERSEDED),
        ({"slot": 255, "generation": 3, "sequence": 1}, ROOT, Outcome.APPLIED),
        ({"slot": 255, "generation": 9, "sequence": 1}, SLOT, Outcome.BAD_SIGNATURE),
        ({"sequence": 6, "generation": 2}, SLOT, Outcome.APPLIED),
    ],
)
def test_each_check_has_its_outcome(fields, key, outcome):
    state = fresh()._replace(generation=2, sequence=5)
    got, after = outcome_of(state, key, **({"generation": 2} | fields))
    assert got == outcome
    assert (after == state) == (outcome != Outcome.APPLIED)


def test_a_key_code_fills_a_slot_and_leaves_date_and_licences():
    _, state = outcome_of(fresh())
    fields = {
        "operation": KEY,
        "slot": 255,
        "generation": 1,
        "licences": (),
        "new_slot": 3,
        "new_key": public(STRANGER),
    }
    outcome, after = outcome_of(state, ROOT, **fields)
    assert outcome == Outcome.APPLIED
    assert after.slots == {0: public(SLOT), 3: public(STRANGER)}
    assert (after.expiry_on, after.licences, after.generation) == (state.expiry_on, state.licences, 1)
    # what a thief signed in the old generation is superseded, the new key works
    assert outcome_of(after, sequence=9)[0] == Outcome.SUPERSEDED
    assert outcome_of(after, STRANGER, slot=3, generation=1, sequence=2)[0] == Outcome.APPLIED


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, bytes.fromhex("ec" + "ff" * 30 + "7f")])
def test_a_key_that_is_none_verifies_nothing(key):
    state = fresh()._replace(slots={0: key})
    outcome, after = apply(state, TEXT)
    assert (outcome, after) == (Outcome.BAD_SIGNATURE, state)


@settings(max_examples=300)
@given(st.data())
def test_any_change_of_a_codes_bytes_is_refused_with_a_named_outcome(data):
    code = bytearray(CODE)
    for _ in range(data.draw(st.integers(1, 4))):
        how = data.draw(st.sampled_from(["flip", "cut", "add", "swap"]))
        place = data.draw(st.integers(0, len(code) - 1))
        if how == "flip":
            code[place] ^= data.draw(st.integers(1, 255))
        elif how == "cut" and len(code) > 1:
            del code[place]
        elif how == "add":
            code.insert(place, data.draw(st.integers(0, 255)))
        else:
            code[0], code[place] = code[place], code[0]
    changed = bytes(code)
    if changed == CODE:
        return
    for outcome, after in (apply_bytes(fresh(), changed), apply(fresh(), to_letters(changed))):
        assert outcome in REFUSED
        assert after == fresh()


@settings(max_examples=300)
@given(st.one_of(st.text(), st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ -\n"), st.binary().map(repr)))
def test_any_text_is_refused_with_a_named_outcome(text):
    outcome, after = apply(fresh(), text)
    assert (outcome, after) == (Outcome.MALFORMED, fresh())


def changed_once(draw, text: str) -> str:
    """One thing that happens to letters on their way: mistyped, left out, put in, swapped, moved, cut short."""
    place, other = draw(st.integers(0, len(text) - 1)), draw(st.integers(0, len(text) - 1))
    how = draw(st.sampled_from(["letter", "insert", "drop", "neighbours", "swap", "rows", "cut", "again"]))
    if how in ("letter", "insert"):
        letter = draw(st.one_of(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZU"), st.characters()))
        return text[:place] + letter + text[place + (how == "letter") :]
    if how == "drop":
        return text[:place] + text[place + 1 :]
    if how in ("neighbours", "swap"):
        letters = list(text)
        other = min(place + 1, len(text) - 1) if how == "neighbours" else other
        letters[place], letters[other] = letters[other], letters[place]
        return "".join(letters)
    if how == "rows":
        rows = [text[start : start + 18] for start in range(0, len(text), 18)]
        rows[place // 18], rows[other // 18] = rows[other // 18], rows[place // 18]
        return "".join(rows)
    return text[: place + 1] if how == "cut" else text + text[place:]


@settings(max_examples=500)
@given(st.data())
def test_any_change_of_the_letters_is_refused_with_a_named_outcome(data):
    changed = TEXT
    for _ in range(data.draw(st.integers(1, 3))):
        changed = changed_once(data.draw, changed)
    # what is left once separators are skipped and look-alikes are read, by the document's words
    bare = re.sub(r"[ \t\r\n-]", "", changed).upper() if changed.isascii() else changed
    outcome, after = apply(fresh(), changed)
    if bare.replace("I", "1").replace("L", "1").replace("O", "0") == TEXT:
        assert outcome == Outcome.APPLIED
    else:
        assert outcome in REFUSED
        assert after == fresh()


@settings(max_examples=100)
@given(records)
def test_bytes_with_a_good_signature_but_unsorted_products_are_malformed(given_record):
    if len(given_record.licences) < 2:
        return
    body = sign(given_record, SLOT)[:-64]
    first, second = (PAIR.pack(*licence) for licence in given_record.licences[:2])
    unsorted = body.replace(first + second, second + first, 1)
    code = unsorted + SLOT.sign(message_for(given_record.serial, unsorted))
    assert apply_bytes(fresh(given_record.serial), code)[0] == Outcome.MALFORMED


class LifeOfADongle(RuleBasedStateMachine):
    """Whatever codes come in whatever order: numbers only rise, and the state is that of the last code applied.

    What should happen is told by a second account of the rules, kept as simple as the document's words.
    """

    def __init__(self):
        super().__init__()
        self.state = fresh()
        self.keys = {0: SLOT, 255: ROOT}
        self.applied = []

    def take(self, key, **fields):
        given_record = record(**fields)
        code, before = sign(given_record, key), self.state
        outcome, self.state = apply_bytes(before, code)
        slot, generation, sequence = given_record.slot, given_record.generation, given_record.sequence
        if slot not in self.keys:
            expected = Outcome.UNKNOWN_KEY
        elif self.keys[slot] is not key:
            expected = Outcome.BAD_SIGNATURE
        elif self.applied and code == self.applied[-1]:
            expected = Outcome.ALREADY_APPLIED
        elif slot == 255:
            expected = Outcome.APPLIED if generation > before.generation else Outcome.SUPERSEDED
        elif generation > before.generation:
            expected = Outcome.OUT_OF_ORDER
        elif generation == before.generation and sequence > before.sequence:
            expected = Outcome.APPLIED
        else:
            expected = Outcome.SUPERSEDED
        assert outcome == expected
        if outcome == Outcome.APPLIED:
            self.applied.append(code)
        else:
            assert self.state == before
        return outcome == Outcome.APPLIED

    @rule(
        slot=st.sampled_from([0, 1, 2, 255]),
        key=st.sampled_from([SLOT, ROOT, STRANGER]),
        ahead=st.integers(-1, 1),
        sequence=st.integers(1, 6),
        expiry=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        seats=st.integers(1, 3),
    )
    def a_set_code(self, slot, key, ahead, sequence, expiry, seats):
        generation = max(0, min(255, self.state.generation + ahead))
        fields = {"generation": generation, "sequence": sequence, "expiry_on": expiry, "licences": ((101, seats),)}
        before = self.state
        if self.take(key, slot=slot, **fields):
            assert self.state == before._replace(**fields, applied_hash=self.state.applied_hash)

    @rule(
        key=st.sampled_from([ROOT, STRANGER]),
        ahead=st.integers(0, 1),
        sequence=st.integers(1, 6),
        slot=st.integers(0, 2),
        new_key=st.sampled_from([SLOT, STRANGER]),
    )
    def a_key_code(self, key, ahead, sequence, slot, new_key):
        numbers = {"generation": min(255, self.state.generation + ahead), "sequence": sequence}
        before = self.state
        changes = {"operation": KEY, "slot": 255, "licences": (), "new_slot": slot, "new_key": public(new_key)}
        if self.take(key, **changes, **numbers):
            self.keys[slot] = new_key
            slots = {**before.slots, slot: public(new_key)}
            assert self.state == before._replace(**numbers, slots=slots, applied_hash=self.state.applied_hash)

    @rule()
    def the_last_code_again(self):
        if self.applied:
            assert apply_bytes(self.state, self.applied[-1]) == (Outcome.ALREADY_APPLIED, self.state)

    @rule(data=st.data())
    def an_earlier_code_again(self, data):
        if len(self.applied) > 1:
            outcome, after = apply_bytes(self.state, data.draw(st.sampled_from(self.applied[:-1])))
            # its key may have been replaced meanwhile
            assert outcome in (Outcome.SUPERSEDED, Outcome.BAD_SIGNATURE)
            assert after == self.state

    @invariant()
    def numbers_have_risen_with_every_code(self):
        numbers = [parse(code)[3:5] for code in self.applied]
        assert numbers == sorted(set(numbers))
        assert (self.state.generation, self.state.sequence) == (numbers[-1] if numbers else (0, 0))


TestLifeOfADongle = LifeOfADongle.TestCase
TestLifeOfADongle.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
