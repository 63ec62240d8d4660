"""Whole databases of tests: one is migrated, the others are copies of it, and after each test they are empty."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

quoted = connection.ops.quote_name


class Template:
    """The database that was migrated and nothing else, made by the first process of a run that wants one.

    The others wait for it. It is gone with the process that made it: whoever comes later migrates again.
    """

    def __init__(self, folder: Path) -> None:
        self.file = (folder / "template").open("a+")
        self.is_own = False

    @property
    def name(self) -> str:
        """Empty where there is none."""
        self.file.seek(0)
        return self.file.read()

    @contextmanager
    def locked(self) -> Iterator[None]:
        fcntl.flock(self.file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.file, fcntl.LOCK_UN)

    def make(self) -> None:
        """Of the database that this process has migrated."""
        source = connection.settings_dict["NAME"]
        connection.close()  # what is copied nobody may be connected to
        copy_database(source, f"{source}_template")
        self.file.write(f"{source}_template")
        self.file.flush()
        self.is_own = True

    def drop_own(self) -> None:
        if self.is_own:
            with self.locked():
                drop_database(self.name)
                self.file.truncate(0)


def copy_database(source: str, name: str) -> None:
    """Make the database anew, as a copy of one that nobody is connected to."""
    drop_database(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(source)}")


def drop_database(name: str) -> None:
    """Drop it if there is one, whoever is connected to it."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Have the connections of this process be to another database."""
    own = connection.settings_dict["NAME"]
    try:
        connection.close()
        connection.settings_dict["NAME"] = name
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def end_other_connections() -> None:
    """End those that threads have left open to the database, so that it can be dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def empty_tables(case: TransactionTestCase | None = None) -> None:
    """Delete all rows but those that migrating wrote; what is being written is waited for, and goes too.

    For Django's flush, which makes a thousand files anew and writes content types and permissions again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(_tables())} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"SELECT ARRAY[{', '.join(f'EXISTS (SELECT FROM {table})' for table in _tables())}]")
        (are_filled,) = cursor.fetchone()
        filled = [table for table, is_filled in zip(_tables(), are_filled, strict=True) if is_filled]
        for statement in (
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in filled),  # some refuse to delete
            "SET CONSTRAINTS ALL DEFERRED",
            *(f"DELETE FROM {table}" for table in filled),
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in filled),
        ):
            cursor.execute(statement)


@cache
def _tables() -> list[str]:
    kept = {ContentType._meta.db_table, Permission._meta.db_table}
    return [quoted(name) for name in connection.introspection.django_table_names() if name not in kept]
