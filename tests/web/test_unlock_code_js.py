"""The script that reads unlock codes in the browser says what the vectors say, and what the Python code says."""

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.urls import reverse

from dongles.unlock import DeviceState, Malformed, Outcome, apply_bytes, canonical_serial, parse, read_code, to_letters
from dongles.unlock.codec import KEY
from dongles.unlock.letters import LETTERS, check_letters, correction, read_letters
from dongles.unlock.serials import NotASerial
from dongles.unlock.signing import message_for, sign
from dongles.unlock.wording import code_as_json
from tests.unlock.keys import ROOT, SLOT, STRANGER, public, record
from tests.web.browsing import watched_page

pytestmark = pytest.mark.browser

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/unlock.json").read_text())

# What the script makes of each case: {text, serial, keys by slot}.
EXAMINE = """async ([address, cases]) => {
  const m = await import(address);
  const fields = (parsed) => {
    const facts = {operation: parsed.operation, slot: parsed.slot, dongle_tag: parsed.tag,
      generation: parsed.generation, sequence: parsed.sequence, issued: parsed.issued};
    return parsed.newKey === null ? {...facts, expiry: parsed.expiry, licences: parsed.licences}
      : {...facts, new_slot: parsed.newSlot, new_key: parsed.newKey};
  };
  const look = async ({text, serial, keys}) => {
    const ring = new Map(Object.entries(keys).map(([slot, key]) => [Number(slot), m.bytesOfHex(key)]));
    const verifies = async (code) => (await m.judge(m.parse(code), serial, ring)) === "genuine";
    try {
      const bytes = m.readCode(text);
      const parsed = m.parse(bytes);
      return {outcome: await m.judge(parsed, serial, ring), bytes: m.hexOf(bytes), fields: fields(parsed),
        message: m.hexOf(m.messageFor(serial, parsed.body))};
    } catch (error) {
      if (!(error instanceof m.Malformed)) return {crash: String(error)};
      const corrected = await m.correction(text, verifies);
      return {outcome: "malformed", why: error.message, rows: error.rows, correction: corrected};
    }
  };
  return Promise.all(cases.map(look));
}"""
SERIALS = """async ([address, texts]) => {
  const m = await import(address);
  return texts.map((text) => {
    try { return m.canonicalSerial(text); } catch (error) {
      return error instanceof m.NotASerial ? `no: ${error.message}` : String(error);
    }
  });
}"""


def ring_of(keys):
    return {str(slot): key.hex() for slot, key in keys.items()}


def cases_of_the_vectors():
    """Each case of the vectors with what the script is to say to it."""
    keys = {
        name: Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes_raw().hex()
        for name, seed in VECTORS["keys"].items()
    }
    ring = {"255" if name == "root" else name: key for name, key in keys.items() if name != "stranger"}
    for case in VECTORS["encodings"]:
        expected = {"outcome": "genuine", "bytes": case["bytes"], "message": case["message"]}
        fields = {name: case[name] for name in ("operation", "slot", "generation", "sequence", "issued")}
        if case["operation"] == "key":
            fields |= {"new_slot": case["new_slot"], "new_key": case["new_key"]}
        else:
            fields |= {"expiry": case["expiry"], "licences": case["licences"]}
        asked = {"text": "\n".join(case["rows"]), "serial": case["canonical"], "keys": ring}
        yield asked, expected | {"fields": fields}
    dongle = VECTORS["dongle"]
    serial, slots = canonical_serial(dongle["serial"]), dongle["slots"]
    for step in VECTORS["life"]:
        known = step["outcome"] in ("malformed", "wrong_dongle", "unknown_key", "bad_signature")
        asked = {"text": step["code"], "serial": serial, "keys": {**slots, "255": dongle["root"]}}
        yield asked, {"outcome": step["outcome"] if known else "genuine"}
        slots = step["slots"]


