"""The arguments of the command line, each read into its value or refused with a sentence."""

import argparse
from datetime import date
from pathlib import Path

from .codec import ROOT_SLOT
from .serials import NotASerial, canonical_serial


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


def parser(description: str) -> argparse.ArgumentParser:
    """All commands; the one that was asked for is in `command`."""
    first, _, rest = description.partition("\n\n")
    top = argparse.ArgumentParser(
        prog="python -m dongles.unlock",
        description=first,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--json", action="store_true", help="answer in JSON")
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
        return made

    made = command("new", "Make a simulated dongle, fresh from the factory.")
    made.add_argument("file", type=Path)
    made.add_argument("--serial", type=a_serial, required=True)
    made.add_argument("--root", type=a_public_key, required=True, metavar="HEX", help="public root key")
    made.add_argument(
        "--slot", type=a_slot, action="append", default=[], metavar="SLOT=HEX", help="public key of a slot"
    )

    made = command("keygen", "Make a key pair; the private key goes into a new file of mode 0600.")
    made.add_argument("file", type=Path)
    made.add_argument(
        "--encrypt", action="store_true", help="ask for a passphrase; one in SMA_PASSPHRASE is used anyway"
    )

    _add_sign(command("sign", "Sign a code: SET, or KEY where a new key is given."))

    made = command("inspect", "Say what a code would do; with serial and key, whether it would be accepted.")
    made.add_argument("code", help="its letters, or - to read them from standard input")
    made.add_argument("--serial", type=a_serial)
    made.add_argument("--key", type=a_public_key, metavar="HEX", help="public key to verify with (needs --serial)")

    made = command("apply", "Apply a code to a simulated dongle.")
    made.add_argument("file", type=Path)
    made.add_argument("code", help="its letters, or - to read them from standard input")

    command("status", "Say what a simulated dongle holds.").add_argument("file", type=Path)

    made = command("replay", "Apply the codes of a document with `dongle` and `life`, a line of JSON for each.")
    made.add_argument("file", help="file, or - for standard input")
    return top


def _add_sign(made: argparse.ArgumentParser) -> None:
    made.add_argument("--key", type=Path, required=True, help="file of the private key")
    made.add_argument("--serial", type=a_serial, required=True)
    made.add_argument("--slot", type=int, default=0, help="slot of the key, 0 unless given")
    made.add_argument("--root", action="store_true", help="the key is the root's")
    made.add_argument("--generation", type=int, default=0)
    made.add_argument("--sequence", type=int, required=True)
    made.add_argument("--expiry", type=a_day, help="SMA expiry date that a SET code states")
    made.add_argument("--issued", type=a_day, help="issue date, today unless given")
    made.add_argument("--licence", type=a_licence, action="append", default=[], metavar="PRODUCT:SEATS")
    made.add_argument("--new-slot", type=int, help="slot that a KEY code fills")
    made.add_argument("--new-key", type=a_public_key, metavar="HEX", help="public key that a KEY code puts there")
