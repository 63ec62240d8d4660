"""Every page in each of its states: nothing that axe objects to, light and dark, on a phone and on a desk; nothing lies
over anything else, and no page is wider than its window."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from dongles.models import Dongle
from renewals.models import AccountMapEntry, DatevDetails
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.credits import credit_line
from renewals.services.files import attach_purchase_order
from renewals.services.journal import export_journal
from renewals.services.requests import record_request
from renewals.services.summaries import summarise_all
from tests import papers, world
from tests.journal.books import DATEV
from tests.journal.closed import make_accounts, make_close
from tests.web.browsing import watched_page
from tests.web.test_journeys import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

# Targets of 24 px at least (WCAG 2.2) are a rule that axe leaves off by itself.
RUN = "axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})"
# In the dark only colours are others, which no width changes; and they are what takes axe the longest.
RUN_DARK = "axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']})"
SIZES = ((390, 844), (1440, 900))
# Pairs of things on the page that lie over each other though neither holds the other.
OVERLAPS = """() => {
  const things = [...document.querySelectorAll("main :is(h1, h2, h3, p, dl, .card, .table-box, .message)")]
    .filter((thing) => thing.checkVisibility()).map((thing) => [thing, thing.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && box.height > 1);
  return things.flatMap(([one, a], index) => things.slice(index + 1)
    .filter(([other, b]) => !one.contains(other) && !other.contains(one)
      && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
    .map(([other]) => `${one.outerHTML.slice(0, 80)} and ${other.outerHTML.slice(0, 80)}`));
}"""


def dongle_addresses(customer, today):
    """Dongles in each situation."""
    past, soon = str(today - timedelta(days=400)), str(today + timedelta(days=20))
    ahead = str(today + timedelta(days=500))
    world.make_release("6.1", str(today - timedelta(days=700)), is_major=False)
    world.make_release("7.0", str(today - timedelta(days=200)))
    world.make_dongle("VALID", customer, [("VOL-VIS", ahead)])
    world.make_dongle("SOON", customer, [("VOL-VIS", soon), ("VOL-QNT", soon)])
    world.make_dongle("OVER", customer, [("VOL-VIS", past)])
    world.make_dongle("LAPSED", customer, [("OPL-FUL", past)])
    world.make_dongle("RAGGED", customer, [("VOL-VIS", past), ("VOL-QNT", ahead)])
    server = [(("VOL-VIS", "VOL-QNT", "OPL-FUL")[i % 3], soon) for i in range(12)]
    world.make_dongle("SERVER", customer, server, kind=Dongle.Kind.LICENCE_SERVER)
    world.make_dongle("EMPTY", customer, [])
    world.make_dongle("LOST", customer, [("VOL-VIS", ahead)], state=Dongle.State.LOST)
    orphan = world.make_dongle("ORPHAN", customer, [("VOL-VIS", ahead)])
    orphan.customer = None
    orphan.save()
    serials = ("VALID", "SOON", "OVER", "LAPSED", "RAGGED", "SERVER", "EMPTY", "LOST", "ORPHAN")
    pages = [reverse("renewals:dongle", args=[serial]) for serial in serials]
    world.make_release("8.0", str(today + timedelta(days=25)))
    builder = {serial: reverse("renewals:quote_builder", args=[serial]) for serial in ("RAGGED", "SERVER", "EMPTY")}
    several = "?dongles=VALID&dongles=OVER&renew_years=3&discount=5&free_months=2&waives_upgrades=on"
    return [*pages, *builder.values(), builder["RAGGED"] + several, builder["RAGGED"] + "?align_to=2020-01-01"]


def quote_addresses(customer, today):
    """Quotes and orders in each state."""

    def fresh(serial):
        return world.make_dongle(serial, customer, [("VOL-VIS", str(today + timedelta(days=20)))])

    discount = {
        "discount": Decimal("0.2"),
        "discount_reason": "Ten dongles",
        "actor": world.Actor("Sam", None, "sales"),
    }
    superseded = world.send(fresh("Q1"), today)
    declined = world.send(fresh("Q2"), today)
    quotes.decline_quote(version=declined, actor=world.SALES, at=world.at(today), reason="No budget")
    waiting_for = world.make_customer("Pays first", fulfil_on="payment")
    waiting = world.make_dongle("Q3", waiting_for, [("VOL-VIS", str(today))])
    fulfilled = world.sell(fresh("Q4"), today, renew_years=3)
    cancelled = world.sell(fresh("Q5"), today)
    cancel_order(order=cancelled, from_on=today, reason="Sold", actor=world.SALES, at=world.at(today), is_mistake=True)
    three = quotes.draft_quote(
        customer=customer,
        requests=[DongleRequest(fresh(serial), 2) for serial in ("Q6", "Q7", "Q8")],
        actor=world.SALES,
        at=world.at(today),
    )
    versions = [
        superseded,
        world.send(superseded.dongles.get().dongle, today, renew_years=2, revises=superseded.quote),
        declined,
        world.draft(fresh("Q9"), today, **discount),
        world.send(fresh("Q10"), today - timedelta(days=40)),
        fulfilled.version,
        three,
    ]
    replaced, open_one, expired = versions[0], versions[1], versions[4]
    replaced.refresh_from_db()
    orders = [fulfilled, cancelled, world.sell(waiting, today)]
    code = Dongle.objects.get(serial="Q4").codes.get()
    bridged, bridgeable = world.send(fresh("Q11"), today), world.send(fresh("Q12"), today)
    until = today + timedelta(days=40)
    grant_bridge(version=bridged, until=until, reason="Signed soon", actor=world.SALES, at=world.at(today))
    attach_purchase_order(order=fulfilled, name="PO.pdf", content=papers.PDF, actor=world.SALES, at=world.at(today))
    return [
        *(reverse("renewals:bridge", args=[each.quote_id, each.number]) for each in (bridged, bridgeable)),
        reverse("renewals:bridges"),
        *(reverse("renewals:quote_of_key", args=[each.key]) for each in (replaced, open_one, fulfilled.version)),
        *(reverse("renewals:quote_of_key", args=[each.key]) for each in (declined, expired)),
        reverse("renewals:quote_of_key", args=["none"]),
        reverse("renewals:dongle", args=["Q11"]),
        *(reverse("renewals:quote_version", args=[each.quote_id, each.number]) for each in versions),
        *(reverse("renewals:order", args=[each.pk]) for each in orders),
        reverse("renewals:cancel", args=[fulfilled.pk]),
        reverse("dongles:code", args=[code.pk]),
    ]


def finance_addresses():
    """The overview, the widest of the reports, and the lines behind one of its figures."""
    summarise_all()
    return [
        reverse("renewals:finance"),
        reverse("renewals:report", args=["waterfall"]),
        reverse("renewals:finance_lines") + "?figure=deferred&currency=EUR",
    ]


def sent_quote(today):
    version = world.send(world.make_dongle("FORMS", None, [("VOL-VIS", str(today))]), today)
    return reverse("renewals:quote_version", args=[version.quote_id, version.number])


def sold(name):
    """The address of that page of an order made for it."""

    def address(today):
        order = world.sell(world.make_dongle(f"FORM{name.upper()}", None, [("VOL-VIS", str(today))]), today)
        number = order.pk if name == "cancel" else order.version.dongles.get().dongle.codes.get().pk
        return reverse("renewals:cancel" if name == "cancel" else "dongles:code", args=[number])

    return address


def bridgeable(today):
    """The page of a bridge for a quote; its form wants a reason."""
    version = world.send(world.make_dongle("FORMBRIDGE", None, [("VOL-VIS", str(today))]), today)
    return reverse("renewals:bridge", args=[version.quote_id, version.number])


# Forms to send off as they come, which refuses them.
REFUSED = (
    (bridgeable, "main form button"),
    (lambda today: reverse("renewals:new_request"), "main form button.button-primary"),
    (sent_quote, ".next-step button.button-primary"),
    (sold("cancel"), "main form button"),
    (sold("code"), ".next-step button.button-primary"),
    (lambda today: reverse("renewals:quote_builder", args=["EMPTY"]), "main form button.button-primary"),
)


def check(page, found):
    """Look at the page as it is in both widths, in the dark too, then zoomed and in the narrowest window."""
    page.locator("main").wait_for()  # a page that is still coming has nothing to look at
    page.evaluate(Axe().axe_script)
    for width, height in SIZES:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": width, "height": height})
        found += _objections(page, f"{width} light", RUN)
        found += [f"{page.url} {width}: over each other {pair}" for pair in page.evaluate(OVERLAPS)]
    page.emulate_media(color_scheme="dark")
    found += _objections(page, "dark", RUN_DARK)
    for narrow in (720, 320):  # as zoomed to 200 % on a desk, and the narrowest there is
        page.set_viewport_size({"width": narrow, "height": 640})
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > narrow:
            found.append(f"{page.url} is {wide} px wide in a window of {narrow}")


def _objections(page, how, run):
    for violation in page.evaluate(run)["violations"]:
        nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
        yield f"{page.url} {how}: {violation['id']} at {nodes}"


def look_at(page, portal, found, *names):
    for name in names:
        page.goto(portal + (name if name.startswith("/") else reverse(name)))
        for each in page.locator("main details > summary").all():
            each.click()
        check(page, found)


@pytest.fixture
def look(portal, browser, client):
    """Looks at addresses as a sales person who has logged in."""

    def look(*addresses):
        found: list[str] = []
        with watched_page(browser, reduced_motion="reduce") as page:
            log_in(page, portal, client, world.make_user())
            look_at(page, portal, found, *addresses)
        assert found == []

    return look


def test_no_page_of_a_dongle_has_a_barrier(look, today):
    look(*dongle_addresses(world.make_customer(), today))


def test_no_page_of_a_quote_or_an_order_has_a_barrier(look, today):
    look(*quote_addresses(world.make_customer(), today))


def test_no_page_that_lists_or_finds_has_a_barrier(look, today):
    customer = world.make_customer()
    dongle_addresses(customer, today)
    quote_addresses(customer, today)
    asked = [
        record_request(serial=serial, name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(today))
        for serial in ("SOON", "nowhere")
    ]
    look(
        reverse("dongles:find"),
        reverse("dongles:find") + "?q=cells",
        reverse("renewals:queue"),
        reverse("renewals:requests"),
        *(reverse("renewals:request", args=[each.pk]) for each in asked),
        reverse("renewals:new_request"),
        reverse("renewals:quote_builder", args=["SOON"]) + f"?request={asked[0].pk}",
        reverse("renewals:quotes"),
        reverse("renewals:orders"),
        reverse("renewals:pipeline"),
        reverse("renewals:pipeline") + "?bucket=lapsed_over_major&sort=-value",
        reverse("renewals:due"),
        reverse("renewals:withdraw", args=["VALID", Dongle.objects.get(serial="VALID").licences.get().pk]),
        reverse("renewals:dongle", args=["UNKNOWN"]),
        "/nowhere/",
        reverse("sent_mail"),
    )


def test_no_page_of_finance_has_a_barrier(look, today):
    customer = world.make_customer()
    dongle_addresses(customer, today)
    quote_addresses(customer, today)
    look(
        *finance_addresses(),
        reverse("renewals:months"),
        reverse("renewals:month", args=[f"{today:%Y-%m}"]),
        reverse("renewals:report", args=["renewals"]),
        reverse("renewals:report", args=["given-away"]),
        reverse("renewals:report", args=["upgrades"]) + "?currency=reporting",
        reverse("renewals:sold_lines"),
    )


def test_no_form_that_was_refused_has_a_barrier(portal, browser, client, today):
    world.make_dongle("EMPTY", None, [])
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, world.make_user())
        for address, button in REFUSED:
            page.goto(portal + address(today))
            page.locator(button).first.click()
            page.locator(".field-error, .error-summary").first.wait_for()
            check(page, found)
    assert found == []


def test_logging_in_has_no_barrier(portal, browser, client):
    """Every page around logging in, each in its states: before, between the steps, without a factor, with two."""
    user = world.make_user()
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        look_at(page, portal, found, "account_reset_password", "account_reset_password_done", "account_signup")
        look_at(page, portal, found, "account_reset_password_from_key_done", "account_inactive")
        look_at(page, portal, found, "/accounts/password/reset/key/1-abc/", "account_login")
        page.locator("main button.button-primary").click()  # nothing typed
        page.locator(".error-summary").wait_for()
        check(page, found)
        page.fill("[name=login]", user.email)
        page.fill("[name=password]", "a long test password")
        page.locator("main button.button-primary").click()
        page.locator("[name=code]").wait_for()
        check(page, found)
        page.fill("[name=code]", "000000")
        page.locator("main button.button-primary").click()
        page.locator(".error-summary").wait_for()
        check(page, found)
        log_in(page, portal, client, world.make_user("finance", has_second_factor=False))
        look_at(page, portal, found, "mfa_index", "mfa_activate_totp", "mfa_add_webauthn")
        log_in(page, portal, client, user)
        look_at(page, portal, found, "mfa_index", "mfa_deactivate_totp", "account_change_password", "account_logout")
        look_at(page, portal, found, "mfa_generate_recovery_codes")
        page.locator("main button.button-primary").click()
        page.locator(".recovery-codes").wait_for()
        check(page, found)
        look_at(page, portal, found, "mfa_view_recovery_codes", "mfa_index", "account_reauthenticate")
        look_at(page, portal, found, "mfa_reauthenticate")
    assert found == []


def journal_addresses():
    """A journal that was exported, one that lacks an account, and the accounts."""
    DatevDetails.objects.create(pk=1, **DATEV._asdict())
    make_accounts()
    close, by = make_close(), {"actor": world.SALES, "at": world.at("2026-02-04")}
    export_journal(close=close, layout="generic", **by)
    AccountMapEntry.objects.filter(role="deferred").delete()
    make_close(month=date(2026, 2, 1))
    months = [reverse("renewals:journal", args=[month]) for month in ("2026-01", "2026-02")]
    return [
        *months,
        reverse("renewals:accounts"),
        reverse("renewals:account", args=[AccountMapEntry.objects.first().pk]),
    ]


def credit_addresses():
    """A concession to be given, and the order on which one was."""
    line = world.sell(world.make_dongle("CREDIT"), "2026-02-01").lines.first()
    credit_line(order_line=line, amount=100, reason="Slow", actor=world.SALES, at=world.at("2026-02-02"))
    return [
        reverse("renewals:credit", args=[line.order_id, line.pk]),
        reverse("renewals:order", args=[line.order_id]),
    ]


def test_accounts_journals_and_credits_have_no_barrier(portal, browser, client):
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, world.make_user("finance"))
        look_at(page, portal, found, *journal_addresses(), *credit_addresses())
    assert found == []
