"""Every address of the portal is guarded, or public for a reason that stands here."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from portal.access import ABILITIES, IsStaff
from renewals.models import Order, QuoteVersion
from tests import world

# Django REST framework's fallback asks for a token too, but answers any address: it only says that it is unknown.
PUBLIC = {
    "api/v1/": "says of whatever is no address of the API that it is unknown",
    "": "says what the portal is, and leads who is logged in to their own pages, which are guarded",
    "renew/": "whoever has a serial number asks for a quote (Q5)",
    "renew/details/": "its second page; both look nothing up",
    "renew/check/": "its third, which keeps what was typed",
    "renew/done/": "its end: the reference, from the visitor's own session",
    "health/": "asked by load balancers, says nothing",
    "api/v1/login/": "who logs in has no token yet",
    "api/v1/schema/": "the documentation of the API, the same for everybody",
    "check-code/": "reads codes in the browser of whoever has one, with public keys and names of products",
    "q/<slug:key>/": "a sent quote for whoever has its key, from its mail or its document",
    "quote/<slug:number>/": "the same quote for whose browser has the cookie that the key was exchanged for",
    **{
        f"quote/<slug:number>/{step}/": "a step of that page, by the same cookie"
        for step in ("document", "accept", "decline", "ask", "choose", "again")
    },
    "reminders/<uuid:key>/": "a contact's own page about reminders, by a key from their mail alone",
    "feeds/<slug:serial>/<slug:token>.json": "what a dongle's software may install, by a token that its owner has",
    "feeds/<slug:serial>/<slug:token>.xml": "the same as an appcast, by the same token",
    "feeds/<slug:serial>/<slug:token>/files/<int:file_id>/": "a build that the feed names, by the same token",
    "accounts/": "allauth's pages guard themselves: logging in and out, passwords",
}


def patterns(resolver=None, prefix=""):
    for each in (resolver or get_resolver()).url_patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield address, each.callback
        else:
            yield from patterns(each, address)


def is_public(address):
    return address in PUBLIC or address.startswith("accounts/")


def is_guarded(address, view):
    if address.startswith("back-office/"):
        return True  # Django's admin guards itself; asked by a test below
    if hasattr(view, "is_for_customers"):
        return True  # asked by tests/web/test_foreign.py
    if hasattr(view, "ability"):
        return view.ability in set().union(*ABILITIES.values())
    permissions = getattr(getattr(view, "cls", None), "permission_classes", ())
    return any(issubclass(each, IsStaff) for each in permissions)


def test_every_address_is_guarded_or_public_for_a_reason():
    found = list(patterns())
    assert len(found) > 40
    open_doors = [address for address, view in found if not is_public(address) and not is_guarded(address, view)]
    assert open_doors == []


def test_no_reason_stands_for_an_address_that_is_gone():
    addresses = {address for address, _ in patterns()}
    assert {each for each in PUBLIC if each != "accounts/"} <= addresses


@pytest.fixture
def pages(dongle, today):
    """Every page that shows something, by its address."""
    sold = world.make_dongle("204233", dongle.customer, [("VOL-VIS", today.isoformat())])
    order = world.sell(sold, today)
    version = world.draft(dongle, today)
    code = sold.codes.get()
    quote = [version.quote_id, version.number]
    customer = [dongle.customer_id]
    return {
        "see": [
            reverse("dongles:find"),
            reverse("dongles:support"),
            reverse("dongles:history", args=[dongle.serial]),
            reverse("audit"),
            reverse("audit_csv"),
            reverse("dongles:code", args=[code.pk]),
            reverse("dongles:code_qr", args=[code.pk]),
            reverse("dongles:code_file", args=[code.pk]),
            reverse("renewals:dongle", args=[dongle.serial]),
            reverse("renewals:search"),
            reverse("renewals:customers"),
            reverse("renewals:customer", args=customer),
            reverse("renewals:quotes"),
            reverse("renewals:quote", args=quote[:1]),
            reverse("renewals:quote_version", args=quote),
            reverse("renewals:bridges"),
            reverse("renewals:queue"),
            reverse("renewals:requests"),
            reverse("renewals:document", args=quote),
            reverse("renewals:pipeline"),
            reverse("renewals:pipeline_csv"),
            reverse("renewals:reminders"),
            reverse("renewals:reminders_sent"),
            reverse("renewals:reminders_unreached"),
            reverse("renewals:reminders_stopped"),
            reverse("renewals:pipeline_xlsx"),
            reverse("renewals:orders"),
            reverse("renewals:order", args=[order.pk]),
            reverse("renewals:months"),
            reverse("renewals:month", args=[f"{today:%Y-%m}"]),
            reverse("sent_mail"),
        ],
        "sell": [
            reverse("renewals:bridge", args=quote),
            reverse("renewals:new_request"),
            reverse("renewals:new_customer"),
            reverse("renewals:change_customer", args=customer),
            reverse("renewals:new_contact", args=customer),
            reverse("renewals:contact", args=[*customer, dongle.customer.contacts.get().pk]),
            reverse("renewals:quote_builder", args=[dongle.serial]),
            reverse("dongles:feed_addresses", args=[dongle.serial]),
            reverse("renewals:withdraw", args=[dongle.serial, dongle.licences.first().pk]),
        ],
        "cancel": [reverse("renewals:cancel", args=[order.pk])],
    }


def every(pages):
    return [address for addresses in pages.values() for address in addresses]


def test_who_is_not_logged_in_is_asked_to(pages):
    for address in every(pages):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/login/?next="), address


def test_a_customer_finds_none_of_it(pages, customer_user):
    assert {customer_user.get(address).status_code for address in every(pages)} == {403}


def test_sales_sees_every_page(pages, sales):
    assert {address: sales.get(address).status_code for address in every(pages)} == dict.fromkeys(every(pages), 200)


def test_finance_looks_and_cancels_but_does_not_sell(pages, finance):
    assert {finance.get(address).status_code for address in pages["see"] + pages["cancel"]} == {200}
    assert {finance.get(address).status_code for address in pages["sell"]} == {403}


def test_finance_cannot_post_what_sales_does(dongle, today, finance):
    draft = world.draft(dongle, today)
    for step in ("send", "approve", "decline", "accept"):
        address = reverse(f"renewals:{step}", args=[draft.quote_id, draft.number])
        assert finance.post(address, {"reason": "x", "accepted_by": "x"}).status_code == 403
    builder = reverse("renewals:quote_builder", args=[dongle.serial])
    assert finance.post(builder, {"renew_years": "1"}).status_code == 403
    assert list(QuoteVersion.objects.values_list("state", flat=True)) == ["draft"]
    assert not Order.objects.exists()


def test_finance_is_offered_nothing_to_sell(dongle, today, finance):
    version = world.send(dongle, today)
    page = finance.get(reverse("renewals:dongle", args=[dongle.serial])).content.decode()
    assert "Make a quote" not in page
    assert "Withdraw" not in page
    quote = finance.get(reverse("renewals:quote", args=[version.quote_id])).content.decode()
    assert "Sales takes the next step." in quote
    assert '<form method="post" action="/quotes/' not in quote


def test_sales_cannot_record_a_payment(dongle, today, sales):
    dongle.customer.fulfil_on = "payment"
    dongle.customer.save()
    order = world.sell(dongle, today)
    assert sales.post(reverse("renewals:pay", args=[order.pk]), {"paid_on": today.isoformat()}).status_code == 403
    order.refresh_from_db()
    assert (order.state, order.paid_on) == ("accepted", None)


def test_only_administrators_enter_the_back_office(sales, administrator):
    assert sales.get("/back-office/").status_code == 302
    page = administrator.get("/back-office/")
    assert page.status_code == 200
    assert "Customers" in page.content.decode()


def test_what_only_posts_is_not_found_by_looking(dongle, today, sales):
    draft = world.draft(dongle, today)
    assert sales.get(reverse("renewals:send", args=[draft.quote_id, draft.number])).status_code == 405
