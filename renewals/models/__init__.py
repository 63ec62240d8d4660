"""What is sold: price lists and policy, quotes with their versions and lines, orders, and the revenue ledger; and whom
the portal reminded of what.

Every amount is an integer in the minor unit of the currency that stands once on its document.
"""

from renewals.models.bridges import Bridge
from renewals.models.campaigns import Campaign, CampaignItem, CampaignSchedule
from renewals.models.conceded import SaleFact
from renewals.models.documents import PurchaseOrderFile, QuoteDocument
from renewals.models.journal import AccountMapEntry, DatevDetails, JournalExport, JournalFile
from renewals.models.ledger import (
    AccountingMonth,
    BookingFigures,
    BookingTotals,
    LedgerEntry,
    MonthClose,
    MonthFigures,
    MonthReopening,
    RevenueSegment,
    UnsummarisedSegment,
)
from renewals.models.merges import CustomerMerge, Resemblance
from renewals.models.orders import Order, OrderLine
from renewals.models.questions import QuoteQuestion
from renewals.models.quotes import Quote, QuoteDongle, QuoteLine, QuoteVersion
from renewals.models.rates import ExchangeRate
from renewals.models.reminders import Reminder, ReminderCopy, ReminderMailing
from renewals.models.renewal_figures import (
    CohortFigures,
    CustomerCohort,
    CustomerRetention,
    DueDongle,
    DueFigures,
    OutdatedRenewal,
    RetentionFigures,
)
from renewals.models.requests import RenewalRequest, RequestedDongle
from renewals.models.terms import PolicySettings, PriceList, PriceListEntry, TaxRate

__all__ = [
    "AccountMapEntry",
    "AccountingMonth",
    "BookingFigures",
    "BookingTotals",
    "Bridge",
    "Campaign",
    "CampaignItem",
    "CampaignSchedule",
    "CohortFigures",
    "CustomerCohort",
    "CustomerMerge",
    "CustomerRetention",
    "DatevDetails",
    "DueDongle",
    "DueFigures",
    "ExchangeRate",
    "JournalExport",
    "JournalFile",
    "LedgerEntry",
    "MonthClose",
    "MonthFigures",
    "MonthReopening",
    "Order",
    "OrderLine",
    "OutdatedRenewal",
    "PolicySettings",
    "PriceList",
    "PriceListEntry",
    "PurchaseOrderFile",
    "Quote",
    "QuoteDocument",
    "QuoteDongle",
    "QuoteLine",
    "QuoteQuestion",
    "QuoteVersion",
    "Reminder",
    "ReminderCopy",
    "ReminderMailing",
    "RenewalRequest",
    "RequestedDongle",
    "Resemblance",
    "RetentionFigures",
    "RevenueSegment",
    "SaleFact",
    "TaxRate",
    "UnsummarisedSegment",
]
