"""Double entries from what a close posted: balanced whatever it was, and refused where an account lacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import DomainError
from renewals.journal.accounts import ROLES, AccountMap, MapRow, Origin
from renewals.journal.postings import KINDS, Entry, holes_in, sums_by_account, totals_of
from tests.journal.books import ACCOUNTS, ENTRIES, GERMAN, MEASURE, OPENLAB, QUANTITATION, SWISS, VOLOCITY, journal


@pytest.mark.parametrize(
    ("kind", "amount", "debited", "credited"),
    [
        ("booked", 120_000, "1400", "0990"),
        ("booked", -120_000, "0990", "1400"),
        ("credited", -30_050, "0990", "1400"),
        ("credited", 30_050, "1400", "0990"),  # a later close took less back than the one before
        ("recognised", 10_192, "0990", "8400"),
        ("recognised", -10_192, "8400", "0990"),
        ("caught_up", 500, "0990", "8400"),
        ("caught_up", -500, "8400", "0990"),
    ],
)
def test_a_negative_amount_is_posted_to_the_other_side(kind, amount, debited, credited):
    (line,) = journal(Entry(1, kind, GERMAN, "EUR", amount)).lines
    assert (line.debited.number, line.credited.number, line.amount) == (debited, credited, abs(amount))


def test_an_amount_of_nothing_makes_no_line_and_the_numbers_stay():
    assert [line.number for line in journal().lines] == [41, 42, 43, 45]


def test_the_sums_of_the_accounts_are_those_of_the_entries():
    # EUR: 1,200.00 booked, 300.50 credited, 101.92 earned; CHF: 0.07 that had been earned is taken back.
    assert [
        (each.currency, each.account.number, each.debit, each.credit) for each in sums_by_account(journal().lines)
    ] == [
        ("CHF", "0990", 0, 7),
        ("CHF", "8410", 7, 0),
        ("EUR", "0990", 30_050 + 10_192, 120_000),
        ("EUR", "1400", 120_000, 30_050),
        ("EUR", "8400", 0, 10_192),
    ]
    assert totals_of(journal().lines) == {"CHF": (7, 7), "EUR": (160_242, 160_242)}


amounts = st.integers(-(10**12), 10**12)
entries = st.lists(
    st.builds(
        Entry,
        st.integers(1, 10**6),
        st.sampled_from(list(KINDS)),
        st.sampled_from([GERMAN, SWISS]),
        st.sampled_from(["EUR", "JPY", "KWD"]),
        amounts,
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda entry: entry.number,
)


@given(entries)
def test_whatever_was_posted_debits_are_credits_per_currency(posted):
    """And deferred revenue moves by what was booked and credited, less what was earned."""
    lines = journal(*posted).lines
    assert all(line.amount > 0 for line in lines)
    assert all(debit == credit for debit, credit in totals_of(lines).values())
    for currency in {entry.currency for entry in posted}:
        moved = sum(
            each.credit - each.debit
            for each in sums_by_account(lines)
            if (each.currency, each.account.number) == (currency, "0990")
        )
        expected = sum(
            entry.amount if entry.kind in ("booked", "credited") else -entry.amount
            for entry in posted
            if entry.currency == currency
        )
        assert moved == expected


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([MapRow("revenue", "all", "")], "all"),
        ([MapRow("revenue", "all", ""), MapRow("revenue", "segment", "", segment="commercial")], "segment"),
        (
            [
                MapRow("revenue", "country", "", country="DE"),
                MapRow("revenue", "segment", "", segment="commercial"),
                MapRow("revenue", "other", "", country="CH", segment="commercial"),
            ],
            "country",
        ),
        (
            [
                MapRow("revenue", "family", "", family=OPENLAB),
                MapRow("revenue", "both", "", country="DE", segment="commercial"),
            ],
            "family",
        ),
        (
            [
                MapRow("revenue", "family", "", family=OPENLAB, country="DE", segment="commercial"),
                MapRow("revenue", "product", "", product=MEASURE),
            ],
            "product",
        ),
        (
            [
                MapRow("revenue", "product", "", product=MEASURE),
                MapRow("revenue", "in Germany", "", product=MEASURE, country="DE"),
            ],
            "in Germany",
        ),
        ([MapRow("revenue", "other", "", product=QUANTITATION), MapRow("deferred", "role", "")], None),
    ],
)
def test_the_most_precise_row_is_taken(rows, found):
    """Product before family, family before country, country before segment; the order of the rows doesn't matter."""
    for each in (rows, rows[::-1]):
        row = AccountMap(each).row_for("revenue", GERMAN)
        assert (row and row.account) == found


def test_every_hole_of_the_map_is_named_at_once():
    accounts = AccountMap([MapRow("deferred", "0990", ""), MapRow("revenue", "8410", "", family=VOLOCITY)])
    with pytest.raises(DomainError) as refused:
        journal(*ENTRIES, accounts=accounts)
    assert refused.value.code == "account_missing"
    assert refused.value.message == (
        "The account map has no account for: Receivables of Openlab Measure, DE, commercial;"
        " Revenue of Openlab Measure, DE, commercial."
    )
    assert [hole[0] for hole in refused.value.data["holes"]] == ["receivables", "revenue"]


def test_a_hole_that_nothing_falls_into_is_none():
    """An amount of 0 asks for no account."""
    accounts = AccountMap([MapRow("receivables", "1400", ""), MapRow("deferred", "0990", "")])
    assert len(journal(ENTRIES[0], Entry(44, "caught_up", SWISS, "CHF", 0), accounts=accounts).lines) == 1


def test_holes_are_in_the_order_of_the_roles():
    holes = holes_in([("revenue", GERMAN), ("receivables", SWISS), ("receivables", GERMAN)], AccountMap([]))
    assert [(hole.role, hole.origin.product.name) for hole in holes] == [
        ("receivables", "Openlab Measure"),
        ("receivables", "Volocity Quantitation"),
        ("revenue", "Openlab Measure"),
    ]


def test_a_map_kept_as_json_is_the_same_map():
    rows = [*ACCOUNTS.rows, MapRow("revenue", "8420", "=1+1", product=MEASURE, country="DE", segment="academic")]
    again = AccountMap.of_json(AccountMap(rows).as_json())
    assert again.rows == tuple(rows)
    asked = [(role, Origin(MEASURE, OPENLAB, "DE", "academic")) for role in ROLES]
    assert [again.row_for(*each).account for each in asked] == ["1400", "0990", "8420"]
