"""What customers' own pages show, in customers' words; each in a fixed number of queries."""

from renewals.overviews.my.dongle import own_dongle_overview
from renewals.overviews.my.home import home_overview, own_dongles
from renewals.overviews.my.order import own_order_overview
from renewals.overviews.my.quote import choices_of, current_version, customer_quote, link_ends_on, quotes_of, told
from renewals.overviews.my.renewal import renewal_overview
from renewals.overviews.my.standing import my_quote_address

__all__ = [
    "choices_of",
    "current_version",
    "customer_quote",
    "home_overview",
    "link_ends_on",
    "my_quote_address",
    "own_dongle_overview",
    "own_dongles",
    "own_order_overview",
    "quotes_of",
    "renewal_overview",
    "told",
]