def differences(answers, cases):
    """Which cases were answered otherwise than they should."""
    found = []
    for number, (answer, (_, expected)) in enumerate(zip(answers, cases, strict=True)):
        got = {name: answer.get(name) for name in expected}
        if "fields" in expected and got["fields"]:
            got["fields"] = {name: got["fields"].get(name) for name in expected["fields"]}
        if got != expected:
            found.append((number, answer, expected))
    return found


def python_says(text, serial, keys):
    """What the Python code makes of a case, in the words of EXAMINE."""
    state = DeviceState(serial, keys[255], {slot: key for slot, key in keys.items() if slot != 255})

    def judge(code):
        outcome = apply_bytes(state, code)[0]
        early = (Outcome.MALFORMED, Outcome.WRONG_DONGLE, Outcome.UNKNOWN_KEY, Outcome.BAD_SIGNATURE)
        return outcome.value if outcome in early else "genuine"

    try:
        code = read_code(text)
        parsed = parse(code)
    except Malformed as error:
        corrected = correction(text, lambda code: judge(code) == "genuine")
        return {"outcome": "malformed", "why": str(error), "rows": list(error.rows), "correction": corrected}
    return {
        "outcome": judge(code),
        "bytes": code.hex(),
        "fields": code_as_json(parsed),
        "message": message_for(serial, parsed.body).hex(),
    }


def random_record(chance):
    usual = {
        "serial": "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=chance.randint(1, 32))),
        "slot": chance.choice((0, 0, 0, 0, 7, 255)),
        "generation": chance.randint(0, 255),
        "sequence": chance.randint(1, 65535),
    }
    if chance.random() < 0.15:
        new = {"slot": 255, "new_slot": chance.randint(0, 254), "new_key": chance.randbytes(32)}
        return record(**(usual | new), licences=(), operation=KEY)
    products = sorted(chance.sample(range(1, 65536), chance.choice((0, 1, 2, 5, 60))))
    return record(**usual, licences=tuple((product, chance.randint(1, 65535)) for product in products))


def replaced(letters, at, letter):
    return letters[:at] + letter + letters[at + 1 :]


def mistyped(letters, chance):
    """The letters with one of the things that happen when they are typed."""
    at, rows = chance.randrange(len(letters)), [letters[start : start + 18] for start in range(0, len(letters), 18)]
    one, other = chance.choices(range(len(rows)), k=2)
    happened = chance.choice(
        ("nothing", "nothing", *["letter"] * 10, "two letters", "lost", "twice", "swapped", "row lost", "foreign",
         "cut", "added", "none")
    )  # fmt: skip
    if happened == "swapped":
        rows[one], rows[other] = rows[other], rows[one]
    return {
        "nothing": letters,
        "letter": replaced(letters, at, chance.choice(LETTERS)),
        "two letters": replaced(replaced(letters, at, chance.choice(LETTERS)), 3, chance.choice(LETTERS)),
        "lost": replaced(letters, at, ""),
        "twice": replaced(letters, at, letters[at] * 2),
        "swapped": "".join(rows),
        "row lost": "".join(rows[:one] + rows[one + 1 :]),
        "foreign": replaced(letters, at, chance.choice("Uu$é–<😀")),
        "cut": letters[:at],
        "added": letters + "".join(chance.choices(LETTERS, k=chance.choice((1, 18, 400)))),
        "none": "",
    }[happened]


def typed_somehow(letters, chance):
    """Some separators, small letters, and I, L and O for what they are read as."""
    spoken, between = {"1": "1IiLl", "0": "0Oo"}, ("", "", "", " ", "-", "\n", "\t\r\n")
    return "".join(
        chance.choice(spoken.get(letter, letter + letter.lower())) + chance.choice(between) for letter in letters
    )


