"""The files that production is made of, as far as they can be checked without an engine for containers."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())


def found(program: str) -> str:
    """The program beside this interpreter or on the path; without it the test is skipped and says so."""
    path = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed: its checks were not made")
    return path


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_finds_nothing_in_the_dockerfile():
    check(found("hadolint"), "docker/Dockerfile")


def test_yamllint_finds_nothing_in_the_compose_file():
    check(found("yamllint"), "--strict", "docker")


def test_shellcheck_finds_nothing_in_the_entrypoint():
    check(found("shellcheck"), "docker/entrypoint.sh")


def test_nginx_accepts_its_configuration(tmp_path):
    nginx = found("nginx")
    text = (DOCKER / "nginx.conf").read_text()
    text = text.replace("/tmp/", f"{tmp_path}/").replace("include /etc/nginx/mime.types;", "")
    (tmp_path / "nginx.conf").write_text(text)
    check(nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"))


def test_what_the_image_copies_exists_and_is_not_ignored():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    kept = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {source for line in copied for source in line.split()}
    assert sources == kept
    assert [source for source in sources if not (PROJECT / source).exists()] == []


def test_every_variable_of_compose_stands_in_the_example_environment():
    asked = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text()))
    example = (DOCKER / "portal.env.example").read_text()
    assert asked == set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    required = set(re.findall(r"\$\{(\w+):\?", (DOCKER / "compose.yaml").read_text()))
    assert required == set(re.findall(r"^(\w+)=$", example, re.MULTILINE)), "required ones are left empty"


def test_the_private_key_and_its_passphrase_reach_the_signer_alone():
    holders = {
        name
        for name, service in COMPOSE["services"].items()
        if {"signer.pem", "SIGNER_PASSPHRASE"} & set(service.get("secrets", []))
    }
    assert holders == {"signer"}
    signer = COMPOSE["services"]["signer"]
    assert (signer["network_mode"], signer["user"]) == ("none", "10002:10003")
    shared = {
        name
        for name, service in COMPOSE["services"].items()
        if any(volume.startswith("signer-socket:") for volume in service.get("volumes", []))
    }
    assert shared == {"signer", "web"}


def test_only_one_service_migrates_and_the_others_wait_for_it():
    commands = {name: service.get("command") for name, service in COMPOSE["services"].items()}
    assert [name for name, command in commands.items() if command == ["migrate"]] == ["migrate"]
    for name in ("web", "worker", "beat"):
        assert COMPOSE["services"][name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_variable_that_production_requires_is_given_to_the_portals_services():
    settings = (PROJECT / "portal/settings.py").read_text()
    required = set(re.findall(r'required\("(\w+)"\)', settings))
    for name in ("web", "worker", "beat", "migrate"):
        service = COMPOSE["services"][name]
        assert required - set(service["environment"]) - set(service["secrets"]) == set(), name


def test_only_the_front_is_reached_from_outside_and_only_from_this_machine():
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"front": ["127.0.0.1:${PORTAL_PORT:-8080}:8080"]}
