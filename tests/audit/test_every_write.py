"""No write without an event: whoever adds a service, a model or a place that writes has to say here how it is told."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import ForeignKey, Model

import portal.services
import renewals.services
from dongles import catalogue, downloads
from dongles import services as dongle_services
from dongles.models import Dongle, Product, Release
from dongles.unlock import receipt_of
from portal import exports, jobs, outbox
from portal.audit import Actor
from portal.models import AuditEvent, Job
from portal.services import customers, logins, users
from portal.trail import TrailFilters
from renewals.demo import build
from renewals.models import AccountMapEntry, Campaign, PolicySettings, PriceList, Resemblance
from renewals.overviews.due import Window
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest
from renewals.rates import read_rates
from renewals.services import (
    account_map,
    answers,
    bridges,
    campaigns,
    cancellations,
    closing,
    credits,
    files,
    journal,
    orders,
    questions,
    quotes,
    rates,
    reminders,
    replacements,
    requests,
    self_service,
    sending,
    summaries,
)
from renewals.services import catalogue as terms
from renewals.services import customers as doubles
from tests import papers, world
from tests.journal.books import DATEV
from tests.journal.closed import close_with_entries

pytestmark = pytest.mark.django_db
DAY = "2026-02-01"

# Every model of the portal. Rows whose events are their own alone, or also those of the row that a path leads to:
OWN = ""
TOLD_BY = {
    "portal.customer": OWN,
    "renewals.customermerge": "kept",
    "renewals.resemblance": "one",
    "portal.contact": "customer",
    "portal.user": OWN,
    "portal.job": OWN,
    "portal.jobfile": "job",
    "dongles.productfamily": OWN,
    "dongles.product": OWN,
    "dongles.release": OWN,
    "dongles.releasefile": "release",
    "dongles.dongle": OWN,
    "dongles.licence": "dongle",
    "dongles.replacement": "predecessor",
    "dongles.smaperiod": "licence",
    "dongles.unlockcode": OWN,
    "dongles.codereceipt": "code",
    "dongles.import": OWN,
    "renewals.pricelist": OWN,
    "renewals.pricelistentry": "price_list",
    "renewals.policysettings": OWN,
    "renewals.taxrate": OWN,
    "renewals.exchangerate": OWN,
    "renewals.quote": "versions",
    "renewals.quoteversion": OWN,
    "renewals.quotedongle": "version",
    "renewals.quoteline": "quoted.version",
    "renewals.quotedocument": "version",
    "renewals.quotequestion": "version",
    "renewals.order": OWN,
    "renewals.orderline": "order",
    "renewals.revenuesegment": "order_line.order",
    "renewals.monthclose": OWN,
    "renewals.ledgerentry": "close",
    "renewals.monthreopening": "close",
    "renewals.salefact": "order",
    "renewals.accountmapentry": OWN,
    "renewals.datevdetails": OWN,
    "renewals.journalexport": OWN,
    "renewals.journalfile": "export",
    "renewals.purchaseorderfile": "order",
    "renewals.bridge": "version",
    "renewals.renewalrequest": OWN,
    "renewals.requesteddongle": "request",
    "renewals.campaign": OWN,
    "renewals.campaignschedule": OWN,
    "renewals.remindermailing": "customer",
    "renewals.reminder": "mailing.customer",
    "renewals.remindercopy": "mailing.customer",
}
# A dongle's numbers and dates move with its codes, whose events tell it; what a customer owns moves with a merge.
ALSO_TOLD_BY = {
    "dongles.dongle": "codes",
    "renewals.quote": "customer",
    "renewals.order": "customer",
    "portal.user": "customer",
}
# Rows that are the trail itself, or work of the system that follows from what was told.
NOT_BUSINESS = {
    "portal.auditevent",
    "portal.auditlink",
    "portal.unsealedevent",
    "portal.outboxmessage",
    "portal.sentmail",
    "dongles.columnchoice",  # which heads meant what, for the next file; the import's events say what was chosen
    "renewals.unsummarisedsegment",  # what the sums lack yet, and the sums themselves
    "renewals.monthfigures",
    "renewals.bookingfigures",
    "renewals.outdatedrenewal",  # whose figures of renewals are to be worked out anew, and these figures
    "renewals.duedongle",
    "renewals.duefigures",
    "renewals.customerretention",
    "renewals.retentionfigures",
    "renewals.customercohort",
    "renewals.cohortfigures",
    "renewals.bookingtotals",
    "renewals.accountingmonth",  # a row to lock; that a month was closed or opened its closes and reopenings tell
    "renewals.campaignitem",  # a campaign's list of what is to do; what comes of it are quotes
}
# Columns that say who acted, which the event does by itself; that are secret; that only number things; or, of a text
# that a person wrote, hold what is the event's reason.
NOT_SAID = {
    *(
        "approved_by",
        "drafted_by",
        "uploaded_by",
        "granted_by",
        "recorded_by",
        "key_hash",
        "key_nonce",
        "sequence",
        "withdrawal_reason",
    ),
    *("entered_at", "cancel_asked_at", "ended_at", "began_at", "kept_at", "dismissed_at", "undone_at"),
    *("cancel_asked_at", "ended_at", "began_at", "kept_at", "dismissed_at", "undone_at", "decided_at"),
    *("answered_by", "answered_at"),
}


def business_models() -> list[type[Model]]:
    labels = ("portal", "dongles", "renewals")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return [model for model in models if model._meta.label_lower not in NOT_BUSINESS]


def test_every_model_is_told_or_is_no_business():
    found = {model._meta.label_lower for model in business_models()}
    assert found == set(TOLD_BY)


# What happens: a function for each service. It prepares, and returns the call whose writes are looked at.

BY: dict[str, Any] = {"actor": Actor("Sally Sales"), "at": world.at(DAY, hour=15)}


def new_dongle(serial: str = "104233", **fields: Any) -> Dongle:
    if not PriceList.objects.exists():
        world.make_catalogue()
        world.make_release("6.0", "2025-05-05")
    return world.make_dongle(serial, **fields)


def draft(**asked: Any) -> Any:
    return world.draft(new_dongle(), DAY, **asked)


def sent(**asked: Any) -> Any:
    return world.send(new_dongle(), DAY, **asked)


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


def accepted() -> Callable[[], object]:
    """With a licence that is added, a file, and releases that nothing was sold against before."""
    version = sent(added=(AddedLicence("VOL-QNT", 2),))
    upload = {"purchase_order_number": "PO-77", "accepted_by": "Ada Lenz"}
    return lambda: orders.accept_quote(version=version, purchase_order_file=uploaded(), **upload, **BY)


def uploaded() -> Any:
    file = BytesIO(papers.PDF)
    file.name = "PO-77.pdf"
    return file


def paid() -> Callable[[], object]:
    world.make_catalogue()
    order = world.sell(world.make_dongle(customer=world.make_customer(fulfil_on="payment")), DAY)
    return lambda: orders.fulfil_order(order=order, paid_on=date(2026, 2, 1), **BY)


def cancelled() -> Callable[[], object]:
    """From a day in the first of the years that it bought, so that a period is shortened; its added licence goes."""
    order = world.sell(new_dongle(), DAY, renew_years=2, added=(AddedLicence("VOL-QNT", 2),))
    return lambda: cancellations.cancel_order(order=order, from_on=date(2026, 2, 1), reason="Sold", **BY)


def credited() -> Callable[[], object]:
    line = world.sell(new_dongle(), DAY).lines.first()
    return lambda: credits.credit_line(order_line=line, amount=10_000, reason="Support was slow", **BY)


def bridged() -> Callable[[], object]:
    version = sent()
    return lambda: bridges.grant_bridge(version=version, until=date(2026, 4, 10), reason="Signed soon", **BY)


def closed_month() -> Callable[[], object]:
    world.sell(new_dongle(), "2026-01-20")
    summaries.summarise_all()
    return lambda: closing.close_month(month=date(2026, 1, 1), **BY)


def asked_to_reopen() -> Callable[[], object]:
    found = closed_month()()
    ann = Actor("Sally Sales", world.make_user("finance").pk, "finance")
    return lambda: closing.ask_reopening(close=found, reason="Late", actor=ann, at=BY["at"])


def reopened() -> Callable[[], object]:
    asked = asked_to_reopen()()
    ben = Actor("Administrator", world.make_user("administrator").pk, "administrator")
    return lambda: closing.decide_reopening(reopening=asked, is_granted=True, actor=ben, at=BY["at"])


def received() -> Callable[[], object]:
    world.sell(new_dongle(), DAY)
    dongle = Dongle.objects.get()
    code = dongle.codes.get()
    shown = receipt_of(dongle.serial, code.generation, code.sequence, code.expiry_on)
    return lambda: dongle_services.confirm_receipt(dongle=dongle, receipt=shown, **BY)


def withdrawn() -> Callable[[], object]:
    licence = new_dongle().licences.first()
    return lambda: dongle_services.withdraw_licence(licence=licence, reason="Not used", **BY)


def corrected() -> Callable[[], object]:
    new_dongle()
    release = Release.objects.get()
    return lambda: catalogue.change_release(release=release, build_on=date(2025, 6, 6), is_major=False, **BY)


def locked_releases() -> Callable[[], object]:
    new_dongle()
    return lambda: dongle_services.mark_releases_sold_against(families=["Volocity"], **BY)


def attached() -> Callable[[], object]:
    order = world.sell(new_dongle(), DAY)
    return lambda: files.attach_purchase_order(order=order, name="PO.pdf", content=papers.PDF, **BY)


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


def reminded() -> Callable[[], object]:
    """Thirty days before the SMA ends."""
    new_dongle(licences=[("VOL-VIS", "2026-03-03")])
    return lambda: reminders.post_reminders(**BY)


def stopped_reminding() -> Callable[[], object]:
    contact = new_dongle().customer.contacts.get()
    return lambda: reminders.switch_reminders(contact=contact, wanted=False, **BY)


def new_customer() -> Callable[[], object]:
    details = customers.CustomerDetails("Institute of Cells", "DE", "EUR")
    return lambda: customers.create_customer(details=details, **BY)


def changed_customer() -> Callable[[], object]:
    customer = world.make_customer()
    details = customers.CustomerDetails.of(customer)._replace(name="Institute of Life", fulfil_on="payment")
    return lambda: customers.change_customer(customer=customer, details=details, **BY)


def new_contact() -> Callable[[], object]:
    customer = world.make_customer()
    return lambda: customers.add_contact(customer=customer, name="Bo", email="bo@cells.example", **BY)


def contact() -> Any:
    return world.make_customer().contacts.get()


def changed_contact() -> Callable[[], object]:
    ada = contact()
    return lambda: customers.change_contact(contact=ada, name="Ada Lenz-Abel", email="abel@cells.example", **BY)


def left() -> Callable[[], object]:
    ada = contact()
    return lambda: customers.contact_left(contact=ada, **BY)


def back() -> Callable[[], object]:
    ada = customers.contact_left(contact=contact(), **BY)
    return lambda: customers.contact_came_back(contact=ada, **BY)


def moved() -> Callable[[], object]:
    customer = world.make_customer(postal_address="Old Road 1")
    addresses = customers.Addresses("New Road 2", "Paid here")
    return lambda: customers.change_addresses(customer=customer, addresses=addresses, **BY)


def first_login() -> Callable[[], object]:
    ada = contact()
    return lambda: logins.open_account(email=ada.email, **BY)


def customers_user() -> Any:
    ada = contact()
    return world.make_user("customer", ada.email, customer=ada.customer)


def chosen() -> Callable[[], object]:
    user, other = customers_user(), world.make_customer("Another institute")
    return lambda: logins.choose_organisation(user=user, customer=other, **BY)


def with_passkey() -> Callable[[], object]:
    user = customers_user()
    return lambda: logins.add_passkey(user=user, name="Laptop", credential={}, **BY)


def without_passkey() -> Callable[[], object]:
    passkey = logins.add_passkey(user=customers_user(), name="Laptop", credential={}, **BY)
    return lambda: logins.remove_passkey(passkey=passkey, **BY)


def new_user() -> Callable[[], object]:
    account = users.Account("sam@vendor.example", "Sam", "sales")
    return lambda: users.create_user(account=account, **BY)


def changed_user() -> Callable[[], object]:
    user = world.make_user()
    account = users.Account(user.email, "Samuel", "finance", is_active=False)
    return lambda: users.change_user(user=user, account=account, **BY)


def kept_product() -> Callable[[], object]:
    world.make_catalogue()
    product = Product.objects.get(code="VOL-NEW")
    product.code, product.name = "VOL-OLD", "Volocity of old"
    return lambda: catalogue.keep_product(product=product, **BY)


def deleted_product() -> Callable[[], object]:
    world.make_catalogue()
    product = Product.objects.get(code="VOL-NEW")
    return lambda: catalogue.delete_product(product=product, **BY)


def published() -> Callable[[], object]:
    world.make_catalogue()
    release = catalogue.unpublish_release(release=world.make_release("6.0", "2025-05-05"), **BY)
    return lambda: catalogue.publish_release(release=release, **BY)


def unpublished() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    return lambda: catalogue.unpublish_release(release=release, **BY)


def deleted_release() -> Callable[[], object]:
    world.make_catalogue()
    release = catalogue.unpublish_release(release=world.make_release("6.0", "2025-05-05"), **BY)
    return lambda: catalogue.delete_release(release=release, **BY)


def kept_prices() -> Callable[[], object]:
    world.make_catalogue()
    price_list = PriceList.objects.get()
    price_list.name = "EUR of old"
    prices = {product: each._replace(licence=900_000) for product, each in terms.prices_of(price_list).items()}
    return lambda: terms.keep_price_list(price_list=price_list, prices=prices, **BY)


def copied_prices() -> Callable[[], object]:
    world.make_catalogue()
    asked = {"name": "EUR 2027", "valid_from": date(2027, 1, 1), "raise_by": Fraction(3, 100)}
    price_list = PriceList.objects.get()
    return lambda: terms.copy_price_list(price_list=price_list, **asked, **BY)


def deleted_prices() -> Callable[[], object]:
    world.make_catalogue()
    price_list = PriceList.objects.get()
    return lambda: terms.delete_price_list(price_list=price_list, **BY)


def kept_policy() -> Callable[[], object]:
    world.make_catalogue()
    policy = PolicySettings.objects.get()
    policy.grace_days, policy.multi_year_discount = 14, {"3": "0.05"}
    return lambda: terms.keep_policy(policy=policy, **BY)


def deleted_policy() -> Callable[[], object]:
    world.make_catalogue()
    policy = PolicySettings.objects.get()
    return lambda: terms.delete_policy(policy=policy, **BY)


def exported() -> Callable[[], object]:
    return lambda: exports.start_export(filters=TrailFilters(who="Sam"), **BY)


def lost() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: dongle_services.lose_dongle(dongle=dongle, reason="Left on a train", **BY)


def found_again() -> Callable[[], object]:
    dongle = dongle_services.lose_dongle(dongle=new_dongle(), reason="Left on a train", **BY)
    return lambda: dongle_services.find_dongle_again(dongle=dongle, reason="It came by mail", **BY)


def replaced() -> Callable[[], object]:
    dongle = new_dongle()
    asked = {"serial": "204233", "cause": "broken", "reason": "Its plug broke off"}
    return lambda: replacements.replace_dongle(dongle=dongle, **asked, **BY)


def handed_on() -> Callable[[], object]:
    dongle, customer = new_dongle(), world.make_customer("Another Institute")
    return lambda: replacements.transfer_dongle(dongle=dongle, customer=customer, reason="Sold", **BY)


def campaign() -> Any:
    new_dongle()
    window = Window(date(2026, 2, 1), date(2026, 4, 30))
    return campaigns.start_campaign(window=window, renew_years=1, **BY)


def drafting() -> Any:
    found = campaign()
    campaigns.note_due(campaign=found, at=BY["at"])
    return found


def with_drafts() -> Any:
    found = drafting()
    campaigns.draft_next(campaign=found, **BY)
    Job.objects.update(state="done")
    return Campaign.objects.get(pk=found.pk)


def started_campaign() -> Callable[[], object]:
    new_dongle()
    window = Window(date(2026, 2, 1), date(2026, 4, 30))
    return lambda: campaigns.start_campaign(window=window, renew_years=1, **BY)


def drafted_in_campaign() -> Callable[[], object]:
    found = drafting()
    return lambda: campaigns.draft_next(campaign=found, **BY)


def started_sending() -> Callable[[], object]:
    found = with_drafts()
    return lambda: sending.start_sending(campaign=found, **BY)


def sent_in_campaign() -> Callable[[], object]:
    found = with_drafts()
    return lambda: sending.send_next(campaign=found, after=0, **BY)


def scheduled() -> Callable[[], object]:
    asked = {"is_on": True, "days_ahead": 60, "renew_years": 1}
    world.make_catalogue()
    campaigns.keep_schedule(day_of_month=1, **asked, **BY)
    return lambda: campaigns.keep_schedule(day_of_month=15, **asked, **BY)


def two_spellings() -> list[Any]:
    """Two customers, the second with a dongle, a quote, an order and a login."""
    world.make_catalogue()
    kept, merged = world.make_customer(), world.make_customer("Institut of Cells")
    world.sell(world.make_dongle(customer=merged), DAY)
    world.make_user("customer", customer=merged)
    return [kept, merged]


def merged() -> Callable[[], object]:
    kept, other = two_spellings()
    return lambda: doubles.merge_customers(kept=kept, merged=other, **BY)


def taken_apart() -> Callable[[], object]:
    kept, other = two_spellings()
    merge = doubles.merge_customers(kept=kept, merged=other, **BY)
    return lambda: doubles.undo_merge(merge=merge, **BY)


def dismissed() -> Callable[[], object]:
    kept, other = two_spellings()
    pair = Resemblance.objects.create(one=kept, other=other, likeness=95, found_at=BY["at"])
    return lambda: doubles.dismiss_resemblance(resemblance=pair, **BY)


def daily_job() -> Callable[[], object]:
    return lambda: jobs.start_job_unless_open(kind=JOB_KIND, title="Export", unit="event", **BY)


def without_second_factor() -> Callable[[], object]:
    user = world.make_user()
    return lambda: users.remove_second_factors(user=user, **BY)


def unlocked() -> Callable[[], object]:
    user = world.make_user()
    return lambda: users.unlock_login(user=user, **BY)


def started_job() -> Callable[[], object]:
    return lambda: jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)


def cancelled_job() -> Callable[[], object]:
    job = jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)
    return lambda: jobs.cancel_job(job=job, **BY)


def resumed_job() -> Callable[[], object]:
    job = jobs.cancel_job(job=jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY), **BY)
    return lambda: jobs.resume_job(job=job, **BY)


def shelved() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    about = {"platform": "Windows", "name": "setup.exe", "content": BytesIO(b"a build")}
    return lambda: downloads.add_release_file(release=release, **about, **BY)


def taken_off() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    file = world.make_release_file(release)
    Release.objects.update(is_published=False)
    return lambda: downloads.remove_release_file(file=file, **BY)


def downloaded() -> Callable[[], object]:
    customer = new_dongle().customer
    file = world.make_release_file(Release.objects.get())
    return lambda: downloads.note_download(file=file, customer=customer, **BY)


def new_addresses() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: downloads.renew_feed_addresses(dongle=dongle, **BY)


def entered_rate() -> Any:
    asked = {"month": date(2026, 1, 1), "currency": "USD", "rate": Decimal("0.9241"), "source": "ECB"}
    return rates.keep_rate(**asked, **BY)


def changed_rate() -> Callable[[], object]:
    entered_rate()
    asked = {"month": date(2026, 1, 1), "currency": "USD", "rate": Decimal("0.93"), "source": "ECB, corrected"}
    return lambda: rates.keep_rate(**asked, **BY)


def imported_rates() -> Callable[[], object]:
    entered_rate()
    lines = read_rates("2026-01,USD,0.93\n2026-01,GBP,1.15", "EUR")
    return lambda: rates.import_rates(lines=lines, source="ECB file", **BY)


def removed_rate() -> Callable[[], object]:
    rate = entered_rate()
    return lambda: rates.remove_rate(rate=rate, **BY)


def new_account() -> Callable[[], object]:
    world.make_catalogue()
    entry = AccountMapEntry(role="revenue", account="8400", product=Product.objects.get(code="VOL-VIS"), country="DE")
    return lambda: account_map.keep_account(entry=entry, **BY)


def account_off() -> Callable[[], object]:
    entry = AccountMapEntry.objects.create(role="revenue", account="8400", name="Revenue")
    return lambda: account_map.remove_account(entry=entry, **BY)


def other_datev() -> Callable[[], object]:
    account_map.keep_datev(settings=DATEV, **BY)
    return lambda: account_map.keep_datev(settings=DATEV._replace(client=1, year_begins=1), **BY)


def exported_journal() -> Callable[[], object]:
    close = close_with_entries()
    return lambda: journal.export_journal(close=close, layout="generic", **BY)


JOB_KIND = "audit_export"

HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    account_map.keep_account: new_account,
    account_map.remove_account: account_off,
    account_map.keep_datev: other_datev,
    journal.export_journal: exported_journal,
    campaigns.start_campaign: started_campaign,
    campaigns.draft_next: drafted_in_campaign,
    campaigns.keep_schedule: scheduled,
    sending.start_sending: started_sending,
    sending.send_next: sent_in_campaign,
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
    orders.accept_quote: accepted,
    orders.fulfil_order: paid,
    cancellations.cancel_order: cancelled,
    credits.credit_line: credited,
    bridges.grant_bridge: bridged,
    closing.close_month: closed_month,
    closing.ask_reopening: asked_to_reopen,
    closing.decide_reopening: reopened,
    files.attach_purchase_order: attached,
    requests.record_request: asked_for,
    requests.ask_for_quote: asked_on_the_page,
    answers.answer_at_once: looked_up,
    requests.link_request: linked,
    requests.answer_requests: answered,
    requests.close_request: closed,
    reminders.post_reminders: reminded,
    reminders.switch_reminders: stopped_reminding,
    dongle_services.confirm_receipt: received,
    dongle_services.withdraw_licence: withdrawn,
    dongle_services.lose_dongle: lost,
    dongle_services.find_dongle_again: found_again,
    replacements.replace_dongle: replaced,
    replacements.transfer_dongle: handed_on,
    catalogue.change_release: corrected,
    dongle_services.mark_releases_sold_against: locked_releases,
    users.remove_second_factors: without_second_factor,
    users.unlock_login: unlocked,
    customers.create_customer: new_customer,
    customers.change_customer: changed_customer,
    customers.add_contact: new_contact,
    customers.change_contact: changed_contact,
    customers.contact_left: left,
    customers.contact_came_back: back,
    customers.change_addresses: moved,
    logins.open_account: first_login,
    logins.choose_organisation: chosen,
    logins.add_passkey: with_passkey,
    logins.remove_passkey: without_passkey,
    users.create_user: new_user,
    users.change_user: changed_user,
    catalogue.keep_product: kept_product,
    catalogue.delete_product: deleted_product,
    catalogue.publish_release: published,
    catalogue.unpublish_release: unpublished,
    catalogue.delete_release: deleted_release,
    terms.keep_price_list: kept_prices,
    terms.copy_price_list: copied_prices,
    terms.delete_price_list: deleted_prices,
    terms.keep_policy: kept_policy,
    terms.delete_policy: deleted_policy,
    exports.start_export: exported,
    rates.keep_rate: changed_rate,
    rates.import_rates: imported_rates,
    rates.remove_rate: removed_rate,
    doubles.merge_customers: merged,
    doubles.undo_merge: taken_apart,
    doubles.dismiss_resemblance: dismissed,
    downloads.add_release_file: shelved,
    downloads.remove_release_file: taken_off,
    downloads.note_download: downloaded,
    downloads.renew_feed_addresses: new_addresses,
    jobs.start_job_unless_open: daily_job,
    jobs.start_job: started_job,
    jobs.cancel_job: cancelled_job,
    jobs.resume_job: resumed_job,
}
# Parts of others, which record what they return: their callers' happenings tell of them.
PARTS = {dongle_services.issue_unlock_code, dongle_services.exchange_dongle, quotes.draft_quotes, files.keep_file}


def services() -> set[Any]:
    """Every public function of the services that is told who acts."""
    modules = [dongle_services, catalogue, downloads, jobs, exports]
    for package in (portal.services, renewals.services):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            modules.append(importlib.import_module(found.name))
    return {
        each
        for module in modules
        for name, each in vars(module).items()
        if inspect.isfunction(each)
        and each.__module__ == module.__name__
        and not name.startswith("_")
        and "actor" in inspect.signature(each).parameters
    }


def named(functions: Any) -> list[str]:
    return sorted(f"{each.__module__}.{each.__name__}" for each in functions)


def test_something_happens_here_for_every_service():
    assert named(services()) == named([*HAPPENINGS, *PARTS])


# What was written, and what of it was told

Rows = dict[tuple[str, Any], dict[str, Any]]


def all_rows() -> Rows:
    return {
        (model._meta.label_lower, row["pk"]): row
        for model in business_models()
        for row in model._base_manager.values("pk", *(field.attname for field in model._meta.concrete_fields))
    }


def tellers(label: str, pk: Any) -> set[tuple[str, int]]:
    """The subjects whose events may tell of a row, by kind and id."""
    model = apps.get_model(label)
    row = model._base_manager.get(pk=pk)
    found = {(model._meta.model_name, pk)}
    for path in (TOLD_BY[label], ALSO_TOLD_BY.get(label, "")):
        if path:
            reached: list[Any] = [row]
            for name in path.split("."):
                reached = [getattr(each, name) for each in reached]
            for each in reached:
                several = list(each.all()) if hasattr(each, "all") else [each]
                found |= {(one._meta.model_name, one.pk) for one in several if one is not None}
    return found


def tellers_of_deleted(label: str, pk: Any, row: dict[str, Any]) -> set[tuple[str, int]]:
    """Of a row that is gone: itself, or the one that it went with."""
    found = {(label.partition(".")[2], pk)}
    if TOLD_BY[label] != OWN:
        field = apps.get_model(label)._meta.get_field(TOLD_BY[label])
        found.add((field.related_model._meta.model_name, row[field.attname]))
    return found


def flat(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(flat, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(flat, value))
    return {str(value)}


def is_said(value: Any, told: set[str]) -> bool:
    """A value as its text (a decimal without idle zeros), all of a value that has parts, or a moment as JSON has it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" in told
    return flat(value) <= told or (isinstance(value, datetime) and value.isoformat() in told)


