"""Files of releases: how they come in, what is refused, what the commands say."""

import hashlib
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command

from dongles import shelf
from dongles.downloads import add_release_file, remove_release_file
from dongles.models import Release, ReleaseFile
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.demo.builds import demo_archive
from tests import world

pytestmark = pytest.mark.django_db
DAY = "2026-02-01"


@pytest.fixture
def release(catalogue):
    return world.make_release("7.0", "2025-05-05")


def add(release, platform="Windows", name="setup.exe", content=b"a build", actor=world.SALES):
    return add_release_file(
        release=release, platform=platform, name=name, content=BytesIO(content), actor=actor, at=world.at(DAY)
    )


def everything(folder):
    """Rows, events, and what lies on the shelf."""
    lying = sorted(str(place.relative_to(folder)) for place in folder.rglob("*") if place.is_file())
    return ReleaseFile.objects.count(), AuditEvent.objects.count(), lying


def refusal_of(folder, *args, **options):
    before = everything(folder)
    with pytest.raises(DomainError) as refused:
        add(*args, **options)
    assert everything(folder) == before
    return refused.value.code


def test_a_file_is_copied_with_its_size_and_sha256_and_recorded(release, settings):
    content = bytes(range(256)) * 5000  # 1,280,000 bytes: more than a piece of 1 MB
    file = add(release, content=content)
    assert (file.path, file.size) == ("Volocity/7.0/Windows/setup.exe", 1_280_000)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (settings.DOWNLOADS_DIR / file.path).read_bytes() == content
    assert everything(settings.DOWNLOADS_DIR)[2] == [file.path]
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id, event.after["sha256"]) == ("create_releasefile", release.pk, file.sha256)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "Größe & Co.exe", "...", "a\nb"])
def test_no_name_leads_out_of_the_shelf(release, settings, name):
    file = add(release, name=name)
    assert (settings.DOWNLOADS_DIR / file.path).resolve().is_relative_to(settings.DOWNLOADS_DIR.resolve())
    assert file.path.startswith("Volocity/7.0/Windows/")
    assert len(file.path.split("/")) == 4
    assert shelf.fault_of(file) == ""


def test_what_is_refused_leaves_nothing_behind(release, settings):
    folder = settings.DOWNLOADS_DIR
    add(release)
    other = world.make_release("7.1", "2025-08-05", is_major=False)
    assert refusal_of(folder, release, platform="WINDOWS", content=b"another") == "release_file_exists"
    assert refusal_of(folder, other, content=b"") == "release_file_empty"
    assert refusal_of(folder, other) == "release_file_elsewhere"
    assert refusal_of(folder, other, platform="  ", content=b"b") == "platform_missing"
    assert refusal_of(folder, other, platform="x" * 41, content=b"b") == "platform_missing"
    assert refusal_of(folder, other, name="x" * 250, content=b"b") == "release_file_name_long"
    assert refusal_of(folder, other, content=b"b", actor=Actor("Sam", 1, "sales")) == "not_allowed"


def test_a_release_that_was_sold_against_gets_a_file_for_another_platform(release):
    Release.objects.update(sold_against_on="2025-06-01")
    assert add(release, platform="macOS").release == release


def test_a_file_comes_off_a_draft_and_stays_with_what_is_published(release, settings):
    file = add(release)
    before = everything(settings.DOWNLOADS_DIR)
    with pytest.raises(DomainError) as refused:
        remove_release_file(file=file, actor=world.SALES, at=world.at(DAY))
    assert refused.value.code == "release_file_published"
    assert everything(settings.DOWNLOADS_DIR) == before
    Release.objects.update(is_published=False)
    remove_release_file(file=file, actor=world.SALES, at=world.at(DAY))
    assert not ReleaseFile.objects.exists()
    corrected = add(release, content=b"corrected")
    assert (settings.DOWNLOADS_DIR / corrected.path).read_bytes() == b"corrected"


def run(command, *args):
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


def test_the_command_takes_a_file_in_and_says_what_it_is(release, tmp_path):
    build = tmp_path / "volocity.exe"
    build.write_bytes(b"x" * 2048)
    said = run("add_release_file", "volocity 7.0", "Windows", str(build))
    sha256 = hashlib.sha256(b"x" * 2048).hexdigest()
    assert said == f"Volocity/7.0/Windows/volocity.exe: 2.0 KB, SHA-256 {sha256}\n"
    with pytest.raises(CommandError, match="release_file_exists"):
        run("add_release_file", "Volocity 7.0", "Windows", str(build))
    with pytest.raises(CommandError, match="There is no release Volocity 9"):
        run("add_release_file", "Volocity 9.0", "Windows", str(build))
    with pytest.raises(CommandError, match="can’t be read"):
        run("add_release_file", "Volocity 7.0", "macOS", str(tmp_path / "nothing"))


def test_the_command_names_what_is_gone_or_has_changed(release, settings, capsys):
    kept, changed = add(release), add(release, platform="macOS", content=b"another")
    assert run("release_files") == "2 files, 0 not as they should be.\n"
    (settings.DOWNLOADS_DIR / changed.path).write_bytes(b"ANOTHER")
    (settings.DOWNLOADS_DIR / kept.path).unlink()
    with pytest.raises(SystemExit) as ended:
        call_command("release_files")
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "Volocity/7.0/macOS/setup.exe: its content has changed" in said
    assert "Volocity/7.0/Windows/setup.exe: it is not below the folder of downloads" in said


def test_the_command_takes_a_file_off_a_draft_only(release):
    file = add(release)
    with pytest.raises(CommandError, match="release_file_published"):
        run("release_files", "--remove", file.path)
    Release.objects.update(is_published=False)
    assert run("release_files", "--remove", file.path).startswith(f"{file.path} is off its release.")
    with pytest.raises(CommandError, match="No release has a file"):
        run("release_files", "--remove", file.path)


def test_the_demos_files_are_the_same_bytes_for_the_same_release(release):
    assert demo_archive(release, "macOS") == demo_archive(release, "macOS") != demo_archive(release, "Windows")
