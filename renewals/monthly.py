"""What segments come to, month by month, as SQL over the segments alone (F1, F2): the formula behind every sum.

renewals/recognition.py says the same in Python; the sums that reports read are added up from this, and checked by it.
"""

# Per segment and month: whatever a segment is in a month, as reported (renewals.models.MonthFigures says what each is).
# Before the month of booking nothing is reported but the annual value, which is the customer's and goes by date.
OF_MONTH = """
    segment.id AS segment_id, segment.booked_month, month.month, segment.product_id, segment.country,
    segment.customer_segment, segment.currency,
    CASE WHEN month.month = segment.booked_month AND segment.reason = 'sale' THEN segment.amount ELSE 0 END AS booked,
    CASE WHEN month.month = segment.booked_month AND segment.reason <> 'sale' THEN segment.amount ELSE 0 END
        AS credited,
    CASE WHEN month.month >= segment.booked_month THEN through.month_end - through.before ELSE 0 END AS recognised,
    CASE WHEN month.month = segment.booked_month THEN through.before ELSE 0 END AS caught_up,
    CASE WHEN month.month >= segment.booked_month THEN through.year_on - through.month_end ELSE 0 END AS current,
    CASE WHEN month.last_day BETWEEN segment.starts_on AND segment.ends_on THEN segment.annual_amount ELSE 0 END
        AS annual"""

THROUGH = """
    CROSS JOIN LATERAL (
        SELECT
            recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on,
                month.month - 1) AS before,
            recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on,
                month.last_day) AS month_end,
            recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on,
                month.year_on) AS year_on
    ) through"""

MONTHS = """
    CROSS JOIN LATERAL (
        SELECT first::date AS month, (first + interval '1 month')::date - 1 AS last_day,
            (first + interval '13 months')::date - 1 AS year_on
        FROM generate_series(
            least(segment.booked_month, date_trunc('month', segment.starts_on)::date)::timestamp,
            greatest(segment.booked_month, segment.ends_on)::timestamp, interval '1 month'
        ) first
    ) month"""


def figures_of_segments(source: str) -> str:
    """A SELECT of what every segment of a FROM item named `segment` comes to in each month that it touches."""
    return f"SELECT {OF_MONTH} FROM {source} {MONTHS} {THROUGH}"  # noqa: S608 - of constants alone


# The same of one month: the segments that were booked in it, and of those booked before all that were not earned yet.
IN_MONTH = f"""
SELECT
    segment.id, segment.product_id, segment.country, segment.customer_segment, segment.currency,
    CASE WHEN is_new AND segment.reason = 'sale' THEN segment.amount ELSE 0 END AS booked,
    CASE WHEN is_new AND segment.reason <> 'sale' THEN segment.amount ELSE 0 END AS credited,
    through.month_end - through.before AS recognised,
    CASE WHEN is_new THEN through.before ELSE 0 END AS caught_up,
    CASE WHEN is_new THEN 0 ELSE segment.amount - through.before END AS opening,
    segment.amount - through.month_end AS closing,
    through.year_on - through.month_end AS current
FROM renewals_revenuesegment segment
CROSS JOIN (
    SELECT %(month)s::date AS month, (%(month)s::date + interval '1 month')::date - 1 AS last_day,
        (%(month)s::date + interval '13 months')::date - 1 AS year_on
) month
CROSS JOIN LATERAL (SELECT segment.booked_month = month.month AS is_new) booking
{THROUGH}
WHERE segment.booked_month <= month.month AND (is_new OR segment.ends_on >= month.month)
    AND segment.id > %(after)s AND segment.id <= %(last)s"""  # noqa: S608 - of constants alone
