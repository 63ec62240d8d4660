"""docs/rules.md and the code can't drift apart."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

from renewals.pricing import Policy

PROJECT = Path(__file__).parent.parent.parent
DOCUMENT = PROJECT / "docs/rules.md"
ROWS = re.findall(
    r"^\| ([A-Z]\d+) \| .+? \| `([\w.]+):([\w.]+)` \| `([\w/.]+)` \|$", DOCUMENT.read_text(), re.MULTILINE
)
SETTINGS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", DOCUMENT.read_text(), re.MULTILINE))


def test_each_rule_stands_once():
    rules = [rule for rule, *_ in ROWS]
    assert len(rules) == len(set(rules))
    assert {f"P{number}" for number in range(1, 11)} | {"D1", "D2", "D3", "Q1", "Q6", "F1", "F4", "U1"} <= set(rules)


@pytest.mark.parametrize(("rule", "module", "name", "tests"), ROWS, ids=[row[0] for row in ROWS])
def test_its_place_says_the_rule_and_its_tests_name_it(rule, module, name, tests):
    place = import_module(module)
    for part in name.split("."):
        place = getattr(place, part)
    spans = [expanded(span) for span in re.findall(r"\b([A-Z]\d+(?:–[A-Z]?\d+)?)", place.__doc__ or "")]
    assert rule in {each for span in spans for each in span}, f"{module}:{name} does not say {rule}"
    text = (PROJECT / tests).read_text()
    assert re.search(rf"_{rule.lower()}(_|\()|class \w+:\n    \"\"\"{rule}\b|\b{rule}\b", text), (
        f"{tests} does not name {rule}"
    )


def expanded(span: str) -> set[str]:
    """“F2–F4” names F2, F3 and F4."""
    first, _, last = span.partition("–")
    letter, start = first[0], int(first[1:])
    return {f"{letter}{number}" for number in range(start, int(last.lstrip(letter) or start) + 1)} if last else {first}


def test_the_policy_settings_and_their_defaults_are_the_codes():
    defaults = {name: "1" if name == "upgrade_cap" else str(value) for name, value in Policy()._asdict().items()}
    assert defaults == SETTINGS


def test_the_worked_examples_come_out_as_written():
    results = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert results.attempted > 10
    assert results.failed == 0
