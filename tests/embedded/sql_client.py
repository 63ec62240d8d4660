"""A client process for the tests: python -m tests.embedded.sql_client [LAST WORDS].

Runs each line of standard input as SQL through the embedded database backend and answers with a line of JSON, rows or
{"error": …}; as a request would, it looks before each whether its connection still works. On Ctrl-C it runs its last
words, if it was given some, before it ends.
"""

import json
import signal
import sys

from django.conf import settings

settings.configure(DATABASES={"default": {"ENGINE": "portal.embedded", "NAME": "kept", "CONN_MAX_AGE": None}})

from django.db import Error, connection  # noqa: E402 - once settings exist


def answer(statement: str) -> None:
    connection.close_if_unusable_or_obsolete()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetchall() if cursor.description else []
    except Error as error:
        connection.errors_occurred = True
        found = {"error": str(error)}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background has it ignored
try:
    sys.stdout.write(json.dumps("imported") + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        answer(line)
except KeyboardInterrupt:
    for statement in sys.argv[1:]:
        answer(statement)
