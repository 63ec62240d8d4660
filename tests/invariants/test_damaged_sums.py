"""Damage to sums and closed months is found, to the facts of sales, and to the audit trail."""

import pytest

from tests.invariants.records import check_found, of

SEGMENTS = "renewals_revenuesegment"
FEBRUARY = "month_id = '2026-02-01'"
FACTS = "renewals_salefact"
INSERT_A_FACT = (
    f"INSERT INTO {FACTS} (order_id, order_line_id, kind, month, customer_id, product_id, country, customer_segment,"
    f" currency, number, amount) SELECT {{}}, 'negotiated', month, customer_id, product_id, country, customer_segment,"
    f" currency, 1, 5 FROM {FACTS} LIMIT 1"
)
DAMAGES = {
    # Sums
    "a sum is a cent too high": (
        "UPDATE renewals_monthfigures SET current = current + 1 WHERE id = (SELECT min(id) FROM renewals_monthfigures)",
        {"ledger": "sum of current in 20"},
    ),
    "a sum by booking is a cent too low": (
        "UPDATE renewals_bookingfigures SET recognised = recognised - 1 WHERE id = (SELECT id FROM"
        " renewals_bookingfigures WHERE booked_month = '2026-02-01' AND month = '2026-04-01' LIMIT 1)",
        {"ledger": "sum of recognised in 2026-04 booked in 2026-02"},
    ),
    "a total is a cent too low": (
        "UPDATE renewals_bookingtotals SET recognised = recognised - 1 WHERE id = (SELECT id FROM"
        " renewals_bookingtotals WHERE booked_month = '2026-02-01' AND month = '2026-04-01' LIMIT 1)",
        {"ledger": "total of recognised in 2026-04 booked in 2026-02"},
    ),
    "a sum is gone": (
        "DELETE FROM renewals_monthfigures WHERE month = '2026-02-01' AND booked > 0",
        {"ledger": "sum of booked in 2026-02"},
    ),
    "a sum is of a month that has no segments": (
        "INSERT INTO renewals_monthfigures (month, product_id, country, customer_segment, currency, booked, credited,"
        " recognised, caught_up, current, annual) SELECT '2050-01-01', product_id, country, customer_segment, currency,"
        " 1, 0, 0, 0, 0, 0 FROM renewals_monthfigures LIMIT 1",
        {"ledger": "sum of booked in 2050-01"},
    ),
    "a segment waits since long": (
        f"INSERT INTO renewals_unsummarisedsegment (segment_id) SELECT min(id) FROM {SEGMENTS}",
        {"ledger": "sums: expected every segment added within the hour; found 1 segment since 2026-02-01"},
    ),
    # Closes
    "a digest was altered": (
        f"UPDATE renewals_monthclose SET sha256 = repeat('0', 64) WHERE {FEBRUARY}",
        {"closes": "found 0000000000000000"},
    ),
    "an older revision was altered": (
        "UPDATE renewals_monthclose SET segments = segments + 1 WHERE revision = 1 AND month_id = '2026-04-01'",
        {"closes": "close 1 of Apr 2026: expected "},
    ),
    "a total is a cent too high": (
        "UPDATE renewals_monthclose SET totals = jsonb_set(totals, '{EUR,booked}',"
        f" to_jsonb((totals->'EUR'->>'booked')::bigint + 1)) WHERE {FEBRUARY}",
        {"closes": "close 1 of Feb 2026: expected booked €"},
    ),
    "an entry was altered": (
        "UPDATE renewals_ledgerentry SET amount = amount + 1 WHERE number = 1",
        {"closes": "close 1 of Feb 2026, entries booked of VOL-"},
    ),
    "an entry is gone": (
        "DELETE FROM renewals_ledgerentry WHERE number = 2",
        {"closes": "entry 3: expected number 2 after 1; found 3"},
    ),
    "a month between closed ones is open": (
        "UPDATE renewals_accountingmonth SET is_closed = false WHERE month = '2026-03-01'",
        {"closes": "month Mar 2026: expected closed, as the one after it is; found open"},
    ),
    "a month is closed without a close": (
        "UPDATE renewals_accountingmonth SET is_closed = true WHERE month = '2026-05-01'",
        {"closes": "month May 2026: expected a close, since it is closed; found none"},
    ),
    "something was booked in a closed month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-03-01' WHERE reason = 'cancellation' AND booked_month ="
        f" '2026-04-01' AND id > (SELECT max(last_segment_id) FROM renewals_monthclose WHERE month_id = '2026-03-01')",
        {"closes": "expected another month, since its own was closed; found Mar 2026", "ledger": "sum of credited"},
    ),
    "something was booked before the first closed month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2025-12-01' WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason ="
        " 'cancellation')",
        {"closes": "expected no month before Feb 2026; found Dec 2025", "ledger": "sum of credited in 2025-12"},
    ),
    # Facts. 1002 came back: VOL-VIS by an upgrade for 2,400.00, OPL-FUL without one.
    "a fact is a cent too high": (
        f"UPDATE {FACTS} SET amount = amount + 1 WHERE kind = 'upgrade' AND order_line_id IN {of('1002')}",
        {"facts": ", upgrade: expected amount 240000; found amount 240001"},
    ),
    "a fact says another country": (
        f"UPDATE {FACTS} SET country = 'FR' WHERE kind = 'upgrade' AND order_line_id IN {of('1002')}",
        {"facts": ", upgrade: expected country DE; found country FR"},
    ),
    "a fact is gone": (
        f"DELETE FROM {FACTS} WHERE kind = 'gap' AND order_line_id IN {of('1002')}",
        {"facts": ", gap: expected kind gap, month 2026-02-01, "},
    ),
    "a fact is of an order that was annulled": (
        INSERT_A_FACT.format(
            f"(SELECT min(order_id) FROM renewals_orderline WHERE id IN {of('1004')}),"
            f" (SELECT min(id) FROM {of('1004')} line)"
        ),
        {"facts": ", negotiated: expected no such fact; found kind negotiated, "},
    ),
    "a fact is of an order that waits for its payment": (
        INSERT_A_FACT.format(
            f"(SELECT max(id) FROM renewals_order WHERE state = 'accepted'), (SELECT min(id) FROM {of('1001')} line)"
        ),
        {"facts": ", negotiated: expected no such fact; found kind negotiated, "},
    ),
    # Audit
    "an event was altered": (
        "UPDATE portal_auditevent SET reason = 'A favour' WHERE id = (SELECT min(id) FROM portal_auditevent)",
        {"audit": "audit trail: expected an unbroken chain; found Event"},
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_it_is_and_nowhere_else(records, name):
    check_found(*DAMAGES[name])
