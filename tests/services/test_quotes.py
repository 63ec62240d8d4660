"""Quotes: draft, approve, send, decline (rules Q1–Q3). VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00; tax is 19 %."""

from datetime import date
from decimal import Decimal

import pytest

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer, OutboxMessage
from renewals.models import PriceList, PriceListEntry, Quote, QuoteDongle, QuoteLine, QuoteVersion
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.states import QuoteState
from tests import world

pytestmark = pytest.mark.django_db

WRITTEN = (Quote, QuoteVersion, QuoteDongle, QuoteLine, AuditEvent, OutboxMessage)


def counts():
    return [model.objects.count() for model in WRITTEN]


def refusal_of(call, *args, **kwargs) -> DomainError:
    """The refusal; that nothing was written is checked too."""
    before = counts()
    with pytest.raises(DomainError) as refused:
        call(*args, **kwargs)
    assert counts() == before
    return refused.value


def test_a_draft_keeps_what_the_rules_made_of_the_request(dongle):
    version = world.draft(dongle, "2026-02-01")
    # 1,200.00 + 900.00 = 2,100.00; 19 % of it 399.00
    assert (version.net, version.tax, version.total, version.currency) == (210_000, 39_900, 249_900, "EUR")
    assert version.state == QuoteState.DRAFT
    quoted = version.dongles.get()
    assert (quoted.paid_through, quoted.covered_through) == (date(2026, 3, 31), date(2027, 3, 31))
    lines = [(line.product.code, line.starts_on, line.ends_on, line.months, line.net) for line in quoted.lines.all()]
    assert lines == [
        ("VOL-VIS", date(2026, 4, 1), date(2027, 3, 31), [12, 0, 0], 120_000),
        ("VOL-QNT", date(2026, 4, 1), date(2027, 3, 31), [12, 0, 0], 90_000),
    ]
    assert all("P3" in line.rules or "P4" in line.rules for line in quoted.lines.all())
    assert all(line.steps for line in quoted.lines.all())


def test_a_quote_covers_several_dongles_of_a_customer_and_taxes_their_sum_p9(dongle):
    other = world.make_dongle("777", dongle.customer, [("OPL-FUL", "2026-03-31")])
    requests = [DongleRequest(dongle, renew_years=1), DongleRequest(other, renew_years=1)]
    version = quotes.draft_quote(
        customer=dongle.customer, requests=requests, actor=world.SALES, at=world.at("2026-02-01")
    )
    # 2,100.00 + 1,500.00 = 3,600.00; tax 684.00
    assert (version.net, version.tax, version.total) == (360_000, 68_400, 428_400)
    assert [row.dongle.serial for row in version.dongles.all()] == ["104233", "777"]


def test_pricing_takes_the_same_queries_for_one_licence_and_for_twenty(
    dongle, django_assert_num_queries, django_assert_max_num_queries
):
    big = world.make_dongle("BIG", dongle.customer, [("VOL-VIS", "2026-03-31")] * 20)
    from renewals.queries import price_quote

    for each in (dongle, big):
        with django_assert_num_queries(5):
            price_quote(dongle.customer, [DongleRequest(each, renew_years=1)], on=date(2026, 2, 1))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"renew_years": None}, "nothing_requested"),
        ({"renew_years": 1, "align_to": date(2027, 1, 1)}, "renew_or_align"),
        ({"renew_years": 6}, "years_out_of_range"),
        ({"renew_years": -1}, "years_out_of_range"),
        ({"align_to": date(2026, 1, 1)}, "align_too_early"),
        ({"align_to": date(2099, 1, 1)}, "too_far_ahead"),
        ({"added": (AddedLicence("VOL-NEW", 1),)}, "no_price"),
        ({"added": (AddedLicence("NO-SUCH", 1),)}, "unknown_product"),
        ({"added": (AddedLicence("OPL-FUL", 1),)}, "wrong_family"),
        ({"added": (AddedLicence("VOL-VIS", 65_535),)}, "too_many_seats"),
    ],
)
def test_a_request_that_the_rulebook_refuses_writes_nothing(dongle, asked, code):
    assert refusal_of(world.draft, dongle, "2026-02-01", **asked).code == code


def test_a_licence_server_takes_products_of_several_families(catalogue):
    server = world.make_dongle("ILS2008A", kind="licence_server")
    version = world.draft(server, "2026-02-01", added=(AddedLicence("OPL-FUL", 5),))
    # 5 seats at 7,500.00; the two others lack 1 Apr 2026 … 31 Jan 2027, ten months: 1,000.00 and 750.00
    assert version.net == 3_750_000 + 100_000 + 75_000


