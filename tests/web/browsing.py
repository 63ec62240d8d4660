"""A real browser for tests: found on the machine, kept to this machine, and watched."""

import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def browser_path():
    """Where a Chromium or Chrome is, or none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def watched_page(browser, **options):
    """A page of a fresh context; whatever it complains about, and whoever else it asks, fails the test at the end."""
    context = browser.new_context(locale="en-GB", **options)
    page, complaints, hosts = context.new_page(), [], set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _listen(message, complaints))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.set_default_timeout(10_000)
    try:
        yield page
        assert complaints == []
        assert hosts - {None} <= {"localhost", "127.0.0.1"}
    finally:
        context.close()


def _listen(message, complaints):
    """Errors and warnings, violations of the content security policy among them; a refused form is none of them."""
    is_refusal = "the server responded with a status of 4" in message.text
    if message.type in ("error", "warning") and not is_refusal:
        complaints.append(message.text)