def untold(before: Rows, after: Rows, events: list[AuditEvent]) -> list[str]:
    """What was written and is not said by any event: rows without one, and values that none holds."""
    found = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        label, pk = key
        subjects = tellers(label, pk) if new else tellers_of_deleted(label, pk, old or {})
        telling = [event for event in events if (event.subject_kind, event.subject_id) in subjects]
        if not telling:
            found.append(f"{label} {pk} was written without an event")
            continue
        if old is None or new is None:
            continue
        model = apps.get_model(label)
        was, now = flat([event.before for event in telling]), flat([event.after for event in telling])
        for field in model._meta.concrete_fields:
            held, holds = old[field.attname], new[field.attname]
            if held == holds or isinstance(field, ForeignKey) or field.name in NOT_SAID:
                continue
            if holds not in (None, "") and not is_said(holds, now):
                found.append(f"no event says that {field.name} of {label} {pk} is {holds}")
            if held not in (None, "") and not is_said(held, was):
                found.append(f"no event says that {field.name} of {label} {pk} was {held}")
    return sorted(found)


@pytest.mark.parametrize("service", HAPPENINGS, ids=lambda service: service.__name__)
def test_what_a_service_writes_is_told(service):
    happen = HAPPENINGS[service]()
    before, newest = all_rows(), AuditEvent.objects.order_by("-pk").first()
    happen()
    events = list(AuditEvent.objects.filter(pk__gt=newest.pk if newest else 0))
    assert events
    assert {event.actor_name for event in events} <= {"Sally Sales", "Administrator", "Portal"}
    assert all(isinstance(event.at, datetime) and event.at.date() == date(2026, 2, 1) for event in events)
    assert untold(before, all_rows(), events) == []


