"""`manage.py price FILE`: price scenarios, one JSON document a line, without a database."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from renewals.pricing.scenarios import price_text


class Command(BaseCommand):
    help = (
        "Price scenarios (docs/rules.md): one JSON document a line, one result a line, in order. A refusal is"
        ' {"refused": code}, a malformed document {"error": what and where}. The exit status is 1 if any was malformed.'
    )
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="file of scenarios, or - for standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        with nullcontext(sys.stdin.buffer) if file == "-" else self._opened(file) as lines:
            try:
                any_malformed = self._price(lines)
            except BrokenPipeError:  # whoever read the results has gone; nor may the last flush complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
        if any_malformed:
            sys.exit(1)

    def _opened(self, file: str) -> BinaryIO:
        try:
            return Path(file).open("rb")
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.", returncode=2) from None

    def _price(self, lines: Iterable[bytes]) -> bool:
        """Print a result for each line as it comes; whether any was malformed."""
        any_malformed = False
        for line in lines:
            result = price_text(line)
            any_malformed |= "error" in result
            self.stdout.write(json.dumps(result))
        return any_malformed
