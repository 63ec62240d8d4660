"""docs/rules.md and the code can't drift apart."""

import ast
import doctest
import json
import re
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from renewals.models import PolicySettings
from renewals.pricing import Policy
from renewals.pricing.engine import price_dongle
from renewals.pricing.scenarios import price_text, read_scenario

PROJECT = Path(__file__).parent.parent.parent
DOCUMENT = PROJECT / "docs/rules.md"
TEXT = DOCUMENT.read_text()
VECTORS = [json.loads(line) for line in (PROJECT / "tests/vectors/pricing.jsonl").open()]
LAST_OF_SECTION = {"D": 3, "C": 6, "P": 10, "Q": 9, "U": 1, "S": 2, "F": 5}
RULEBOOK = [f"{section}{number}" for section, last in LAST_OF_SECTION.items() for number in range(1, last + 1)]
PURE = [
    PROJECT / "dongles/terms.py",
    PROJECT / "dongles/coverage.py",
    PROJECT / "dongles/entitlement.py",
    PROJECT / "dongles/support.py",
    PROJECT / "renewals/recognition.py",
    *sorted((PROJECT / "renewals/pricing").glob("*.py")),
    *sorted((PROJECT / "renewals/retention").glob("*.py")),
]


class Row(NamedTuple):
    rule: str
    places: list[str]
    tests: list[str]


ROWS = [
    Row(rule, re.findall(r"`(.+?)`", places), re.findall(r"`(.+?)`", tests))
    for rule, places, tests in re.findall(r"^\| ([A-Z]\d+) \| .+? \| (`.+?) \| (`.+?) \|$", TEXT, re.MULTILINE)
]
NOT_BUILT = re.findall(r"^\| ([A-Z]\d+) \| [^|]+ \|$", TEXT, re.MULTILINE)
SETTINGS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", TEXT, re.MULTILINE))


def rules_in(text: str) -> set[str]:
    """The ids that a text names; “F2–F4” names F3 too."""
    found = set(re.findall(r"\b[DCPQUSF]\d{1,2}\b", text))
    for section, first, last in re.findall(r"\b([DCPQUSF])(\d+)–\1(\d+)\b", text):
        found |= {f"{section}{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_every_rule_of_the_rulebook_stands_once_as_built_or_not():
    assert [row.rule for row in ROWS] == [rule for rule in RULEBOOK if rule not in NOT_BUILT]
    assert [rule for rule in RULEBOOK if rule in NOT_BUILT] == NOT_BUILT


@pytest.mark.parametrize(("rule", "place"), [(row.rule, place) for row in ROWS for place in row.places])
def test_each_place_is_there_and_says_its_rule(rule, place):
    module, _, name = place.partition(":")
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert rule in rules_in(found.__doc__), f"the docstring of {place} does not say {rule}"


@pytest.mark.parametrize(("rule", "file"), [(row.rule, file) for row in ROWS for file in row.tests])
def test_each_file_of_tests_has_one_that_is_named_after_the_rule(rule, file):
    tests = re.findall(r"^ *def (test_\w+)\(", (PROJECT / file).read_text(), re.MULTILINE)
    assert [name for name in tests if rule.lower() in name.split("_")], f"no test in {file} is named after {rule}"


def public_functions(tree: ast.AST, road: str = ""):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from public_functions(node, f"{road}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{road}{node.name}", ast.get_docstring(node) or ""


def test_what_a_docstring_of_the_pure_rules_begins_with_has_its_row():
    places = {(row.rule, place) for row in ROWS for place in row.places}
    begun = {
        (rule, f"{'.'.join(file.relative_to(PROJECT).with_suffix('').parts)}:{name}")
        for file in PURE
        for name, docstring in public_functions(ast.parse(file.read_text()))
        if (ids := re.match(r"[DCPQUSF]\d+(?:(?:, |–)[DCPQUSF]\d+)*(?=[:,])", docstring))
        for rule in rules_in(ids.group())
    }
    assert len(begun) > 30
    assert begun <= places, sorted(begun - places)


def test_every_rule_that_a_priced_line_carries_is_explained():
    carried = set()
    for case in VECTORS:
        if "lines" in price_text(json.dumps(case["scenario"])):
            for line in price_dongle(*read_scenario(case["scenario"])).lines:
                carried |= {*line.rules, *(step.rule for step in line.steps)}
    assert carried >= {"P3", "P4", "P5", "P6", "P7", "P8", "C5"}
    assert carried <= {row.rule for row in ROWS}


def written(value) -> str:
    """A default as the document writes it."""
    return str(Fraction(value)) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def test_the_settings_and_their_defaults_are_those_of_the_rules_and_of_the_database():
    columns = {field.name: field for field in PolicySettings._meta.fields if field.name not in ("id", "valid_from")}
    assert list(SETTINGS) == list(columns)
    defaults = {name: written(field.get_default()) for name, field in columns.items()}
    assert defaults == SETTINGS
    assert {name: written(value) for name, value in Policy()._asdict().items()}.items() <= SETTINGS.items()


def test_the_worked_examples_come_out_as_written():
    results = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert results.attempted > 10
    assert results.failed == 0
