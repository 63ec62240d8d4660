"""Whether this container's web server, or its signer (argument `signer`), answers; exit status 0 is healthy."""

import http.client
import os
import socket
import sys


def web_answers() -> bool:
    """Asks as the proxy before it would."""
    port = os.environ.get("WEB_BIND", "0.0.0.0:8000").rpartition(":")[2]
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=4)
    host = os.environ["PORTAL_HOSTS"].split(",")[0]
    connection.request("GET", "/health/", headers={"Host": host, "X-Forwarded-Proto": "https"})
    return connection.getresponse().status == 200


def signer_answers() -> bool:
    """Sends it what is no record: a socket left by a dead signer is no answer, a refusal is."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(4)
        connection.connect(os.environ.get("SIGNER_SOCKET", "/run/signer/signer.sock"))
        connection.sendall(b"\n")
        return b'"malformed"' in connection.recv(1024)


sys.exit(not (signer_answers() if sys.argv[1:] == ["signer"] else web_answers()))
