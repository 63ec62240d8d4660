"""The database backend: Django's PostgreSQL backend, with the server embedded in the checkout.

Nothing starts before the first connection is opened, so commands that need no database start none.
"""

from functools import cache
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.db.backends.postgresql import base
from django.db.utils import OperationalError
from psycopg import sql

from .binaries import EmbeddedPostgresError
from .server import PORT, USER, EmbeddedServer


class PostgresUnavailable(OperationalError, CommandError):
    """The embedded server cannot be had. Being a CommandError too, manage.py prints the sentence, not a traceback."""


@cache
def embedded_server() -> EmbeddedServer:
    """This process's handle on the server; made late, so that the environment is read when it is needed."""
    return EmbeddedServer()


def address(*, last_known: bool = False) -> dict[str, Any]:
    """How to reach the server: one that is made sure to run, or the last known. Raises PostgresUnavailable."""
    place = embedded_server()
    try:
        server = place.last_known if last_known and place.last_known else place.ensure_running()
    except EmbeddedPostgresError as error:
        raise PostgresUnavailable(str(error)) from error
    return {"host": server.socket_folder, "port": PORT, "user": USER}


def create_database_if_absent(name: str) -> None:
    with psycopg.connect(**address(), dbname="postgres", autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process was faster
        except psycopg.errors.DiskFull as error:
            raise PostgresUnavailable(
                f"PostgreSQL could not create the database {name}: the disk of {embedded_server().folder} is full. "
                "Free some space and try again."
            ) from error


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params | address(last_known=True))
        except psycopg.OperationalError as error:
            # Either the database is absent, or the server has gone since it was last seen and is started again.
            name = conn_params["dbname"]
            if f'database "{name}" does not exist' in str(error):
                if name.startswith(TEST_DATABASE_PREFIX):  # Django makes and drops those
                    raise
                create_database_if_absent(name)
            return super().get_new_connection(conn_params | address())
