"""The audit trail in words: what was done, to what kind of object, and what it was before and after.

The names of models, pages and actions of the apps above stand here as strings.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from portal.wording import NOTHING, currency_exponent, write_day, write_money


class Kind(NamedTuple):
    """A kind of object: its name, its model, its page (with the attributes that the address takes), how it is found.

    `related` are the rows that its name is made of. `found_by` is a lookup and how what people type is read for it.
    """

    word: str
    model: str
    page: str = ""
    address: tuple[str, ...] = ("pk",)
    related: tuple[str, ...] = ()
    found_by: tuple[str, str] = ("pk", "number")


KINDS = {
    "accountmapentry": Kind(
        "Account", "renewals.AccountMapEntry", "renewals:account", found_by=("account__iexact", "text")
    ),
    "bridge": Kind("Bridge", "renewals.Bridge", related=("dongle",), found_by=("dongle__serial", "serial")),
    "campaign": Kind("Campaign", "renewals.Campaign", "renewals:campaign", found_by=("pk", "C-")),
    "campaignschedule": Kind("Schedule of campaigns", "renewals.CampaignSchedule", "renewals:campaign_schedule", ()),
    "contact": Kind("Contact", "portal.Contact", found_by=("email__iexact", "text")),
    "customer": Kind("Customer", "portal.Customer", "renewals:customer", found_by=("name__iexact", "text")),
    "datevdetails": Kind("DATEV", "renewals.DatevDetails", "renewals:datev", ()),
    "dongle": Kind("Dongle", "dongles.Dongle", "renewals:dongle", ("serial",), found_by=("serial", "serial")),
    "exchangerate": Kind("Exchange rate", "renewals.ExchangeRate", "renewals:rates", ()),
    "import": Kind("Import", "dongles.Import", "dongles:import", ()),
    "job": Kind("Long work", "portal.Job", "job"),
    "journalexport": Kind("Journal", "renewals.JournalExport", "renewals:journal", ("month_name",), ("close",)),
    "licence": Kind(
        "Licence",
        "dongles.Licence",
        "renewals:dongle",
        ("dongle.serial",),
        ("dongle", "product"),
        ("dongle__serial", "serial"),
    ),
    "monthclose": Kind("Month", "renewals.MonthClose", "renewals:month", ("in_address",), found_by=("month", "month")),
    "monthreopening": Kind(
        "Reopening of a month",
        "renewals.MonthReopening",
        "renewals:month",
        ("close.in_address",),
        ("close",),
        found_by=("close__month", "month"),
    ),
    "order": Kind("Order", "renewals.Order", "renewals:order", found_by=("pk", "O-")),
    "policysettings": Kind("Policy", "renewals.PolicySettings", "admin:renewals_policysettings_change"),
    "pricelist": Kind(
        "Price list", "renewals.PriceList", "admin:renewals_pricelist_change", found_by=("name__iexact", "text")
    ),
    "product": Kind("Product", "dongles.Product", "admin:dongles_product_change", found_by=("code__iexact", "text")),
    "productfamily": Kind(
        "Product family",
        "dongles.ProductFamily",
        "admin:dongles_productfamily_change",
        found_by=("name__iexact", "text"),
    ),
    "quoteversion": Kind(
        "Quote",
        "renewals.QuoteVersion",
        "renewals:quote_version",
        ("quote_id", "number"),
        ("quote",),
        ("quote_id", "Q-"),
    ),
    "release": Kind(
        "Release",
        "dongles.Release",
        "admin:dongles_release_change",
        related=("family",),
        found_by=("version__iexact", "text"),
    ),
    "renewalrequest": Kind("Request", "renewals.RenewalRequest", "renewals:request", found_by=("pk", "R-")),
    "taxrate": Kind("Tax rate", "renewals.TaxRate", "admin:renewals_taxrate_change"),
    "unlockcode": Kind(
        "Unlock code", "dongles.UnlockCode", "dongles:code", related=("dongle",), found_by=("dongle__serial", "serial")
    ),
    "user": Kind("User", "portal.User", "admin:portal_user_change", found_by=("email__iexact", "text")),
}

# What was done; where the kind of the object says it better, by that too.
ACTIONS = {
    "accept": "Accepted",
    "add": "Added to the dongle",
    "add_contact": "Contact added",
    "add_passkey": "Passkey added",
    "add_second_factor": "Second factor added",
    "answer": "Answered with a quote",
    "answer_question": "Question answered",
    "approve": "Approved",
    "ask": "Asked for by the customer",
    "ask_question": "Question asked",
    "attach": "Purchase order file added",
    "bridge": "Bridged",
    "cancel": "Cancelled",
    "change": "Changed",
    "change_owner": "Owner changed",
    "change_password": "Password changed",
    "choose_columns": "Columns chosen",
    "choose_organisation": "Changed to another of their organisations",
    "close": "Closed",
    "confirm_receipt": "Receipt confirmed",
    "contact_came_back": "Contact came back",
    "contact_left": "Contact left",
    "cover": "SMA period added",
    "create": "Put on record",
    "credit": "Credited",
    "decline": "Declined",
    "delete": "Deleted",
    "download": "Downloaded",
    "draft": "Drafted",
    "end": "Ended",
    "export": "Everything held about it exported by the customer",
    "find": "Found again",
    "fulfil": "Fulfilled",
    "grant": "Granted",
    "import": "Imported",
    "issue_code": "Unlock code issued",
    "link": "A quote is being made",
    "lock_login": "Locked after failures to log in",
    "log_in": "Logged in",
    "log_out": "Logged out",
    "look_up": "Looked up by the portal",
    "lose": "Lost",
    "merge": "Another customer merged into it",
    "merge_into": "Merged into another customer",
    "publish": "Published",
    "record": "Recorded",
    "refuse": "Refused",
    "remind": "Reminded of an SMA that ends",
    "remove_passkey": "Passkey removed",
    "remove_second_factor": "Second factor removed",
    "remove_second_factors": "All second factors removed",
    "rename_passkey": "Passkey renamed",
    "renew_feed": "New addresses of the update feed",
    "renew_recovery_codes": "Recovery codes made anew",
    "resend": "Sent again",
    "replace": "Replaced",
    "reset_password": "Password chosen anew",
    "resume": "Went on",
    "resume_reminders": "Reminders wanted again",
    "retire": "Retired",
    "schedule": "Schedule changed",
    "sell_against": "Locked: sold against",
    "send": "Sent",
    "slow_login": "Held for a while after failures to log in",
    "spend_code": "Mailed code spent by wrong attempts",
    "start": "Started",
    "stop_reminders": "Reminders stopped",
    "supersede": "Superseded",
    "take_over": "Took another’s place",
    "tell_apart": "Told apart from another customer",
    "transfer": "Handed on",
    "uncover": "SMA period ended early",
    "undo_merge": "Merge undone",
    "unlock_login": "Logging in unlocked",
    "unpublish": "Taken back from publication",
    "upload": "File uploaded",
    "withdraw": "Withdrawn",
}
ACTIONS_OF = {
    ("journalexport", "export"): "Journal exported",
    ("order", "accept"): "Order placed",
    ("order", "fulfil"): "Order fulfilled",
    ("order", "cancel"): "Order cancelled",
    ("order", "credit"): "Concession credited",
    ("renewalrequest", "record"): "Request recorded",
    ("monthclose", "close"): "Month closed",
    ("monthreopening", "ask"): "Asked to open the month again",
    ("monthreopening", "grant"): "Month opened again",
    ("monthreopening", "refuse"): "Month left closed",
}
# Rows that are kept inside another's page: “create_contact” of a customer.
OF_ROWS = {"create": "added", "change": "changed", "delete": "deleted"}

FIELDS = {
    "account_length": "Digits of an account",
    "discount": "Discount (a share of 1)",
    "document": "Document (SHA-256)",
    "email": "E-mail address",
    "expiry_on": "SMA date",
    "factors": "Second factors",
    "is": "On record as",
    "net": "Net",
    "revenue": "Revenue",
    "segments": "Revenue segments",
    "sha256": "SHA-256",
    "sold_against_on": "Sold against since",
    "year_begins": "First month of the fiscal year",
    "waives_upgrades": "Upgrades waived",
}
AMOUNTS = {"net", "revenue", "tax", "total"}  # in minor units of the event's currency
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T)")  # of a moment, its day


class Change(NamedTuple):
    """A field in words, with what it was before and after."""

    field: str
    before: str
    after: str


def words_for(kind: str, action: str) -> str:
    """What was done; an action that nobody has found words for is shown as it is called."""
    if found := ACTIONS_OF.get((kind, action)) or ACTIONS.get(action):
        return found
    verb, _, noun = action.partition("_")
    if verb in OF_ROWS and noun:
        return f"{_spaced(noun)} {OF_ROWS[verb]}"
    return _spaced(action)


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What was before and after, field by field, as people read it."""
    currency = after.get("currency") or before.get("currency")
    names = [name for name in dict.fromkeys([*before, *after]) if name != "currency" or not AMOUNTS & after.keys()]
    return [
        Change(
            field_words(name),
            write_value(name, before.get(name), currency),
            write_value(name, after.get(name), currency),
        )
        for name in names
    ]


def field_words(name: str) -> str:
    return FIELDS.get(name) or _spaced(re.sub(r"^is_|_(on|at|id)$", "", name))


def write_value(name: str, value: Any, currency: str | None = None) -> str:
    """A value of an event for people: days with the month's name, amounts with their currency, yes and no."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(write_value(name, each, currency) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{field_words(key)}: {write_value(key, each, currency)}" for key, each in value.items())
    if name in AMOUNTS and isinstance(value, int) and currency and _is_currency(currency):
        return write_money(value, currency)
    if name == "state":
        return _spaced(str(value))
    if isinstance(value, str) and (found := ISO_DAY.match(value)):
        return _day(found[0])
    return str(value)


def _day(text: str) -> str:
    try:
        return write_day(date.fromisoformat(text))
    except ValueError:
        return text


def _is_currency(code: str) -> bool:
    try:
        currency_exponent(code)
    except ValueError:
        return False
    return True


def _spaced(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
