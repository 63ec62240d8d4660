"""`manage.py price FILE`: price scenarios, one JSON document a line, without a database."""

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

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
        try:
            with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as lines:
                any_malformed = self._price(lines)
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.", returncode=2) from None
        if any_malformed:
            sys.exit(1)

    def _price(self, lines: Iterable[bytes]) -> bool:
        """Print a result for each line as it comes; whether any was malformed."""
        any_malformed = False
        for line in lines:
            result = price_text(line)
            any_malformed |= "error" in result
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        return any_malformed
