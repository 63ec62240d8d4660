"""What was due, what was renewed, and what customers are worth a year (rule F5). Pure: facts in, figures out, no clock.

`due` says of a dongle when it was due and what came of it, `values` what a customer's SMAs are worth at the end of each
month against twelve months before, `cohorts` how long customers stay. docs/finance-renewals.md has worked examples.
"""

from renewals.retention.cohorts import Cohort, Held, cohort_of
from renewals.retention.due import Due, Outcome, Share, due_dongle, outcome_on
from renewals.retention.facts import Carried, Chain, Covered, Renewal, Scope, Worth, owner_on
from renewals.retention.values import Retention, Valued, compare, retention_changes, retention_of, values_at_month_ends

__all__ = [
    "Carried",
    "Chain",
    "Cohort",
    "Covered",
    "Due",
    "Held",
    "Outcome",
    "Renewal",
    "Retention",
    "Scope",
    "Share",
    "Valued",
    "Worth",
    "cohort_of",
    "compare",
    "due_dongle",
    "outcome_on",
    "owner_on",
    "retention_changes",
    "retention_of",
    "values_at_month_ends",
]
