"""Ask the web server of this container how it is, as the proxy before it would; exit status 0 is healthy."""

import http.client
import os
import sys

port = os.environ.get("WEB_BIND", "0.0.0.0:8000").rpartition(":")[2]
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=4)
host = os.environ["PORTAL_HOSTS"].split(",")[0]
connection.request("GET", "/health/", headers={"Host": host, "X-Forwarded-Proto": "https"})
sys.exit(connection.getresponse().status != 200)
