"""The entrypoint of the image, run as it is: secrets from files, and the signer as a container would start it."""

import os
import subprocess
import sys
from pathlib import Path

from dongles.signer import SignerClient
from tests.outbox.conftest import wait_until
from tests.signer.conftest import PASSPHRASE, folder, record  # noqa: F401 - `folder` is a fixture

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


def test_the_signer_is_healthy_while_it_answers(folder):  # noqa: F811
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "SIGNER_PASSPHRASE").write_text(PASSPHRASE + "\n")
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SECRETS_DIR": str(secrets),
        "SIGNER_KEY": str(folder / "slot0.pem"),
        "SIGNER_SOCKET": str(folder / "signer.sock"),
        "SIGNER_LOG": str(folder / "signer.log"),
    }
    check = [sys.executable, "docker/healthcheck.py", "signer"]
    signer = subprocess.Popen([ENTRYPOINT, "signer"], cwd=PROJECT, env=variables)
    try:
        wait_until(lambda: subprocess.run(check, cwd=PROJECT, env=variables, capture_output=True).returncode == 0)
        assert SignerClient(variables["SIGNER_SOCKET"]).sign(record())
    finally:
        signer.kill()
        signer.wait()
    assert (folder / "signer.sock").exists()
    assert subprocess.run(check, cwd=PROJECT, env=variables, capture_output=True).returncode != 0
