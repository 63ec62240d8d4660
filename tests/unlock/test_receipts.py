"""A receipt that was typed wrongly: the sentence names the letter to look at again, and never says the right one."""

import pytest

from dongles.unlock import objection_to_receipt

RECEIPTS = ["7K3MQ0XV", "AAAABBBB"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("7K3M-Q0XU", "“U” in the eighth place is in no receipt."),
        ("7K3M?0XV", "“?” in the fifth place is in no receipt."),
        ("7K3M Q0X", "A receipt has 8 letters and digits, and this has 7."),
        ("7K3MQ0XV2", "A receipt has 8 letters and digits, and this has 9."),
        ("", "A receipt has 8 letters and digits, and this has 0."),
        ("7k3n-q0xv", "The fourth letter, “N”, does not fit."),
        ("7K3MQX0V", "The sixth and the seventh letters, “X” and “0”, do not fit."),
        ("aaaabbbc", "The eighth letter, “C”, does not fit."),
    ],
)
def test_the_letter_to_look_at_is_named(typed, said):
    assert objection_to_receipt(typed, RECEIPTS).startswith(said)


@pytest.mark.parametrize("typed", ["ZZZZZZZZ", "7K3ZZZXV"])
def test_of_another_receipt_no_letter_is_blamed(typed):
    assert objection_to_receipt(typed, RECEIPTS) == ""


def test_what_is_no_receipts_fault_is_not_objected_to():
    assert objection_to_receipt("7K3MQOXV", RECEIPTS) == ""  # O is read as 0
