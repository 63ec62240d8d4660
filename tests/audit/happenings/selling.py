"""What happens when quotes are asked for, made, sent and answered."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from dongles.models import Dongle
from portal.audit import Actor
from renewals.queries import DongleRequest
from renewals.services import answers, bridges, questions, quotes, requests, self_service
from tests import world
from tests.audit.happenings.beginnings import BY, DAY, draft, new_dongle, sent


def drafted_anew() -> Callable[[], object]:
    version = draft()
    return lambda: world.draft(Dongle.objects.get(), DAY, renew_years=2, revises=version.quote, actor=BY["actor"])


def sent_anew() -> Callable[[], object]:
    """The sent version is superseded, and the request that asked for it answered."""
    asked = record_of_request(new_dongle())
    first = world.send(Dongle.objects.get(), DAY)
    newer = world.draft(Dongle.objects.get(), DAY, revises=first.quote, answers=asked)
    return lambda: quotes.send_quote(version=newer, **BY)


def approved() -> Callable[[], object]:
    who = world.make_user("administrator")
    version = draft(discount=Decimal("0.5"), discount_reason="Ten dongles")
    return lambda: quotes.approve_quote(version=version, actor=Actor.of(who), at=BY["at"], reason="Worth it")


def record_of_request(dongle: Dongle) -> Any:
    return requests.record_request(serial=dongle.serial, name="Ada", email="ada@a.example", **BY)


def linked() -> Callable[[], object]:
    version = draft()
    asked = record_of_request(Dongle.objects.get())
    return lambda: requests.link_request(request=asked, quote=version.quote, **BY)


def answered() -> Callable[[], object]:
    version = draft()
    asked = requests.link_request(request=record_of_request(Dongle.objects.get()), quote=version.quote, **BY)
    return lambda: requests.answer_requests(quote=asked.quote, **BY)


def closed() -> Callable[[], object]:
    asked = record_of_request(new_dongle())
    return lambda: requests.close_request(request=asked, reason="Bought elsewhere", **BY)


def bridged() -> Callable[[], object]:
    version = sent()
    return lambda: bridges.grant_bridge(version=version, until=date(2026, 4, 10), reason="Signed soon", **BY)


def declined() -> Callable[[], object]:
    version = sent()
    return lambda: quotes.decline_quote(version=version, reason="No budget", **BY)


def resent() -> Callable[[], object]:
    version = sent()
    return lambda: quotes.resend_quote(version=version, **BY)


def quoted_at_once() -> Callable[[], object]:
    dongle = new_dongle()
    asked = {"requests": [DongleRequest(dongle, renew_years=1)], "contact": dongle.customer.contacts.get()}
    return lambda: self_service.quote_at_once(**asked, **BY)


def quoted_otherwise() -> Callable[[], object]:
    version = sent()
    dongle = Dongle.objects.get()
    asked = {"requests": [DongleRequest(dongle, renew_years=3)], "contact": dongle.customer.contacts.get()}
    return lambda: self_service.quote_otherwise(version=version, **asked, **BY)


def offered_anew() -> Callable[[], object]:
    """A quote that ran out."""
    version = world.send(new_dongle(), "2025-12-01")
    recipients = [version.quote.customer.contacts.get().email]
    return lambda: self_service.offer_anew(version=version, recipients=recipients, **BY)


def accepted_by_the_customer() -> Callable[[], object]:
    version = sent()
    given = {"accepted_by": "Ada Lenz, Purchasing", "terms": "Payment within 30 days.", "recipients": []}
    return lambda: self_service.accept_as_customer(version=version, purchase_order_number="PO-77", **given, **BY)


def asked_about() -> Callable[[], object]:
    version = sent()
    return lambda: questions.ask_question(version=version, name="Ada", email="ada@a.example", text="Why?", **BY)


def answered_about() -> Callable[[], object]:
    version = sent()
    asked = questions.ask_question(version=version, name="Ada", email="ada@a.example", text="Why?", **BY)
    return lambda: questions.answer_question(question=asked, **BY)


def asked_for() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: record_of_request(dongle)


def ask_on_the_page(*serials: str) -> Any:
    who = {"name": "Ada", "email": Dongle.objects.get().customer.contacts.get().email}
    return requests.ask_for_quote(serials=serials, wanted={"renew_years": 1, "added": []}, **who, **BY)


def asked_on_the_page() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: ask_on_the_page(dongle.serial)


def looked_up() -> Callable[[], object]:
    """One dongle is quoted at once, another not on record."""
    asked = ask_on_the_page(new_dongle().serial, "999999")
    return lambda: answers.answer_at_once(request=asked, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    quotes.draft_quote: drafted_anew,
    quotes.send_quote: sent_anew,
    quotes.resend_quote: resent,
    self_service.quote_at_once: quoted_at_once,
    self_service.quote_otherwise: quoted_otherwise,
    self_service.offer_anew: offered_anew,
    self_service.accept_as_customer: accepted_by_the_customer,
    questions.ask_question: asked_about,
    questions.answer_question: answered_about,
    quotes.approve_quote: approved,
    quotes.decline_quote: declined,
    bridges.grant_bridge: bridged,
    requests.record_request: asked_for,
    requests.ask_for_quote: asked_on_the_page,
    answers.answer_at_once: looked_up,
    requests.link_request: linked,
    requests.answer_requests: answered,
    requests.close_request: closed,
}
