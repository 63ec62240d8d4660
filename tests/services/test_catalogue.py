"""Price lists and policy, kept by people: what is refused is not written, and every write is in the audit trail."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.models import Product
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from portal.wording import read_amount, write_figure
from renewals.models import PolicySettings, PriceList
from renewals.overviews.price_lists import comparison_of, price_lists, state_of
from renewals.services import catalogue as terms
from renewals.services.catalogue import Prices
from tests import world

pytestmark = pytest.mark.django_db
NOW = {"actor": world.SALES, "at": world.at("2026-02-01")}


@pytest.fixture
def eur(catalogue):
    return PriceList.objects.get()


def product(code="VOL-VIS"):
    return Product.objects.get(code=code)


def keep(prices=None, **fields):
    """A list of one product, in euros from 1 Jul 2026, unless said otherwise."""
    fields = {"name": "New", "currency": "EUR", "segment": "commercial", "valid_from": date(2026, 7, 1)} | fields
    prices = {product(): Prices(600_000, 120_000, 240_000)} if prices is None else prices
    return terms.keep_price_list(price_list=PriceList(**fields), prices=prices, **NOW)


def copy(price_list, raise_by="0.03", valid_from="2026-07-01", **fields):
    return terms.copy_price_list(
        price_list=price_list,
        name="EUR 2026",
        valid_from=date.fromisoformat(valid_from),
        raise_by=Fraction(raise_by),
        **{**NOW, **fields},
    )


def test_the_fee_for_a_replaced_dongle_is_raised_and_compared_too_q8(eur):
    first = keep(replacement_fee=8_000)
    second = copy(first, valid_from="2026-08-01")
    assert second.replacement_fee == 8_240
    compared = comparison_of(second).fee
    assert (compared.old, compared.new, compared.change) == (8_000, 8_240, "+3%")
    assert comparison_of(first).fee.old is None
    assert AuditEvent.objects.last().after["replacement_fee"] == 8_240


@pytest.mark.parametrize("fee", [0, -1, 10**11])
def test_a_fee_that_cannot_be_is_refused_and_not_written(eur, fee):
    with pytest.raises(DomainError, match="amount_out_of_range") as refusal:
        keep(replacement_fee=fee)
    assert refusal.value.data == {"field": "replacement_fee"}
    assert PriceList.objects.get() == eur


def test_a_copy_raised_by_three_per_cent_says_so_in_the_audit_trail(eur):
    made = copy(eur)
    assert terms.prices_of(made)[product()] == Prices(618_000, 123_600, 247_200)
    assert (made.currency, made.segment, made.valid_from) == ("EUR", "commercial", date(2026, 7, 1))
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id, event.before) == ("create", made.pk, {})
    assert event.reason == "Copied from EUR 2020, prices raised by 3%"
    assert event.after["VOL-VIS"]["sma_year"] == 123_600


def test_each_price_is_rounded_half_up_to_the_minor_unit(eur):
    # 10.5 % of 1.00, 1.01 and 9.99: 1.105 → 1.11, 1.11605 → 1.12, 11.03895 → 11.04; what is not there stays away.
    entry = eur.entries.get(product=product())
    entry.sma_year, entry.upgrade, entry.licence, entry.upgrade_alone = 100, 101, 999, 5
    entry.save()
    assert terms.prices_of(copy(eur, "0.105"))[product()] == Prices(1104, 111, 112, None, 6)


@pytest.mark.parametrize("rate", ["-0.51", "1.01", "1000000"])
def test_a_raise_out_of_range_is_refused(eur, rate):
    with pytest.raises(DomainError, match="raise_out_of_range"):
        copy(eur, rate)
    assert PriceList.objects.count() == 1


def test_copied_twice_for_a_day_there_is_one_list(eur):
    copy(eur)
    with pytest.raises(DomainError, match="price_list_day_taken") as refusal:
        copy(eur)
    assert "begins on 1 Jul 2026 too, in EUR for commercial customers" in refusal.value.message
    assert PriceList.objects.count() == 2
    assert AuditEvent.objects.count() == 1


REFUSED = {
    "currency_unknown": {"currency": "ZZZ"},
    "valid_from_far_off": {"valid_from": date(2999, 1, 1)},
    "price_list_day_taken": {"valid_from": world.DAY_ONE},
    "price_list_empty": {"prices": {}},
}


@pytest.mark.parametrize(
    ("code", "fields"),
    [*REFUSED.items(), ("currency_unknown", {"currency": "XAU"}), ("valid_from_far_off", {"valid_from": date.min})],
)
def test_a_list_that_cannot_be_is_refused_and_not_written(eur, code, fields):
    with pytest.raises(DomainError, match=code):
        keep(**fields)
    assert list(PriceList.objects.all()) == [eur]
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("code", "prices"),
    [
        ("upgrade_not_above_sma", Prices(600_000, 120_000, 120_000)),
        ("amount_out_of_range", Prices(-1, 1, 2)),
        ("amount_out_of_range", Prices(10**11, 1, 2)),
        ("amount_out_of_range", Prices(1, 1, 2, -5)),
    ],
)
def test_prices_that_cannot_be_are_refused_and_not_written(eur, code, prices):
    with pytest.raises(DomainError, match=code):
        keep({product(): prices})
    assert list(PriceList.objects.all()) == [eur]


def test_only_who_keeps_the_catalogue_may(eur):
    seller = Actor.of(world.make_user("sales"))
    policy = PolicySettings.objects.get()
    for refused in (
        lambda: copy(eur, actor=seller),
        lambda: terms.delete_price_list(price_list=eur, actor=seller, at=NOW["at"]),
        lambda: terms.keep_policy(policy=policy, actor=seller, at=NOW["at"]),
        lambda: terms.delete_policy(policy=policy, actor=seller, at=NOW["at"]),
    ):
        with pytest.raises(DomainError, match="not_allowed"):
            refused()
    assert PriceList.objects.count() == PolicySettings.objects.count() == 1


def test_a_change_is_recorded_with_what_changed_alone(eur):
    prices = terms.prices_of(eur)
    prices[product()] = prices[product()]._replace(licence=610_000)
    del prices[product("OPL-FUL")]
    eur.name = "EUR, mended"
    terms.keep_price_list(price_list=eur, prices=prices, **NOW)
    event = AuditEvent.objects.get()
    assert event.before.keys() == {"name", "VOL-VIS", "OPL-FUL"}
    assert event.before["VOL-VIS"]["licence"] == 600_000
    assert event.after == {"name": "EUR, mended", "VOL-VIS": prices[product()]._asdict()}
    assert set(terms.prices_of(eur)) == {product("VOL-VIS"), product("VOL-QNT")}


def test_kept_as_it_is_nothing_was_done(eur):
    terms.keep_price_list(price_list=eur, prices=terms.prices_of(eur), **NOW)
    assert not AuditEvent.objects.exists()


def test_a_list_that_a_quote_has_used_stays(dongle):
    version = world.draft(dongle, "2026-02-01")
    before, events = terms.prices_of(version.price_list), AuditEvent.objects.count()
    for refused in (
        lambda: terms.keep_price_list(price_list=version.price_list, prices={}, **NOW),
        lambda: terms.delete_price_list(price_list=version.price_list, **NOW),
    ):
        with pytest.raises(DomainError, match="price_list_used") as refusal:
            refused()
        assert "Copy it" in refusal.value.message
    assert terms.prices_of(PriceList.objects.get()) == before
    assert AuditEvent.objects.count() == events


def test_an_unused_list_can_be_deleted_and_is_remembered(eur):
    terms.delete_price_list(price_list=eur, **NOW)
    event = AuditEvent.objects.get(action="delete")
    assert event.before["VOL-QNT"]["upgrade"] == 180_000
    assert not PriceList.objects.exists()


def policy(valid_from="2026-07-01", **fields):
    return terms.keep_policy(policy=PolicySettings(valid_from=date.fromisoformat(valid_from), **fields), **NOW)


def test_an_upgrade_pays_for_the_months_that_it_includes_on_the_day_from_which_the_list_holds(eur):
    """An SMA year of 1,200.00: 30 months are 3,000.00, so from July on an upgrade of 2,400.00 is too little."""
    for entry, upgrade in zip(eur.entries.order_by("product__number"), (300_001, 225_001, 375_001), strict=True):
        entry.upgrade = upgrade
        entry.save()
    policy(upgrade_includes_months=30)
    before_july = {product(): Prices(600_000, 120_000, 240_000)}
    with pytest.raises(DomainError, match="upgrade_not_above_sma") as refusal:
        keep(before_july, valid_from=date(2026, 8, 1))
    assert "must cost more than the 30 months of SMA that it includes" in refusal.value.message
    assert "the policy from 1 Jul 2026" in refusal.value.message
    keep({product(): Prices(600_000, 120_000, 300_001)}, valid_from=date(2026, 8, 1))
    assert PriceList.objects.count() == 2


def test_a_policy_under_which_a_list_in_force_would_not_hold_is_refused(eur):
    """2,400.00 is just what 24 months cost."""
    with pytest.raises(DomainError, match="upgrade_not_above_sma") as refusal:
        policy(upgrade_includes_months=24)
    assert "So it is with EUR 2020" in refusal.value.message
    assert PolicySettings.objects.count() == 1
    policy(upgrade_includes_months=23)
    assert PolicySettings.objects.count() == 2


def test_a_list_that_another_has_followed_by_then_is_in_no_policys_way(eur):
    dearer = {each: prices._replace(upgrade=prices.upgrade * 2) for each, prices in terms.prices_of(eur).items()}
    followed_by = keep(dearer, valid_from=date(2026, 6, 1))
    policy("2026-07-01", upgrade_includes_months=24)
    with pytest.raises(DomainError, match="upgrade_not_above_sma"):
        terms.delete_price_list(price_list=followed_by, **NOW)
    assert PriceList.objects.count() == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"grace_days": 91},
        {"upgrade_includes_months": 121},
        {"max_years": 0},
        {"max_years": 11},
        {"align_min_months": 121},
        {"reinstatement_fee": Decimal("1.01")},
        {"upgrade_cap": Decimal(-1)},
        {"quote_valid_days": 366},
        {"bridge_days": 366},
        {"part_month": "half"},
        {"straddle": "shrug"},
        {"multi_year_discount": {"3": "1.5"}},
        {"discount_limits": {"nobody": "0.1"}},
    ],
    ids=str,
)
def test_what_the_rulebook_does_not_allow_is_refused_and_not_written(catalogue, fields):
    with pytest.raises(DomainError, match="policy_out_of_range") as refusal:
        policy(**fields)
    assert refusal.value.data["field"] in fields
    assert PolicySettings.objects.count() == 1


def test_settings_begin_on_a_day_of_their_own_and_not_far_off(catalogue):
    for day, code in ((str(world.DAY_ONE), "policy_day_taken"), ("2999-01-01", "valid_from_far_off")):
        with pytest.raises(DomainError, match=code):
            policy(day)
    assert PolicySettings.objects.count() == 1


def test_settings_that_a_quote_has_used_stay(dongle):
    used = world.draft(dongle, "2026-02-01").policy
    used.grace_days = 5
    for refused in (terms.keep_policy, terms.delete_policy):
        with pytest.raises(DomainError, match="policy_used"):
            refused(policy=used, **NOW)
    assert PolicySettings.objects.get().grace_days == 0


def test_settings_changed_and_deleted_are_recorded(catalogue):
    later = policy()
    later.grace_days = 10
    terms.keep_policy(policy=later, **NOW)
    terms.delete_policy(policy=later, **NOW)
    created, changed, deleted = AuditEvent.objects.order_by("pk")
    assert created.after["valid_from"] == "2026-07-01"
    assert (changed.before, changed.after) == ({"grace_days": 0}, {"grace_days": 10})
    assert deleted.before["grace_days"] == 10


def test_how_a_list_stands(eur):
    copy(eur)
    first, second = price_lists(date(2026, 6, 30)).order_by("valid_from")
    assert (state_of(first, date(2026, 6, 30)), state_of(second, date(2026, 6, 30))) == ("in_force", "scheduled")
    first, second = price_lists(date(2026, 7, 1)).order_by("valid_from")
    assert (state_of(first, date(2026, 7, 1)), state_of(second, date(2026, 7, 1))) == ("past", "in_force")


def test_a_list_is_compared_with_the_last_one_before_it(eur, django_assert_num_queries):
    """618,000 ÷ 600,000 is 3 % more; 119,999 ÷ 120,000 rounds to nothing, with two decimals of a per cent."""
    new = keep({product(): Prices(618_000, 119_999, 240_000), product("VOL-NEW"): Prices(1, 1, 2)})
    keep(currency="USD", valid_from=date(2026, 6, 1))
    with django_assert_num_queries(2):
        compared = comparison_of(new)
    assert compared.previous == eur
    states = {each.product.code: each.state for each in compared.products}
    assert states == {"VOL-VIS": "", "VOL-QNT": "dropped", "VOL-NEW": "new", "OPL-FUL": "dropped"}
    kept = compared.products[0].prices
    assert [price.change for price in kept] == ["+3%", "0%", "0%"]
    assert compared.summary == "Prices change by 0% to +3%; 1 product new; 2 products dropped."


def test_the_first_list_has_none_to_compare_it_with(eur):
    compared = comparison_of(eur)
    assert compared.previous is None
    assert {each.state for each in compared.products} == {""}


@given(st.integers(0, 10**12), st.sampled_from(["EUR", "JPY", "KWD", "USD"]))
def test_an_amount_is_read_as_it_is_written(amount, currency):
    assert read_amount(write_figure(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("1200", "EUR", 120_000), (" 1 200.5 ", "EUR", 120_050), ("1,200", "JPY", 1200), ("0.005", "KWD", 5)],
)
def test_amounts_that_people_type(text, currency, amount):
    assert read_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("1.005", "EUR", "EUR has 2 decimals: 1.005 is finer than its minor unit."),
        ("1200.0", "JPY", "JPY has no decimals: 1200.0 is finer than its minor unit."),
        ("1.200,00", "EUR", "Write an amount like 1,200.00."),
        ("1,20", "EUR", "Write an amount like 1,200.00."),
        ("-5", "EUR", "Write an amount like"),
        ("1e9", "EUR", "Write an amount like"),
        ("twelve", "KWD", "Write an amount like 1,200.000."),
        ("9" * 16, "EUR", "Write an amount like"),
        ("١٢", "EUR", "Write an amount like"),
        ("", "JPY", "Write an amount like 1,200."),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text, currency, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read_amount(text, currency)
