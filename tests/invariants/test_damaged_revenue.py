"""Damage to revenue, concessions and SMA periods is found line by line."""

import pytest

from tests.invariants.records import check_found, dongle_id, of

SEGMENTS = "renewals_revenuesegment"
A_SALE = f"order_line_id = (SELECT min(id) FROM {of('1001')} line) AND reason = 'sale'"
A_CONCESSION = f"id = (SELECT min(id) FROM {SEGMENTS} WHERE reason = 'concession' AND order_line_id IN {of('1022')})"
IN_SUMS = {"ledger": " in 2026-05, VOL-"}
IN_SUMS_AND_CLOSES = {"ledger": "sum of ", "closes": " 2026: expected digest "}
DAMAGES = {
    # Revenue. 1001: VOL-VIS for two years at 1,200.00 each.
    "a cent less was put in time": (
        f"UPDATE {SEGMENTS} SET amount = amount - 1, basis_amount = basis_amount - 1 WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 put in time, which was sold; found €1,199.99", **IN_SUMS_AND_CLOSES},
    ),
    "a sale was never put in time": (
        f"DELETE FROM {SEGMENTS} WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 put in time, which was sold; found €0.00", **IN_SUMS_AND_CLOSES},
    ),
    "an amount is not what its days come to": (
        f"UPDATE {SEGMENTS} SET basis_amount = basis_amount + 100 WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 recognised by 31 Mar 2027; found €1,201.00", **IN_SUMS_AND_CLOSES},
    ),
    "revenue runs a day longer than the period": (
        f"UPDATE {SEGMENTS} SET ends_on = ends_on + 1 WHERE {A_SALE}",
        {
            "revenue": "expected €1,200.00 daily 1 Apr 2026 – 31 Mar 2027; found €1,200.00 daily 1 Apr 2026 – 1 Apr",
            **IN_SUMS_AND_CLOSES,
            "periods": "expected standing through 1 Apr 2027; found standing through 31 Mar 2027",
        },
    ),
    "SMA was earned at once": (
        f"UPDATE {SEGMENTS} SET method = 'at_once' WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 daily 1 Apr 2026 – 31 Mar 2027; found €1,200.00 at once"},
    ),
    "revenue is in another currency": (
        f"UPDATE {SEGMENTS} SET currency = 'USD' WHERE {A_SALE}",
        {"revenue": "expected an amount in EUR; found one in USD", **IN_SUMS_AND_CLOSES},
    ),
    "a sale was booked in another month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-01-01' WHERE {A_SALE}",
        {
            "revenue": "expected booked as a sale in 2026-02 or, where that was closed, later; found sale in 2026-01",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a line costs more than was quoted": (
        f"UPDATE renewals_orderline SET net = net + 100 WHERE id IN (SELECT min(id) FROM {of('1001')} line)",
        {"revenue": "expected lines for €4,200.00, being fulfilled; found €4,201.00"},
    ),
    "a cancellation took nothing back": (
        f"DELETE FROM {SEGMENTS} WHERE reason = 'cancellation' AND order_line_id IN {of('1007')}",
        {"revenue": "expected cancellation with −€", **IN_SUMS},
    ),
    "a cancellation took back a cent too much": (
        f"UPDATE {SEGMENTS} SET amount = amount - 1 WHERE reason = 'cancellation' AND order_line_id IN {of('1007')}",
        {"revenue": "recognised by 31 Mar 2027; found −€", **IN_SUMS},
    ),
    "an annulled line is half there": (
        f"DELETE FROM {SEGMENTS} WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason = 'annulment'"
        f" AND order_line_id IN {of('1004')})",
        {
            "revenue": "expected annulment with −€900.00 daily 1 Apr 2026 – 31 Mar 2027; found nothing taken back",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "revenue of a standing order was taken back": (
        f"INSERT INTO {SEGMENTS} (order_line_id, currency, amount, starts_on, ends_on, method, booked_month, reason,"
        " basis_amount, basis_starts_on, annual_amount, customer_id, product_id, country, customer_segment, mirrors_id)"
        " SELECT order_line_id, currency, -amount, starts_on, ends_on, method, booked_month, 'annulment',"
        " -basis_amount, basis_starts_on, -annual_amount, customer_id, product_id, country, customer_segment, id"
        f" FROM {SEGMENTS} WHERE {A_SALE}",
        {
            "revenue": "expected nothing taken back; found annulment with −€1,200.00",
            **IN_SUMS,
            "closes": "expected another month, since its own was closed; found Feb 2026",
        },
    ),
    # Concessions. 1022: an upgrade with its SMA, 2,400.00, of which 365.01 are credited: 182.51 over the year.
    "a concession runs a day longer than what it credits": (
        f"UPDATE {SEGMENTS} SET ends_on = ends_on + 1 WHERE {A_CONCESSION}",
        {
            "revenue": "expected a credit over €1,200.00 daily 1 Feb 2026 – 31 Jan 2027 and €1,200.00 at once",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a concession gives more than was sold": (
        f"UPDATE {SEGMENTS} SET amount = -130000, basis_amount = -130000 WHERE {A_CONCESSION}",
        {"revenue": "expected at most €1,200.00 credited; found €1,3", **IN_SUMS_AND_CLOSES},
    ),
    "a concession takes money": (
        f"UPDATE {SEGMENTS} SET amount = -amount, basis_amount = -basis_amount WHERE {A_CONCESSION}",
        {"revenue": "; found €182.51 daily 1 Feb 2026 – 31 Jan 2027", **IN_SUMS_AND_CLOSES},
    ),
    "a concession was booked before the sale": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-01-01' WHERE {A_CONCESSION}",
        {
            "revenue": "expected a credit booked in 2026-02, as what it credits, or later; found one in 2026-01",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a concession has an annual value where the sale has none": (
        f"UPDATE {SEGMENTS} SET annual_amount = -100 WHERE {A_CONCESSION}",
        {"revenue": "expected €0.00 a year after concessions; found −€1.00", **IN_SUMS},
    ),
    "a concession says that it is a sale": (
        f"UPDATE {SEGMENTS} SET reason = 'sale' WHERE {A_CONCESSION}",
        {"revenue": "expected €2,400.00 put in time, which was sold; found €2,217.49", **IN_SUMS_AND_CLOSES},
    ),
    "an annulment forgot a concession": (
        f"DELETE FROM {SEGMENTS} WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason = 'annulment' AND amount > 0"
        f" AND order_line_id IN {of('1024')})",
        {"revenue": "expected annulment with €50.00 at once 1 Feb 2026", **IN_SUMS},
    ),
    # Periods
    "a period was bought by nobody": (
        "INSERT INTO dongles_smaperiod (licence_id, starts_on, ends_on, source, is_cancelled)"
        f" SELECT id, '2040-01-01', '2040-12-31', 'order', false FROM dongles_licence WHERE dongle_id = "
        f"{dongle_id('1001')} LIMIT 1",
        {"periods": "expected an order line that bought it; found 1 Jan 2040 – 31 Dec 2040"},
    ),
    "a line lost its period": (
        f"UPDATE renewals_orderline SET period_id = NULL WHERE id IN (SELECT min(id) FROM {of('1001')} line)",
        {
            "revenue": "expected a day of fulfilment, and a period where SMA was sold; found none",
            "periods": "expected an SMA period; found none",
        },
    ),
    "a period went to another licence": (
        "UPDATE dongles_smaperiod SET licence_id = (SELECT id FROM dongles_licence WHERE dongle_id ="
        f" {dongle_id('1019')} ORDER BY id DESC LIMIT 1) WHERE id ="
        f" (SELECT period_id FROM renewals_orderline WHERE id = (SELECT max(id) FROM {of('1001')} line))",
        {"periods": "expected a period of licence", "dates": "expected a date through 31 Mar 2027 at most"},
    ),
    "a cancelled period stands again": (
        "UPDATE dongles_smaperiod SET is_cancelled = false WHERE id IN (SELECT period_id FROM renewals_orderline"
        f" WHERE id IN {of('1004')})",
        {"periods": "expected cancelled; found standing through 31 Mar 2027"},
    ),
    "a paid period was cancelled": (
        "UPDATE dongles_smaperiod SET is_cancelled = true WHERE id = (SELECT max(period_id) FROM renewals_orderline"
        f" WHERE id IN {of('1001')})",
        {
            "periods": "expected standing through 31 Mar 2028; found cancelled",
            "dates": "dongle 1001: expected a date through 31 Mar 2027 at most",
        },
    ),
    "a cancelled order's period runs on": (
        "UPDATE dongles_smaperiod SET ends_on = '2026-06-30' WHERE id = (SELECT max(period_id) FROM renewals_orderline"
        f" WHERE id IN {of('1007')})",
        {"periods": "expected standing through 30 Apr 2026; found standing through 30 Jun 2026"},
    ),
    "a line is gone with its revenue": (
        f"WITH gone AS (DELETE FROM {SEGMENTS} WHERE {A_SALE}) DELETE FROM renewals_orderline WHERE id ="
        f" (SELECT min(id) FROM {of('1001')} line)",
        {
            "revenue": "expected lines for €4,200.00, being fulfilled; found €3,000.00",
            **IN_SUMS_AND_CLOSES,
            "periods": "(sma_year); found none",
        },
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_it_is_and_nowhere_else(records, name):
    check_found(*DAMAGES[name])
