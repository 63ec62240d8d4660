"""manage.py serve [--port N]: the portal on this machine, for development and the demo."""

import os
import signal
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.module_loading import import_string
from gunicorn.app.base import BaseApplication

from portal.models import User

HOST = "127.0.0.1"
ENDING_SIGNALS = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}


class PortalServer(BaseApplication):
    """gunicorn with the portal in it: Ctrl-C ends the requests in hand, then the workers."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.own_settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.own_settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return import_string(settings.WSGI_APPLICATION)


class Command(BaseCommand):
    help = "Serve the portal on this machine (development and demo; production runs gunicorn itself)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, port: int, **options: Any) -> None:
        require_free_port(port)
        if not os.environ.get("PORTAL_ADDRESS"):
            settings.ADDRESS = f"http://{HOST}:{port}"  # where the links in mails and documents lead
        # This process outlives its workers: by opening the database first it keeps the embedded server for them.
        require_tables()
        logins, customer = demo_logins(), import_string("renewals.demo.customers_login")()
        connection.close()
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        PortalServer(
            {
                "bind": f"{HOST}:{port}",
                "workers": 2,
                "threads": 4,
                "worker_class": "gthread",
                "loglevel": "warning",
                "graceful_timeout": 5,
                "when_ready": lambda _: self.greet(port, logins, customer),
                # gunicorn ends a worker by raising SystemExit wherever it is, for each signal anew. In the middle of a
                # thread's start, or of the end itself, that breaks something: so they wait until the worker has
                # booted, and after the first of them.
                "post_fork": lambda _arbiter, _worker: signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS),
                "post_worker_init": lambda _: signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS),
                "worker_int": lambda _: signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS),
            }
        ).run()

    def greet(self, port: int, logins: list[str], customer: str) -> None:
        self.stdout.write(f"\nThe portal is at http://{HOST}:{port}/")
        for login in logins:
            self.stdout.write(f"  {login}")
        if logins:
            self.stdout.write("The second step of their login says which code to type.")
        if customer:
            self.stdout.write(f"As a customer, at http://{HOST}:{port}/my/, without a password:\n  {customer}")
        self.stdout.write("Ctrl-C ends it.")


def demo_logins() -> list[str]:
    """A line for each of the demo's users that the database has: address, role, password."""
    logins = import_string("renewals.demo.logins")()  # as a string: portal imports nothing of the apps above it
    roles = dict(User.objects.filter(email__in=[login.email for login in logins]).values_list("email", "role"))
    return [f"{login.email:24} {roles[login.email]:14} {login.password}" for login in logins if login.email in roles]


def require_tables() -> None:
    if User._meta.db_table not in connection.introspection.table_names():
        raise CommandError("The database is empty: begin with make run, or manage.py migrate.")


def require_free_port(port: int) -> None:
    """Refuse a port that something listens on, or that is not ours to take."""
    if not 0 < port < 65536:
        raise CommandError(f"{port} is not a port: choose one from 1024 to 65535, for example make run PORT=8001.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}); perhaps the portal runs already. End what uses it, or "
                f"choose another port: make run PORT={port + 1}"
            ) from None
