"""Unlock codes on the command line: make keys, sign, inspect, and play the dongle.

    python -m dongles.unlock keygen signing.pem
    python -m dongles.unlock new dongle.json --serial 104233 --root PUBLIC-HEX --slot 0=PUBLIC-HEX
    python -m dongles.unlock sign --key signing.pem --serial 104233 --sequence 1 --expiry 2027-03-31 --licence 101:1
    python -m dongles.unlock inspect CODE | apply dongle.json CODE | status dongle.json | replay FILE

A code is given as its letters, or as `-` to read them from standard input. Exit status: 0 applied, already applied or
done; 3 malformed, 4 wrong dongle, 5 unknown key, 6 bad signature, 7 superseded, 8 out of order; 2 anything else that
was asked wrongly.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .arguments import parser
from .codec import DAY_ZERO, KEY, ROOT_SLOT, SET, Malformed, UnlockRecord, parse
from .device import Outcome, apply, factory_state
from .letters import correction, printed_rows, read_code, to_letters
from .serials import dongle_tag
from .signing import is_signed, sign
from .statefile import NotAStateFile, held, read_state, state_from_json, write_state
from .wording import (
    ASKED_WRONGLY,
    DONE,
    EXIT_STATUS,
    IN_WORDS,
    code_as_json,
    code_in_words,
    numbered_rows,
    state_as_shown,
    state_in_words,
)


class Refusal(Exception):
    """A sentence for who asked, the exit status, and what JSON says besides."""

    def __init__(self, sentence: str, status: int = ASKED_WRONGLY, **data: Any) -> None:
        super().__init__(sentence)
        self.status, self.data = status, data


def keygen(options: argparse.Namespace) -> int:
    passphrase = _new_passphrase(options.encrypt)
    key = Ed25519PrivateKey.generate()
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    try:
        with os.fdopen(os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise Refusal(f"{options.file} exists already; a key is never overwritten.") from None
    public = key.public_key().public_bytes_raw().hex()
    locked = "" if passphrase else ", not locked with a passphrase"
    _tell(
        options,
        {"file": str(options.file), "public": public},
        [f"Private key in {options.file}{locked}.", f"Public key: {public}"],
    )
    return DONE


def new(options: argparse.Namespace) -> int:
    state = factory_state(options.serial, options.root, dict(options.slot))
    with held(options.file):
        if options.file.exists():
            raise Refusal(f"{options.file} exists already; a dongle is never overwritten.")
        write_state(options.file, state)
    return status(options)


def sign_code(options: argparse.Namespace) -> int:
    is_key = options.new_key is not None
    if options.expiry is None and not is_key:
        raise Refusal("A SET code states an SMA expiry date: --expiry is missing.")
    record = UnlockRecord(
        serial=options.serial,
        slot=ROOT_SLOT if is_key or options.root else options.slot,
        generation=options.generation,
        sequence=options.sequence,
        expiry_on=options.expiry or DAY_ZERO,
        issued_on=options.issued or date.today(),  # noqa: DTZ011 - the day at who signs
        licences=tuple(sorted(options.licence)),
        operation=KEY if is_key else SET,
        new_slot=options.new_slot,
        new_key=options.new_key,
    )
    key = load_key(options.key)
    try:
        letters = to_letters(sign(record, key))
    except ValueError as error:
        raise Refusal(f"This can't be signed: {error}.") from None
    _tell(options, {"code": letters, "rows": printed_rows(letters)}, numbered_rows(letters))
    return DONE


def inspect(options: argparse.Namespace) -> int:
    if options.key and not options.serial:
        raise Refusal("--key needs --serial: what is signed contains the serial.")
    text = _code(options.code)
    try:
        parsed = parse(read_code(text))
    except Malformed as error:
        raise _malformed(text, error, options) from None
    facts, words, outcome = code_as_json(parsed), code_in_words(parsed), Outcome.APPLIED
    if options.serial:
        facts["for_this_serial"] = parsed.tag == dongle_tag(options.serial)
        if not facts["for_this_serial"]:
            outcome = Outcome.WRONG_DONGLE
        words.append(f"It is {'' if facts['for_this_serial'] else 'not '}for dongle {options.serial}.")
    if options.key:
        facts["signed_by_this_key"] = is_signed(options.serial, parsed.body, parsed.signature, options.key)
        if not facts["signed_by_this_key"] and outcome == Outcome.APPLIED:
            outcome = Outcome.BAD_SIGNATURE
        words.append(f"The signature is {'' if facts['signed_by_this_key'] else 'not '}that of the key.")
    _tell(options, facts, words)
    return EXIT_STATUS[outcome]


def apply_code(options: argparse.Namespace) -> int:
    code = _code(options.code)
    with held(options.file):
        before = read_state(options.file)
        outcome, after = apply(before, code)
        if outcome == Outcome.APPLIED:
            write_state(options.file, after)
    shown = state_as_shown(after) | {"outcome": outcome.value, "receipt": after.receipt if _is_done(outcome) else None}
    words = [IN_WORDS[outcome]]
    if _is_done(outcome):
        words += [f"SMA expiry date: {after.expiry_on}", f"Receipt: {after.receipt}"]
    _tell(options, shown, words)
    return EXIT_STATUS[outcome]


def status(options: argparse.Namespace) -> int:
    state = read_state(options.file)
    _tell(
        options,
        {"serial": state.serial, **state_as_shown(state), "receipt": state.receipt},
        state_in_words(state),
    )
    return DONE


def replay(options: argparse.Namespace) -> int:
    """Play the codes of a document to its dongle, a line of JSON for each."""
    text = _standard_input() if options.file == "-" else Path(options.file).read_text("utf-8")
    try:
        document = json.loads(text)
        state, codes = state_from_json(document["dongle"]), [step["code"] for step in document["life"]]
        if not all(isinstance(code, str) for code in codes):
            raise ValueError("a code is not a string")
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise Refusal(f"{options.file} holds no `dongle` with a `life` of `code`s: {error}.") from None
    for code in codes:
        outcome, state = apply(state, code)
        receipt = state.receipt if _is_done(outcome) else None
        print(json.dumps({"outcome": outcome.value, **state_as_shown(state), "receipt": receipt}))
    return DONE


COMMANDS = {
    "new": new,
    "keygen": keygen,
    "sign": sign_code,
    "inspect": inspect,
    "apply": apply_code,
    "status": status,
    "replay": replay,
}


def _is_done(outcome: Outcome) -> bool:
    return outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)


def load_key(path: Path) -> Ed25519PrivateKey:
    pem = path.read_bytes()
    passphrase = _passphrase(f"Passphrase of {path}: ") if b"ENCRYPTED" in pem else None
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refusal(f"{path} can't be opened: it is no key file, or the passphrase is wrong.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refusal(f"{path} does not hold an Ed25519 key.")
    return key


def _passphrase(prompt: str) -> bytes:
    """From the variable SMA_PASSPHRASE, or asked for at the terminal."""
    given = os.environ.get("SMA_PASSPHRASE")
    try:
        return os.fsencode(getpass.getpass(prompt) if given is None else given)
    except EOFError:
        raise Refusal("A passphrase is needed: set SMA_PASSPHRASE, or run this at a terminal.") from None


def _new_passphrase(is_wanted: bool) -> bytes | None:
    """Asked for twice, since a mistyped one would lose the key; None where none is wanted."""
    if "SMA_PASSPHRASE" not in os.environ and not is_wanted:
        return None
    passphrase = _passphrase("Passphrase of the new key: ")
    if not passphrase:
        raise Refusal("An empty passphrase locks nothing.")
    if passphrase != _passphrase("The same again: "):
        raise Refusal("The two passphrases differ; no key was made.")
    return passphrase


def _code(text: str) -> str:
    return _standard_input() if text == "-" else text


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _malformed(text: str, error: Malformed, options: argparse.Namespace) -> Refusal:
    """What is wrong with typed letters, row by row; a correction only where the whole code then verifies."""
    sentence, corrected = f"This is no unlock code: {error}.", None
    if len(error.rows) == 1 and options.key:
        corrected = correction(text, lambda code: _verifies(code, options.serial, options.key))
    if corrected:
        row = error.rows[0]
        sentence += f" Row {row} should read {printed_rows(corrected)[row - 1]}."
    return Refusal(
        sentence,
        EXIT_STATUS[Outcome.MALFORMED],
        outcome=Outcome.MALFORMED.value,
        wrong_rows=list(error.rows),
        correction=corrected,
    )


def _verifies(code: bytes, serial: str, key: bytes) -> bool:
    try:
        parsed = parse(code)
    except Malformed:
        return False
    return parsed.tag == dongle_tag(serial) and is_signed(serial, parsed.body, parsed.signature, key)


def _tell(options: argparse.Namespace, values: dict[str, Any], words: list[str]) -> None:
    print(json.dumps(values) if options.json else "\n".join(words))


def _refuse(options: argparse.Namespace, refusal: Refusal) -> int:
    if options.json:
        print(json.dumps({"error": str(refusal), **refusal.data}))
    else:
        print(refusal, file=sys.stderr)
    return refusal.status


def main(arguments: Iterable[str] | None = None) -> int:
    options = parser(__doc__ or "").parse_args(None if arguments is None else list(arguments))
    try:
        return COMMANDS[options.command](options)
    except Refusal as refusal:
        return _refuse(options, refusal)
    except (NotAStateFile, UnicodeDecodeError) as error:
        return _refuse(options, Refusal(f"{error}."))
    except OSError as error:
        return _refuse(options, Refusal(f"{error.filename or 'The answer'}: {error.strerror}."))
    except KeyboardInterrupt:
        return _refuse(options, Refusal("Interrupted.", 130))


if __name__ == "__main__":
    sys.exit(main())