def test_an_event_that_is_left_out_would_be_missed():
    """The control: without its event the same service is found to write in silence."""
    happen = received()
    before = all_rows()
    happen()
    newest = AuditEvent.objects.order_by("-pk")[0]
    assert untold(before, all_rows(), [newest]) == []
    assert len(untold(before, all_rows(), [])) == 2
    newest.before = {}
    assert [words.partition(" of ")[0] for words in untold(before, all_rows(), [newest])] == [
        "no event says that confirmed_expiry_on"
    ]


def test_a_job_that_ends_is_told():
    job = jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)
    while outbox.drain():
        pass
    job.refresh_from_db()
    assert job.state == "done"
    ended = AuditEvent.objects.get(action="end", subject_kind="job", subject_id=job.pk)
    assert (ended.actor_name, ended.after["state"]) == ("Export", "done")


# Commands

FOLDED_INTO_THE_DONGLE = {"dongles.licence", "dongles.smaperiod"}


def test_what_the_demo_writes_is_told():
    build.build_demo(on=date(2026, 2, 1), months=1)
    events = {(event.subject_kind, event.subject_id) for event in AuditEvent.objects.all()}
    silent = [
        f"{label} {pk}"
        for label, pk in all_rows()
        if label not in FOLDED_INTO_THE_DONGLE and not tellers(label, pk) & events
    ]
    assert silent == []


def test_a_superuser_made_on_the_command_line_is_told(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long test password")
    call_command("createsuperuser", email="root@vendor.example", name="Root", interactive=False, verbosity=0)
    event = AuditEvent.objects.get()
    assert (event.actor_name, event.action) == ("manage.py createsuperuser", "create")
    assert event.after == {"email": "root@vendor.example", "name": "Root", "role": "administrator"}
