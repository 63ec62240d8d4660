"""The locks name no place to fetch from, are whole, and cannot be tampered with."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"]
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;]+)")


def pins(lock):
    """Name → version of everything that a lock pins."""
    lines = (CHECKOUT / lock).read_text().splitlines()
    found = [REQUIREMENT.match(line) for line in lines if line and not line.startswith((" ", "#"))]
    assert all(found), f"{lock} has a line that is no pinned requirement"
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_host_or_path(lock):
    text = (CHECKOUT / lock).read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|\s@\s|(^|\s)\.{0,2}/\S", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_of_a_lock_has_hashes(lock):
    # Each requirement continues over the lines of its hashes, and ends with them.
    requirements = re.split(r"\n(?=\S)", (CHECKOUT / lock).read_text().strip())
    assert len(requirements) == len(pins(lock))
    for requirement in requirements:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement.splitlines()[0]


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", []), ("requirements-dev.lock", ["embedded", "dev"])]
)
def test_every_dependency_of_the_project_is_locked_in_a_version_it_allows(lock, extras):
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [each for extra in extras for each in project["optional-dependencies"][extra]]
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement.name


def test_production_runs_the_versions_that_were_tested():
    tested = pins("requirements-dev.lock")
    assert pins("requirements.lock").items() <= tested.items()
