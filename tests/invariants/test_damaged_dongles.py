"""Damage to unlock codes and to the dates of dongles is found."""

import pytest

from tests.invariants.records import check_found, dongle_id, of

DAMAGES = {
    # Codes
    "an order has no code": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "dongle 1001: expected a code for “order O-"},
    ),
    "a code is for an order that never was": (
        f"UPDATE dongles_unlockcode SET cause = 'order O-999999' WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "for “order O-999999”: expected an order that was fulfilled; found none"},
    ),
    "a code is for another dongle's order": (
        "UPDATE dongles_unlockcode SET cause = (SELECT cause FROM dongles_unlockcode WHERE dongle_id ="
        f" {dongle_id('1002')}) WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "expected an order for this dongle; found none"},
    ),
    "a code is a favour": (
        f"UPDATE dongles_unlockcode SET cause = 'a favour' WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "for “a favour”: expected a cause that the portal issues codes for"},
    ),
    "the code after a cancellation is gone": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1004')} AND cause LIKE 'cancellation%'",
        {"codes": "expected a code for “cancellation of order O-", "dates": "expected the date of its newest code"},
    ),
    "a cancelled order is not cancelled": (
        "UPDATE renewals_order SET state = 'fulfilled', cancelled_from = NULL WHERE id = (SELECT max(order_id) FROM"
        f" renewals_orderline WHERE id IN {of('1004')})",
        {
            "revenue": "expected nothing taken back; found annulment",
            "periods": "expected standing through 31 Mar 2027; found cancelled",
            "codes": "expected an order that was cancelled after it was fulfilled; found none",
        },
    ),
    "a replacement has no code": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('2012')}",
        {"codes": "replacement of dongle 1012: expected a code for the dongle that took its place"},
    ),
    "a lost dongle was not emptied": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1009')}",
        {"codes": "replacement of dongle 1009: expected a code without licences, since it may still live"},
    ),
    "a replacement never was": (
        "WITH gone AS (DELETE FROM dongles_replacement_licences WHERE replacement_id = (SELECT id FROM"
        f" dongles_replacement WHERE successor_id = {dongle_id('2012')})) DELETE FROM dongles_replacement WHERE"
        f" successor_id = {dongle_id('2012')}",
        {"codes": "expected that replacement, of this dongle", "dates": "dongle 2012: expected a date through 31 Mar"},
    ),
    "a bridge says another day than its code": (
        f"UPDATE renewals_bridge SET ends_on = ends_on + 1 WHERE dongle_id = {dongle_id('1006')}",
        {"codes": "expected a code through 16 Apr 2026 for “bridge of quote Q-"},
    ),
    "a bridge never was": (
        f"DELETE FROM renewals_bridge WHERE dongle_id = {dongle_id('1006')}",
        {
            "codes": "expected a bridge with this code; found none",
            "dates": "dongle 1006: expected a date through 31 Mar 2026 at most",
        },
    ),
    # Dates
    "a dongle's date is not that of its newest code": (
        "UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'",
        {"dates": "dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"},
    ),
    "a code went beyond what is covered": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2028-04-01' WHERE serial = '1001') UPDATE"
        f" dongles_unlockcode SET expiry_on = '2028-04-01' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "dongle 1001: expected a date through 31 Mar 2028 at most, by its code"},
    ),
    "a bridge is longer than the policy allows": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2026-05-01' WHERE serial = '1006'), longer AS"
        f" (UPDATE renewals_bridge SET ends_on = '2026-05-01' WHERE dongle_id = {dongle_id('1006')}) UPDATE"
        f" dongles_unlockcode SET expiry_on = '2026-05-01' WHERE dongle_id = {dongle_id('1006')}",
        {"dates": "dongle 1006: expected a date through 30 Apr 2026 at most"},
    ),
    "a cancellation left the date where it was": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2027-03-30' WHERE serial = '1004') UPDATE"
        f" dongles_unlockcode SET expiry_on = '2027-03-30' WHERE dongle_id = {dongle_id('1004')} AND cause LIKE"
        " 'cancellation%'",
        {"dates": "dongle 1004: expected a date through 31 Mar 2026 at most"},
    ),
    "a code does not follow the one before": (
        f"UPDATE dongles_unlockcode SET previous_expiry_on = '2026-01-01' WHERE dongle_id = {dongle_id('1004')} AND"
        " cause LIKE 'cancellation%'",
        {"dates": "expected 31 Mar 2027 as the date before, which the code before it states; found 1 Jan 2026"},
    ),
    "a code states a licence that is not there": (
        f"UPDATE dongles_unlockcode SET licences = '[[101, 1], [102, 2]]' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "in its newest code, 101 × 1, 102 × 1; found 101 × 1, 102 × 2"},
    ),
    "a code leaves out a licence": (
        f"UPDATE dongles_unlockcode SET licences = '[[101, 1]]' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "in its newest code, 101 × 1, 102 × 1; found 101 × 1"},
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_it_is_and_nowhere_else(records, name):
    check_found(*DAMAGES[name])
