"""Nothing writes but services, whose deeds test_every_write.py asks for, and places that stand here with a reason."""

import ast
from pathlib import Path

from django.conf import settings

WRITING = {"save", "bulk_create", "bulk_update", "delete"}
WRITING_OF_MANAGERS = {"create", "update", "get_or_create", "update_or_create"}
# Besides services: places that write, each for a reason.
PLACES_THAT_WRITE = {
    "portal/audit.py": "the trail itself",
    "portal/audit_chain.py": "its chain",
    "portal/outbox.py": "messages, which follow from what was told",
    "portal/mail.py": "the record of a mail that left",
    "portal/jobs.py": "a service, looked at in test_every_write.py",
    "portal/models.py": "makes users for whoever records it",
    "portal/second_factor.py": "codes used up; the demo's factor",
    "portal/api/login.py": "tokens, recorded there",
    "portal/accounts.py": "the session: attempts of a mailed code",
    "portal/web/__init__.py": "the session: which forms were done",
    "portal/failures.py": "counts of failures in the cache; what comes of them is recorded there",
    "dongles/web/staff.py": "saves a drawing",
    "portal/sheets.py": "saves a workbook",
    "dongles/installed_base/returned.py": "saves a workbook",
    "dongles/installed_base/writing.py": "a part of the import's service, and records",
    "renewals/demo/build.py": "the demo, looked at in test_every_write.py",
    "renewals/demo/customers.py": "the demo",
    "renewals/demo/catalogue.py": "the demo",
    "renewals/demo/history.py": "the demo: nobody is written to about what happened years ago",
}


def writes(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            source = ast.unparse(node.func)
            if node.func.attr in WRITING or (node.func.attr in WRITING_OF_MANAGERS and ".objects" in source):
                return True
    return False


def is_back_office(path: Path) -> bool:
    """It records in the classes that all of it stands on, and has tests of its own."""
    return path.stem == "admin" or "admin" in path.parts


def is_service(place: str) -> bool:
    return place.endswith(("/services.py", "dongles/catalogue.py", "dongles/downloads.py")) or "/services/" in place


def test_nothing_writes_but_services_and_places_with_a_reason():
    root = Path(settings.BASE_DIR)
    found = {
        str(path.relative_to(root))
        for app in ("portal", "dongles", "renewals")
        for path in (root / app).rglob("*.py")
        if "migrations" not in path.parts and not is_back_office(path) and writes(path)
    }
    beside = {place for place in found if not is_service(place)}
    assert beside == set(PLACES_THAT_WRITE)
