"""The database backend: Django's PostgreSQL backend, with the server embedded in the checkout.

Nothing starts before the first connection is opened, so commands that need no database start none.
"""

from contextlib import suppress
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


def connection_address() -> dict[str, Any]:
    """How to reach the server, which runs when this returns. Raises PostgresUnavailable."""
    try:
        server = embedded_server().ensure_running()
    except EmbeddedPostgresError as error:
        raise PostgresUnavailable(str(error)) from error
    return {"host": server.socket_folder, "port": PORT, "user": USER}


def create_database_if_absent(name: str) -> None:
    with psycopg.connect(**connection_address(), dbname="postgres", autocommit=True) as connection:
        # Refused where another process was faster.
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params | connection_address())
        except psycopg.OperationalError as error:
            # Either the database is absent, or the server went away in this instant and is there again by now.
            name = conn_params["dbname"]
            if f'database "{name}" does not exist' in str(error):
                if name.startswith(TEST_DATABASE_PREFIX):  # Django makes and drops those
                    raise
                create_database_if_absent(name)
            return super().get_new_connection(conn_params | connection_address())
