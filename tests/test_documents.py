"""The documents say what the code does: every refusal is explained, every file named is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dongles.installed_base.faults import CAUSES
from portal.api.problems import status_of
from renewals.states import ORDER_REFUSALS, QUOTE_REFUSALS, REQUEST_REFUSALS

PROJECT = Path(__file__).parent.parent
ROOMS = ("portal", "dongles", "renewals")


def source_files() -> list[Path]:
    return [path for room in ROOMS for path in (PROJECT / room).rglob("*.py") if "migrations" not in path.parts]


def codes_raised() -> Iterator[str]:
    """The first argument of every DomainError in the code."""
    for path in source_files():
        for node in ast.walk(ast.parse(path.read_text())):
            is_refusal = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DomainError"
            if is_refusal and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
    stated = [*QUOTE_REFUSALS.values(), *ORDER_REFUSALS.values(), *REQUEST_REFUSALS.values()]
    yield from (code for code, _ in stated)


def test_every_refusal_is_explained_in_the_documents_and_none_that_is_not_there():
    documented = [code for code, _ in documented_refusals()]
    assert sorted(set(documented)) == sorted(set(codes_raised()))
    assert len(documented) == len(set(documented))


def documented_refusals() -> list[tuple[str, str]]:
    return re.findall(r"^\| `(\w+)` \| (\d+) \|", (PROJECT / "docs/errors.md").read_text(), re.MULTILINE)


def test_every_fault_of_an_import_is_explained_as_the_page_explains_it():
    explained = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", (PROJECT / "docs/import.md").read_text(), re.MULTILINE)
    assert explained == [(code, *cause) for code, cause in CAUSES.items()]


@pytest.mark.parametrize(("code", "status"), documented_refusals())
def test_a_refusal_has_the_status_that_the_documents_say(code, status):
    assert str(status_of(code, {"serial"})) == status


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/rules.md",
        "docs/unlock-code.md",
        "docs/operations.md",
        "docs/design.md",
        "docs/import.md",
        "docs/finance-journal.md",
        "docs/finance-renewals.md",
        "docs/finance-reports.md",
        "docs/finance-closing.md",
        "docs/finance-overview.md",
    ],
)
def test_files_that_a_document_names_are_there(document):
    text = (PROJECT / document).read_text()
    named = re.findall(r"`((?:portal|dongles|renewals|templates|tests|docker|docs)/[\w/.-]*)`", text)
    named += re.findall(r"\]\((?!https?:)([\w/.-]+)\)", text)
    made_by_users = (PROJECT / ".gitignore").read_text().split()
    missing = [name for name in named if not (PROJECT / name).exists() and name not in made_by_users]
    assert not missing


def test_no_file_of_the_code_is_longer_than_a_room():
    long = {str(path.relative_to(PROJECT)) for path in source_files() if len(path.read_text().splitlines()) > 400}
    assert not long
