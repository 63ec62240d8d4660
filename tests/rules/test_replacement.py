"""What a replaced dongle costs (rule Q8): VOL-VIS 6,000.00 a licence, VOL-QNT 4,500.00."""

from datetime import date
from fractions import Fraction

import pytest

from dongles.coverage import LicenceCoverage, Period
from portal.errors import DomainError
from renewals.pricing import Policy, Price, PriceList, Request
from renewals.pricing.replacement import price_replacement, replacement_charge

ON = date(2026, 2, 1)
PRICES = PriceList(
    "EUR", {"VOL-VIS": Price(600_000, 120_000, 240_000), "VOL-QNT": Price(450_000, 90_000, 180_000)}, 8_000
)


def licence(product="VOL-VIS", seats=1, through=date(2026, 3, 31)):
    covered = (Period(date(2020, 1, 1), through),)
    return LicenceCoverage(product, "Volocity", seats, date(2020, 1, 1), covered)


def price(replacement_price, *licences, prices=PRICES, cause="lost", **asked):
    policy = Policy(replacement_price=replacement_price)
    return price_replacement(policy, prices, licences, Request(ON, replacement=cause, **asked))


@pytest.mark.parametrize(
    ("policy", "cause", "charge"),
    [
        ("free", "broken", "free"),
        ("free", "lost", "licence"),  # free is against return
        ("fee", "broken", "fee"),
        ("fee", "lost", "fee"),
        ("licence", "broken", "licence"),
        ("licence", "lost", "licence"),
    ],
)
def test_what_is_charged_by_policy_and_whether_it_comes_back_q8(policy, cause, charge):
    assert replacement_charge(Policy(replacement_price=policy), cause) == charge


def test_every_licence_is_charged_again_by_its_seats_without_sma_q8():
    priced = price("licence", licence(), licence("VOL-QNT", 3))
    assert [(line.kind, line.licence, line.net, line.starts_on, line.ends_on) for line in priced.lines] == [
        ("replacement", 0, 600_000, None, None),
        ("replacement", 1, 1_350_000, None, None),
    ]
    assert {tuple(line.months) for line in priced.lines} == {(0, 0, 0)}


def test_a_fee_is_one_line_for_the_dongle_q8():
    assert [line.net for line in price("fee", licence(seats=25), licence("VOL-QNT")).lines] == [8_000]


def test_paid_time_stays_as_it_is_q8():
    priced = price("fee", licence(), licence("VOL-QNT", through=date(2025, 12, 31)))  # the second is lapsed
    assert (priced.paid_through, priced.covered_through) == (date(2026, 3, 31), date(2026, 3, 31))
    assert price("fee", licence(through=date(2025, 12, 31))).paid_through is None


def test_discount_and_tax_as_on_every_line_p8_p9_q8():
    priced = price("fee", licence(), discount=Fraction(1, 3), tax_rate=Fraction(19, 100))
    # 80.00 less a third of it, 26.67, is 53.33; 19 % of it is 10.1327
    assert (priced.net, priced.tax, priced.total) == (5_333, 1_013, 6_346)
    assert priced.lines[0].rules == ("Q8", "P8")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (lambda: price("free", licence(), cause="broken"), "nothing_to_buy"),
        (lambda: price("fee", licence(), prices=PRICES._replace(replacement_fee=None)), "no_price"),
        (lambda: price("licence", licence("VOL-NEW")), "no_price"),
        (lambda: price("fee"), "no_licences"),
    ],
)
def test_refusals_q8(asked, code):
    with pytest.raises(DomainError) as refused:
        asked()
    assert refused.value.code == code