def test_a_dongle_without_licences_has_nothing_to_renew(catalogue):
    assert refusal_of(world.draft, world.make_dongle(licences=[]), "2026-02-01").code == "no_licences"


def test_a_product_without_a_price_refuses_the_whole_quote(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2026-03-31"), ("VOL-NEW", "2026-03-31")])
    assert refusal_of(world.draft, dongle, "2026-02-01").code == "no_price"


def test_a_price_list_with_an_upgrade_no_dearer_than_its_sma_is_refused(db):
    # 24 included months at 1,200.00 a year are 2,400.00: an upgrade of 2,400.00 is not dearer
    world.make_catalogue(upgrade_includes_months=24)
    assert refusal_of(world.draft, world.make_dongle(), "2026-02-01").code == "upgrade_not_above_sma"


@pytest.mark.parametrize("state", ["lost", "retired"])
def test_nothing_is_sold_for_a_dongle_that_is_not_active(catalogue, state):
    refusal = refusal_of(world.draft, world.make_dongle(state=state), "2026-02-01")
    assert (refusal.code, refusal.data) == ("dongle_not_active", {"serial": "104233"})


def test_another_customers_dongle_is_refused(dongle):
    stranger = world.make_customer("Somebody else")
    refusal = refusal_of(
        quotes.draft_quote,
        customer=stranger,
        requests=[DongleRequest(dongle, renew_years=1)],
        actor=world.SALES,
        at=world.at("2026-02-01"),
    )
    assert refusal.code == "dongle_of_other_customer"


def test_a_dongle_twice_is_refused(dongle):
    refusal = refusal_of(
        quotes.draft_quote,
        customer=dongle.customer,
        requests=[DongleRequest(dongle, renew_years=1)] * 2,
        actor=world.SALES,
        at=world.at("2026-02-01"),
    )
    assert refusal.code == "dongle_twice"


def test_without_a_price_list_in_the_customers_currency_there_is_no_quote(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(currency="USD"))
    assert refusal_of(world.draft, dongle, "2026-02-01").code == "no_price_list"


def test_the_price_list_in_force_on_the_day_counts(dongle):
    dearer = PriceList.objects.create(name="Mar", currency="EUR", segment="commercial", valid_from=date(2026, 3, 1))
    for entry in list(PriceListEntry.objects.all()):
        PriceListEntry.objects.create(
            price_list=dearer,
            product=entry.product,
            licence=entry.licence,
            sma_year=entry.sma_year + 10_000,
            upgrade=entry.upgrade + 20_000,
        )
    assert world.draft(dongle, "2026-02-28").net == 210_000
    assert world.draft(dongle, "2026-03-01").net == 230_000


def test_finance_cannot_draft(dongle):
    finance = Actor.of(world.make_user("finance"))
    assert refusal_of(world.draft, dongle, "2026-02-01", actor=finance).code == "not_allowed"


@pytest.mark.parametrize(
    ("discount", "reason", "code"),
    [
        (Decimal("1.01"), "too kind", "discount_out_of_range"),
        (Decimal("-0.1"), "unkind", "discount_out_of_range"),
        (Decimal("0.1"), "  ", "discount_reason_missing"),
    ],
)
def test_a_discount_lies_within_reason(dongle, discount, reason, code):
    refusal = refusal_of(world.draft, dongle, "2026-02-01", discount=discount, discount_reason=reason)
    assert refusal.code == code


def test_sending_makes_a_promise_of_thirty_days_q1(dongle):
    version = world.send(dongle, "2026-02-01")
    assert (version.state, version.valid_until) == (QuoteState.SENT, date(2026, 3, 3))
    message = OutboxMessage.objects.get(kind="quote_sent")
    assert message.payload["recipients"] == list(Contact.objects.values_list("email", flat=True))
    assert [event.action for event in AuditEvent.objects.filter(subject_kind="quoteversion")] == ["draft", "send"]


def test_sent_twice_is_sent_once(dongle):
    version = world.send(dongle, "2026-02-01")
    before = counts()
    quotes.send_quote(version=version, actor=world.SALES, at=world.at("2026-02-02"))
    assert counts() == before


def test_a_draft_of_an_earlier_day_is_priced_again_before_it_is_sent(dongle):
    version = world.draft(dongle, "2026-02-01")
    refusal = refusal_of(quotes.send_quote, version=version, actor=world.SALES, at=world.at("2026-02-02"))
    assert refusal.code == "quote_outdated"


def test_a_quote_goes_only_to_contacts_on_file_who_have_not_left(dongle):
    Contact.objects.update(left_on=date(2026, 1, 1))
    version = world.draft(dongle, "2026-02-01")
    refusal = refusal_of(quotes.send_quote, version=version, actor=world.SALES, at=world.at("2026-02-01"))
    assert refusal.code == "no_contact"


def test_a_revision_replaces_a_draft_at_once(dongle):
    first = world.draft(dongle, "2026-02-01")
    second = world.draft(dongle, "2026-02-01", renew_years=2, revises=first.quote)
    first.refresh_from_db()
    assert (first.state, second.number) == (QuoteState.SUPERSEDED, 2)


def test_a_revision_supersedes_a_sent_version_once_it_is_sent_itself_q2(dongle):
    first = world.send(dongle, "2026-02-01")
    second = world.draft(dongle, "2026-02-05", renew_years=2, revises=first.quote)
    first.refresh_from_db()
    assert first.state == QuoteState.SENT
    quotes.send_quote(version=second, actor=world.SALES, at=world.at("2026-02-05"))
    first.refresh_from_db()
    assert first.state == QuoteState.SUPERSEDED
    refusal = refusal_of(world.accept, first, "2026-02-06")
    assert refusal.code == "quote_superseded"


def test_an_accepted_quote_has_no_further_version_q2(dongle):
    version = world.send(dongle, "2026-02-01")
    world.accept(version, "2026-02-01")
    assert refusal_of(world.draft, dongle, "2026-02-02", revises=version.quote).code == "quote_accepted"


def test_declining_wants_a_reason(dongle):
    version = world.send(dongle, "2026-02-01")
    by = {"actor": world.SALES, "at": world.at("2026-02-02")}
    assert refusal_of(quotes.decline_quote, version=version, reason=" ", **by).code == "decline_reason_missing"
    assert quotes.decline_quote(version=version, reason="Too dear", **by).state == QuoteState.DECLINED
    assert AuditEvent.objects.get(action="decline").reason == "Too dear"
    assert refusal_of(world.accept, version, "2026-02-02").code == "quote_declined"


class TestApproval:
    """Q3: over the role's limit another person approves, with a reason."""

    @pytest.fixture
    def seller(self, dongle):
        return Actor.of(world.make_user("sales"))

    @pytest.fixture
    def version(self, dongle, seller):
        return world.draft(dongle, "2026-02-01", discount=Decimal("0.2"), discount_reason="Rival", actor=seller)

    def approve(self, version, actor, reason="Worth it"):
        return quotes.approve_quote(version=version, actor=actor, at=world.at("2026-02-01"), reason=reason)

    def test_within_the_limit_nobody_is_asked_q3(self, dongle, seller):
        version = world.draft(dongle, "2026-02-01", discount=Decimal("0.1"), discount_reason="Loyal", actor=seller)
        assert not version.needs_approval

    def test_over_the_limit_it_cannot_be_sent_q3(self, version, seller):
        refusal = refusal_of(quotes.send_quote, version=version, actor=seller, at=world.at("2026-02-01"))
        assert refusal.code == "approval_needed"

    def test_nobody_approves_their_own_q3(self, version, seller):
        assert refusal_of(self.approve, version, seller).code == "approval_own"

    def test_a_colleague_with_the_same_limit_cannot_approve_q3(self, version):
        colleague = Actor.of(world.make_user("sales", "two@vendor.example"))
        assert refusal_of(self.approve, version, colleague).code == "approval_over_limit"

    def test_an_approval_has_a_reason_q3(self, version):
        administrator = Actor.of(world.make_user("administrator"))
        assert refusal_of(self.approve, version, administrator, " ").code == "approval_reason_missing"

    def test_approved_it_is_sent_q3(self, version, seller):
        self.approve(version, Actor.of(world.make_user("administrator")))
        sent = quotes.send_quote(version=version, actor=seller, at=world.at("2026-02-01"))
        assert sent.state == QuoteState.SENT
        # 20 % off 1,200.00 and 900.00: 960.00 + 720.00
        assert sent.net == 168_000
        assert AuditEvent.objects.get(action="approve").reason == "Worth it"


def test_a_customer_of_another_currency_is_quoted_in_it(catalogue):
    yen = PriceList.objects.create(name="JPY", currency="JPY", segment="academic", valid_from=world.DAY_ONE)
    for entry in PriceListEntry.objects.filter(price_list__currency="EUR"):
        PriceListEntry.objects.create(
            price_list=yen, product=entry.product, licence=900_000, sma_year=150_001, upgrade=300_001
        )
    customer = world.make_customer(currency="JPY", segment=Customer.Segment.ACADEMIC, country="JP")
    version = world.draft(world.make_dongle(customer=customer), "2026-02-01")
    assert (version.net, version.tax, version.currency) == (300_002, 0, "JPY")
