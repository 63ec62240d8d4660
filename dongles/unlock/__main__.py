"""Unlock codes on the command line: make keys, sign, inspect, and play the dongle.

    python -m dongles.unlock keygen signing.pem
    python -m dongles.unlock new dongle.json --serial 104233 --root ROOT.pub.hex --slot 0=PUBLIC-HEX
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
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .codec import KEY, ROOT_SLOT, SET, Malformed, Parsed, UnlockRecord, parse
from .device import DeviceState, Outcome, apply, factory_state
from .letters import correction, printed_rows, read_code, read_letters, to_letters, wrong_rows
from .serials import NotASerial, canonical_serial, dongle_tag
from .signing import is_signed, sign
from .statefile import NotAStateFile, read_state, state_from_json, write_state

DONE, ASKED_WRONGLY = 0, 2
EXIT_STATUS = {
    Outcome.APPLIED: DONE,
    Outcome.ALREADY_APPLIED: DONE,
    Outcome.MALFORMED: 3,
    Outcome.WRONG_DONGLE: 4,
    Outcome.UNKNOWN_KEY: 5,
    Outcome.BAD_SIGNATURE: 6,
    Outcome.SUPERSEDED: 7,
    Outcome.OUT_OF_ORDER: 8,
}
IN_WORDS = {
    Outcome.APPLIED: "The code was applied.",
    Outcome.ALREADY_APPLIED: "This code was applied before; nothing has changed.",
    Outcome.MALFORMED: "This is no unlock code: it was mistyped or is incomplete.",
    Outcome.WRONG_DONGLE: "This code is for another dongle.",
    Outcome.UNKNOWN_KEY: "This code is signed with a key that the dongle does not hold.",
    Outcome.BAD_SIGNATURE: "The signature is wrong: the vendor has not made this code.",
    Outcome.SUPERSEDED: "A newer code was applied already.",
    Outcome.OUT_OF_ORDER: "A code of the root key has to be applied first.",
}


class Refusal(Exception):
    """A sentence for who asked, and the exit status."""

    def __init__(self, sentence: str, status: int = ASKED_WRONGLY) -> None:
        super().__init__(sentence)
        self.status = status


def keygen(options: argparse.Namespace) -> int:
    passphrase = _passphrase("Passphrase of the new key (empty for none): ") if options.encrypt else None
    key = Ed25519PrivateKey.generate()
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    try:
        with os.fdopen(os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise Refusal(f"{options.file} exists already; a key is never overwritten.") from None
    public = key.public_key().public_bytes_raw().hex()
    _tell(
        options, {"file": str(options.file), "public": public}, f"Private key in {options.file}\nPublic key: {public}"
    )
    return DONE


def new(options: argparse.Namespace) -> int:
    state = factory_state(options.serial, options.root, dict(options.slot))
    if options.file.exists():
        raise Refusal(f"{options.file} exists already; a dongle is never overwritten.")
    write_state(options.file, state)
    _tell_state(options, state)
    return DONE


def sign_code(options: argparse.Namespace) -> int:
    key = load_key(options.key)
    is_key = options.new_key is not None
    record = UnlockRecord(
        serial=options.serial,
        slot=ROOT_SLOT if is_key or options.root else options.slot,
        generation=options.generation,
        sequence=options.sequence,
        expiry_on=options.expiry,
        issued_on=options.issued or date.today(),  # noqa: DTZ011 - the day at who signs
        licences=tuple(sorted(options.licence)),
        operation=KEY if is_key else SET,
        new_slot=options.new_slot,
        new_key=options.new_key,
    )
    try:
        letters = to_letters(sign(record, key))
    except ValueError as error:
        raise Refusal(f"This can't be signed: {error}.") from None
    _tell(options, {"code": letters, "rows": printed_rows(letters)}, _numbered(letters))
    return DONE


def inspect(options: argparse.Namespace) -> int:
    text = _code(options.code)
    try:
        code = read_code(text)
        parsed = parse(code)
    except Malformed as error:
        raise Refusal(
            _why_malformed(text, str(error), options.serial, options.key), EXIT_STATUS[Outcome.MALFORMED]
        ) from None
    facts = _facts(parsed)
    status = DONE
    if options.serial:
        facts["for_this_serial"] = parsed.tag == dongle_tag(options.serial)
        if not facts["for_this_serial"]:
            status = EXIT_STATUS[Outcome.WRONG_DONGLE]
        elif options.key:
            facts["signed_by_this_key"] = is_signed(options.serial, parsed.body, parsed.signature, options.key)
            status = DONE if facts["signed_by_this_key"] else EXIT_STATUS[Outcome.BAD_SIGNATURE]
    _tell(options, facts, "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()))
    return status


def apply_code(options: argparse.Namespace) -> int:
    state = read_state(options.file)
    outcome, after = apply(state, _code(options.code))
    if after != state:
        write_state(options.file, after)
    shown = _state(after) | {"outcome": outcome.value, "receipt": after.receipt if _is_done(outcome) else None}
    words = [IN_WORDS[outcome]]
    if _is_done(outcome):
        words += [f"SMA expiry date: {after.expiry_on}", f"Receipt: {after.receipt}"]
    _tell(options, shown, "\n".join(words))
    return EXIT_STATUS[outcome]


def status(options: argparse.Namespace) -> int:
    _tell_state(options, read_state(options.file))
    return DONE


def replay(options: argparse.Namespace) -> int:
    """Play the codes of a document to its dongle, a line of JSON for each."""
    text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text("utf-8")
    try:
        document = json.loads(text)
        state = state_from_json(document["dongle"])
        codes = [str(step["code"]) for step in document["life"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(f"{options.file} holds no `dongle` with a `life` of `code`s: {error!r}.") from None
    for code in codes:
        outcome, state = apply(state, code)
        receipt = state.receipt if _is_done(outcome) else None
        print(json.dumps({"outcome": outcome.value, **_state(state), "receipt": receipt}))
    return DONE


def _is_done(outcome: Outcome) -> bool:
    return outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)


def load_key(path: Path) -> Ed25519PrivateKey:
    pem = path.read_bytes()
    passphrase = _passphrase(f"Passphrase of {path}: ") if b"ENCRYPTED" in pem else None
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError):
        raise Refusal(f"{path} can't be opened: it is no key file, or the passphrase is wrong.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refusal(f"{path} does not hold an Ed25519 key.")
    return key


def _passphrase(prompt: str) -> bytes:
    """From the variable SMA_PASSPHRASE, or asked for at the terminal."""
    given = os.environ.get("SMA_PASSPHRASE")
    return (getpass.getpass(prompt) if given is None else given).encode()


def _code(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _why_malformed(text: str, reason: str, serial: str | None, key: bytes | None) -> str:
    """What is wrong with typed letters, row by row; a correction only where the whole code then verifies."""
    sentences = [f"This is no unlock code: {reason}."]
    try:
        rows = wrong_rows(read_letters(text))
    except Malformed:
        return sentences[0]
    if serial and key:
        verifies: Callable[[bytes], bool] = lambda code: _verifies(code, serial, key)  # noqa: E731
        if corrected := correction(text, verifies):
            sentences.append(f"Row {rows[0]} should read {printed_rows(corrected)[rows[0] - 1]}.")
    return " ".join(sentences)


def _verifies(code: bytes, serial: str, key: bytes) -> bool:
    try:
        parsed = parse(code)
    except Malformed:
        return False
    return is_signed(serial, parsed.body, parsed.signature, key)


def _facts(parsed: Parsed) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "operation": "key" if parsed.operation == KEY else "set",
        "slot": parsed.slot,
        "dongle_tag": parsed.tag.hex(),
        "generation": parsed.generation,
        "sequence": parsed.sequence,
        "issued": parsed.issued_on.isoformat(),
    }
    if parsed.operation == KEY:
        assert parsed.new_key is not None
        return facts | {"new_slot": parsed.new_slot, "new_key": parsed.new_key.hex()}
    return facts | {
        "expiry": parsed.expiry_on.isoformat(),
        "licences": [list(licence) for licence in parsed.licences],
    }


def _state(state: DeviceState) -> dict[str, Any]:
    return {
        "generation": state.generation,
        "sequence": state.sequence,
        "expiry": state.expiry_on.isoformat(),
        "licences": [list(licence) for licence in state.licences],
        "slots": {str(slot): key.hex() for slot, key in sorted(state.slots.items())},
    }


def _tell_state(options: argparse.Namespace, state: DeviceState) -> None:
    shown = {"serial": state.serial, **_state(state), "receipt": state.receipt}
    licences = ", ".join(f"product {product} × {seats}" for product, seats in state.licences) or "none"
    words = (
        f"Dongle {state.serial}, code number {state.generation}-{state.sequence}\n"
        f"SMA expiry date: {state.expiry_on}\nLicences: {licences}\nReceipt: {state.receipt}"
    )
    _tell(options, shown, words)


def _tell(options: argparse.Namespace, values: dict[str, Any], words: str) -> None:
    print(json.dumps(values) if options.json else words)


def _numbered(letters: str) -> str:
    return "\n".join(f"{number:2}  {row}" for number, row in enumerate(printed_rows(letters), 1))


def a_serial(text: str) -> str:
    try:
        return canonical_serial(text)
    except NotASerial as error:
        raise argparse.ArgumentTypeError(f"“{text}” is not a serial: {error}") from None


def a_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a date like 2027-03-31") from None


def a_public_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise argparse.ArgumentTypeError("a public key has 64 hexadecimal digits")
    return key


def a_slot(text: str) -> tuple[int, bytes]:
    slot, _, key = text.partition("=")
    if not slot.isdecimal() or int(slot) >= ROOT_SLOT:
        raise argparse.ArgumentTypeError("a slot is written 0=PUBLIC-HEX, from 0 to 254")
    return int(slot), a_public_key(key)


def a_licence(text: str) -> tuple[int, int]:
    product, _, seats = text.partition(":")
    if not product.isdecimal() or not (seats or "1").isdecimal():
        raise argparse.ArgumentTypeError("a licence is written PRODUCT-NUMBER:SEATS")
    return int(product), int(seats or "1")


def parser() -> argparse.ArgumentParser:
    description, _, epilog = (__doc__ or "").partition("\n\n")
    top = argparse.ArgumentParser(
        "python -m dongles.unlock",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--json", action="store_true", help="answer in JSON")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
        made.set_defaults(run=run)
        return made

    made = command("new", new, "Make a simulated dongle, fresh from the factory.")
    made.add_argument("file", type=Path)
    made.add_argument("--serial", type=a_serial, required=True)
    made.add_argument("--root", type=a_public_key, required=True, metavar="HEX", help="public root key")
    made.add_argument(
        "--slot", type=a_slot, action="append", default=[], metavar="SLOT=HEX", help="public key of a slot"
    )

    made = command("keygen", keygen, "Make a key pair; the private key goes into a new file of mode 0600.")
    made.add_argument("file", type=Path)
    made.add_argument("--encrypt", action="store_true", help="lock it with a passphrase (SMA_PASSPHRASE, or asked for)")

    made = command("sign", sign_code, "Sign a code: SET, or KEY where a new key is given.")
    made.add_argument("--key", type=Path, required=True, help="file of the private key")
    made.add_argument("--serial", type=a_serial, required=True)
    made.add_argument("--slot", type=int, default=0, help="slot of the key")
    made.add_argument("--root", action="store_true", help="the key is the root's")
    made.add_argument("--generation", type=int, default=0)
    made.add_argument("--sequence", type=int, required=True)
    made.add_argument("--expiry", type=a_day, default=date(2000, 1, 1), help="SMA expiry date")
    made.add_argument("--issued", type=a_day, help="issue date, today unless given")
    made.add_argument("--licence", type=a_licence, action="append", default=[], metavar="PRODUCT:SEATS")
    made.add_argument("--new-slot", type=int, help="slot that a KEY code fills")
    made.add_argument("--new-key", type=a_public_key, metavar="HEX", help="public key that a KEY code puts there")

    made = command("inspect", inspect, "Say what a code would do; with serial and key, whether it would be accepted.")
    made.add_argument("code")
    made.add_argument("--serial", type=a_serial)
    made.add_argument("--key", type=a_public_key, metavar="HEX", help="public key to verify with")

    made = command("apply", apply_code, "Apply a code to a simulated dongle.")
    made.add_argument("file", type=Path)
    made.add_argument("code")

    made = command("status", status, "Say what a simulated dongle holds.")
    made.add_argument("file", type=Path)

    made = command("replay", replay, "Apply the codes of a document with `dongle` and `life`, a line of JSON for each.")
    made.add_argument("file", help="file, or - for standard input")
    return top


def main(arguments: Iterable[str] | None = None) -> int:
    options = parser().parse_args(None if arguments is None else list(arguments))
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.status
    except (NotAStateFile, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return ASKED_WRONGLY


if __name__ == "__main__":
    sys.exit(main())
