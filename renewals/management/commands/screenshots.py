"""manage.py screenshots: pictures of the main pages, taken of the demo in a real browser (development only)."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from portal.models import Contact, User
from renewals.demo import DEMO_PASSWORD, build, logins
from renewals.models import QuoteVersion
from renewals.states import QuoteState

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
DESK, PHONE = (1440, 900), (390, 1400)
LARGEST = 200_000  # bytes
LINKED = "104407"  # a dongle with a sent quote, of a customer with dongles in many states


class Picture(NamedTuple):
    """A page to photograph: its address, and what to press on it, in order, before."""

    name: str
    address: str
    presses: tuple[str, ...] = ()
    is_dark_too: bool = False


OPEN_QUOTE = "main a[href^='/quotes/']"
PICTURES = (
    Picture("queue", "/queue/", is_dark_too=True),
    Picture("pipeline", "/pipeline/"),
    Picture("finance", "/finance/?currency=EUR", is_dark_too=True),
    Picture("forecast", "/finance/reports/forecast/?currency=EUR"),
    Picture("find", "/dongles/?q=10431"),
    Picture("dongle", "/dongles/104311/", is_dark_too=True),
    Picture("builder", "/dongles/104311/quote/?renew_years=2", ("tr:nth-of-type(3) summary",)),
    Picture("quote", "/dongles/104407/", (OPEN_QUOTE,), is_dark_too=True),
    Picture("order", "/dongles/104401/", ("main a[href^='/orders/']",)),
    Picture("code", "/dongles/104404/", ("main a[href^='/dongles/codes/']",)),
    Picture("customer", "/customers/1/", is_dark_too=True),
    Picture("search", "/search/?q=imaging"),
    Picture("campaign", "/campaigns/new/"),
    Picture("reminders", "/reminders/"),
    Picture("replace", "/dongles/104233/replace/?cause=broken"),
    Picture("data-quality", "/data-quality/"),
    Picture("audit", "/audit/"),
)
# As whoever comes to the portal, with no login. Presses may be texts to type: “field=text”.
CONTINUE = "main form button.button-primary"
ASKED = ("#id_serials=S/N 110070, 110287 and 110063", CONTINUE)
PUBLIC_PICTURES = (
    Picture("front", "/", is_dark_too=True),
    Picture("renew", "/renew/"),
    Picture("renew-details", "/renew/", ASKED),
    Picture("renew-check", "/renew/", (*ASKED, "#id_name=Mara Ferrer", "#id_email=mara@nowhere.example", CONTINUE)),
    Picture("check-code", "/check-code/", is_dark_too=True),
    Picture("log-in", "/accounts/login/code/"),
)
CUSTOMERS_PICTURES = (
    Picture("my-home", "/my/", is_dark_too=True),
    Picture("my-dongle", "/my/dongles/104308/"),
    Picture("my-renew", "/my/renew/?dongle=104407&dongle=110245&years=3", is_dark_too=True),
    Picture("my-quote", "/my/dongles/104407/", ("main .next-step a.button-primary",)),
    Picture("my-code", "/my/", ("main .next-step a.button-primary",), is_dark_too=True),
    Picture("my-downloads", "/my/downloads/"),
    Picture("my-support", "/my/support/"),
    Picture("my-account", "/my/account/"),
)
OFFICE_PICTURES = (
    Picture("import", "/dongles/import/"),
    Picture("back-office", "/back-office/"),
    Picture("price-list", "/back-office/renewals/pricelist/", ("#result_list tbody th a",)),
)


def a_link_and_its_reader() -> tuple[str, str]:
    """The address of a quote that its customer can accept, and by which address they log in."""
    version = QuoteVersion.objects.get(state=QuoteState.SENT, dongles__dongle__serial=LINKED)
    contact = Contact.objects.filter(customer=version.quote.customer).order_by("pk")[0]
    return reverse("renewals:quote_of_key", args=[version.key]), contact.email


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Command(BaseCommand):
    help = "Take pictures of the demo's main pages, for the documentation. Needs Chromium or Chrome, and playwright."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=["staff", "customers"], help="not the pages of the others")
        parser.add_argument("--to", type=Path, default=settings.BASE_DIR / "docs" / "screenshots", metavar="FOLDER")

    def handle(self, *, to: Path, only: str | None, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Pictures are taken of the demo, which is refused in production.")
        if not build.is_there():
            raise CommandError("There is no demo in this database: manage.py demo writes it.")
        browser_path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if browser_path is None:
            raise CommandError(f"No browser: install one of {', '.join(BROWSERS)}.")
        to.mkdir(parents=True, exist_ok=True)
        server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            self._photograph(f"http://127.0.0.1:{server.server_port}", browser_path, to, only)
        finally:
            server.shutdown()

    def _photograph(self, portal: str, browser_path: str, to: Path, only: str | None) -> None:
        from playwright.sync_api import sync_playwright  # a development dependency

        link, email = a_link_and_its_reader()  # no query is let through once the browser is there
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
            if only != "customers":
                self._photograph_staffs(browser, portal, to)
            if only != "staff":
                self._photograph_customers(browser, portal, to, link, email)
            browser.close()

    def _photograph_staffs(self, browser: Any, portal: str, to: Path) -> None:
        for role, pictures in ((User.Role.SALES, PICTURES), (User.Role.ADMINISTRATOR, OFFICE_PICTURES)):
            page = browser.new_context(locale="en-GB").new_page()
            self._log_in(page, portal, next(login.email for login in logins() if login.role == role))
            for picture in pictures:
                self._photograph_page(page, portal, picture, to)

    def _photograph_customers(self, browser: Any, portal: str, to: Path, link: str, email: str) -> None:
        page = browser.new_context(locale="en-GB").new_page()
        for picture in (*PUBLIC_PICTURES, Picture("quote-by-link", link, is_dark_too=True)):
            self._photograph_page(page, portal, picture, to)
        self._log_in_as_customer(page, portal, email)
        for picture in CUSTOMERS_PICTURES:
            self._photograph_page(page, portal, picture, to)

    def _log_in_as_customer(self, page: Any, portal: str, email: str) -> None:
        page.goto(f"{portal}{reverse('account_request_login_code')}")
        page.fill("[name=email]", email)
        page.click(CONTINUE)
        page.fill("[name=code]", page.locator("#demo-code code").text_content())
        page.click(CONTINUE)
        page.locator(".user-menu").wait_for()

    def _log_in(self, page: Any, portal: str, email: str) -> None:
        page.goto(f"{portal}/accounts/login/")
        page.fill("[name=login]", email)
        page.fill("[name=password]", DEMO_PASSWORD)
        page.click("main button.button-primary")
        page.fill("[name=code]", page.locator("#demo-code code").text_content())
        page.click("main button.button-primary")
        page.locator(".user-menu").wait_for()

    def _photograph_page(self, page: Any, portal: str, picture: Picture, to: Path) -> None:
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.goto(portal + picture.address)
        for press in picture.presses:
            field, is_typed, text = press.partition("=")
            if is_typed and field.startswith("#"):
                page.fill(field, text)
                continue
            page.locator(press).first.click()
            page.wait_for_load_state("networkidle")
        self._take(page, to / f"{picture.name}.png", DESK)
        self._take(page, to / f"{picture.name}-phone.png", PHONE)
        if picture.is_dark_too:
            self._take(page, to / f"{picture.name}-dark.png", DESK, "dark")

    def _take(self, page: Any, file: Path, size: tuple[int, int], scheme: str = "light") -> None:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        page.mouse.move(0, 0)
        page.screenshot(path=file)
        length = os.path.getsize(file)
        self.stdout.write(f"{file.name}: {length // 1000} kB" + (" – too large!" if length > LARGEST else ""))
