"""python -m portal.embedded status | stop | psql-url: look at the embedded server, or stop it."""

import os
import signal
import sys
import time
from urllib.parse import quote

from .server import PATIENCE_SECONDS, PORT, USER, EmbeddedServer

USAGE = "usage: python -m portal.embedded status | stop | psql-url [DATABASE]"


def main(arguments: list[str]) -> int:
    """Exit status 0 when the server runs (status, psql-url) or has stopped (stop), 1 when not, 2 for wrong usage."""
    place = EmbeddedServer()
    server = place.running()
    match arguments:
        case ["status"]:
            sys.stdout.write(
                f"running in {place.data}, supervised by process {server.supervisor_pid}; log: {place.log}\n"
                if server
                else f"not running ({place.data})\n"
            )
            return 0 if server else 1
        case ["psql-url", *names] if len(names) <= 1:
            if not server:
                sys.stderr.write("The server is not running: it runs while something uses it, make run for example.\n")
                return 1
            name = names[0] if names else "sma_portal"
            host = quote(server.socket_folder, safe="")
            sys.stdout.write(f"postgresql://{USER}@/{name}?host={host}&port={PORT}\n")
            return 0
        case ["stop"]:
            deadline = time.monotonic() + PATIENCE_SECONDS
            if server:
                os.kill(server.supervisor_pid, signal.SIGTERM)
            while place.running() and time.monotonic() < deadline:
                time.sleep(0.05)
            return 1 if place.running() else 0
    sys.stderr.write(USAGE + "\n")
    return 2


sys.exit(main(sys.argv[1:]))
