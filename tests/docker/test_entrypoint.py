"""The entrypoint of the image, run as it is: secrets from files, and the signer as a container would start it."""

import os
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ENTRYPOINT = str(PROJECT / "docker/entrypoint.sh")


def run(*command: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ENTRYPOINT, *command], cwd=PROJECT, env={"PATH": os.environ["PATH"], **variables},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_secrets_come_from_files_of_their_names_and_win_over_the_environment(tmp_path):
    (tmp_path / "PORTAL_SECRET_KEY").write_text("from the file $HOME `id`\n")
    done = run("env", SECRETS_DIR=str(tmp_path), PORTAL_SECRET_KEY="from the environment", EMAIL_URL="smtp://kept")
    assert "PORTAL_SECRET_KEY=from the file $HOME `id`\n" in done.stdout
    assert "EMAIL_URL=smtp://kept\n" in done.stdout


def test_another_command_is_run_in_place_and_its_status_is_the_containers():
    assert run("sh", "-c", "exit 7").returncode == 7
