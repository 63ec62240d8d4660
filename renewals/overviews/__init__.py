"""What pages show of dongles, quotes and orders, read in a fixed number of queries each."""

from renewals.overviews.builder import builder_overview
from renewals.overviews.customers import (
    customer_overview,
    customers_by_name,
    dongles_most_urgent_first,
    quotes_on_their_way,
)
from renewals.overviews.dongles import LicenceStanding, dongle_overview
from renewals.overviews.handover import handover_overview, replacement_overview, what_happened_overview
from renewals.overviews.history import history_of
from renewals.overviews.lists import newest_versions, orders_newest_first, versions_with_quote
from renewals.overviews.mails import recipients_of
from renewals.overviews.orders import EarnedLine, earned_of, order_overview
from renewals.overviews.queue import KINDS, work_queue
from renewals.overviews.quotes import ShownDongle, preview_of, quote_overview, shown_dongles
from renewals.overviews.requests import request_overview, requests_newest_first
from renewals.overviews.search import search_results, the_one_meant

__all__ = [
    "KINDS",
    "EarnedLine",
    "LicenceStanding",
    "ShownDongle",
    "builder_overview",
    "customer_overview",
    "customers_by_name",
    "dongle_overview",
    "dongles_most_urgent_first",
    "earned_of",
    "handover_overview",
    "history_of",
    "newest_versions",
    "order_overview",
    "orders_newest_first",
    "preview_of",
    "quote_overview",
    "quotes_on_their_way",
    "recipients_of",
    "replacement_overview",
    "request_overview",
    "requests_newest_first",
    "search_results",
    "shown_dongles",
    "the_one_meant",
    "versions_with_quote",
    "what_happened_overview",
    "work_queue",
]