def with_other_end(letters):
    """The same code but for the spare bits of its last letter, with check letters that fit."""
    values = read_letters(letters)
    start = (len(values) - 1) // 18 * 18
    row = values[start:-2]
    row[-1] ^= 1
    ended = values[:start] + row + list(check_letters(row, start // 18))
    return "".join(LETTERS[value] for value in ended)


def random_cases(count):
    chance = random.Random(2027)
    keys = {0: public(SLOT), 255: public(ROOT)}
    for _ in range(count):
        made = random_record(chance)
        signer = STRANGER if chance.random() < 0.2 else ROOT if made.slot == 255 else SLOT
        code = sign(made, signer)
        letters, kind = to_letters(code), chance.random()
        if kind < 0.2:  # letters that are right, of bytes that are not
            at, byte = chance.choice((0, 1, 2, 6, 7, 8, *range(13, 18))), chance.choice((0, 1, 16, 17, 60, 61, 255))
            letters = to_letters(code[:at] + bytes([byte]) + code[at + 1 :])
        elif kind < 0.25:
            letters = to_letters(code[: chance.choice((10, 77, 78, 79))])
        elif kind < 0.3:
            letters = with_other_end(letters)
        else:
            letters = mistyped(letters, chance)
        serial = "104233" if chance.random() < 0.1 else made.serial
        yield typed_somehow(letters, chance), serial, keys


# One thing changed in the script: the vectors must show each.
CHANGES = (
    ("0b100101", "0b101001"),
    ("times(3, out)", "times(2, out)"),
    ("high ^ index, low", "high, low"),
    ('"0123456789ABCDEFGHJKMN', '"0123456789ABCDEFGHJKNM'),
    ("Date.UTC(2000, 0, 1)", "Date.UTC(2000, 0, 2)"),
    ('"SMA-UNLOCK/1', '"SMA-UNLOCK/2'),
    ("MOST_LICENCES = 60", "MOST_LICENCES = 59"),
    ("KEY_BYTES = 33", "KEY_BYTES = 32"),
    ("view.getUint16(9)", "view.getUint16(11)"),
    ("spare >= 5 || ", ""),
    ("product <= ", "product < "),
    ('? "genuine" : "bad_signature"', '? "genuine" : "genuine"'),
)


def test_the_script_says_what_the_vectors_say_and_what_python_says(portal, browser):
    address = "/static/dongles/unlock-code.js"
    vectors, cases = list(cases_of_the_vectors()), list(random_cases(200))
    asked = [{"text": text, "serial": serial, "keys": ring_of(keys)} for text, serial, keys in cases]
    with watched_page(browser) as page:
        page.goto(portal + reverse("dongles:check_code"))
        answers = page.evaluate(EXAMINE, [address, [each for each, _ in vectors] + asked])
        assert differences(answers[: len(vectors)], vectors) == []
        said = [python_says(*case) for case in cases]
        assert [pair for pair in zip(answers[len(vectors) :], said, strict=True) if pair[0] != pair[1]] == []

        serials = ["104 233", "ils-2008 a", "", " -", "é1", "1_2", "ß", "x" * 32, "x" * 33, "104\t233", "😀" * 40]
        assert page.evaluate(SERIALS, [address, serials]) == [python_serial(text) for text in serials]

        unnoticed = [change for change in CHANGES if not differences(changed(page, address, change, vectors), vectors)]
    assert unnoticed == []
    assert {each["outcome"] for each in said} == {
        "malformed",
        "wrong_dongle",
        "unknown_key",
        "bad_signature",
        "genuine",
    }
    assert sum(bool(each.get("correction")) for each in said) > 15
    assert len({each["why"] for each in said if "why" in each and not each["rows"]}) > 6


def python_serial(text):
    try:
        return canonical_serial(text)
    except NotASerial as error:
        return f"no: {error}"


def changed(page, address, change, vectors):
    """What the script with one thing changed makes of the vectors."""
    old, new = change
    other = f"{address}?{abs(hash(change))}"

    def answer(route):
        script = route.fetch().text()
        assert script.count(old) >= 1, old
        route.fulfill(body=script.replace(old, new, 1), content_type="text/javascript")

    page.route(f"**{other}", answer)
    return page.evaluate(EXAMINE, [other, [each for each, _ in vectors]])
