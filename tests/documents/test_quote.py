"""The PDF of a quote: it says everything that was offered, as the customer writes dates and amounts."""

import random
import re
from datetime import date
from decimal import Decimal

import pytest

from portal.audit import Actor
from renewals.documents import acceptance_address, quote_pdf
from renewals.documents.wording import Wording
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest
from renewals.services import quotes
from tests import world
from tests.documents.conftest import with_key
from tests.documents.reading import letters_of, links_of, pages_of, read, words_of


def test_a_renewal_says_every_date_line_and_amount(sent):
    """One year for both licences: 1,200.00 + 900.00 = 2,100.00; 19% of it 399.00; together 2,499.00."""
    version, pdf = sent()
    words = words_of(pdf)
    for said in (
        "Imaging Vendor Ltd 1 Example Way, Cambridge",
        "sma@vendor.example +44 1223 000000 VAT GB 000 0000 00",
        f"Quote {version.quote.number}, version 1",
        "Institute of Cells Germany",
        "Date 1 Mar 2026 Valid until 31 Mar 2026",
        "of your dongle 104233: all licences on it covered through 31 Mar 2027, for €2,100.00 before tax, €2,499.00",
        "SMA expiry date 31 Mar 2026 → 31 Mar 2027",
        "Volocity Visualisation Covered through 31 Mar 2026. SMA, one year",
        "Volocity Quantitation Covered through 31 Mar 2026. SMA, one year",
        "1 Apr 2026 – 31 Mar 2027 12 months 1,200.00",
        "1 Apr 2026 – 31 Mar 2027 12 months 900.00",
        "Net €2,100.00 Tax, 19% €399.00 Total, EUR €2,499.00",
        "with your purchase order number by 31 Mar 2026, that day included",
        "Terms Payment within 30 days.",
    ):
        assert said in words


def test_dates_and_amounts_are_written_as_the_customer_writes_them(sent):
    _, pdf = sent(customer={"locale": "de_DE"})
    words = words_of(pdf)
    assert "SMA expiry date 31.03.2026 → 31.03.2027" in words
    assert "01.04.2026 – 31.03.2027 12 months 1.200,00" in words
    assert "Net 2.100,00 € Tax, 19 % 399,00 € Total, EUR 2.499,00 €" in words


def test_a_lapsed_dongle_says_what_it_missed_and_that_it_takes_an_upgrade(sent):
    """Upgrade 2,400.00 with twelve months; 19% of it 456.00; together 2,856.00."""
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-03-31")])
    world.make_release("7.0", "2025-06-01")
    _, pdf = sent(dongle=dongle)
    words = words_of(pdf)
    assert "Lapsed: covered through 31 Mar 2025. Missed the major release 7.0 (1 Jun 2025)." in words
    assert "SMA expiry date 31 Mar 2025 → 28 Feb 2027" in words
    assert "Upgrade 1 Mar 2026 – 28 Feb 2027 12 months 2,400.00" in words
    assert "Total, EUR €2,856.00" in words


def test_discounts_stand_beside_the_list_price_with_their_rate(sent):
    """10% of 1,200.00 is 120.00, of 900.00 is 90.00: 1,080.00 + 810.00 = 1,890.00; tax 359.10; 2,249.10."""
    seller = Actor.of(world.make_user("sales"))
    _, pdf = sent(discount=Decimal("0.10"), discount_reason="Our secret reason", note="Thank you.", actor=seller)
    words = words_of(pdf)
    assert "12 months 1,200.00 negotiated 10% −120.00 1,080.00" in words
    assert "12 months 900.00 negotiated 10% −90.00 810.00" in words
    assert "Total, EUR €2,249.10" in words
    assert "Note Thank you." in words
    assert "secret" not in words  # the reason is the vendor's own


def test_added_licences_are_new_on_the_dongle(sent):
    _, pdf = sent(renew_years=1, added=(AddedLicence("VOL-QNT", 3),), licences=[("VOL-VIS", "2026-03-31")])
    words = words_of(pdf)
    assert "Volocity Quantitation New on this dongle." in words
    assert "New licence, 3 seats 1 Mar 2026 – 28 Feb 2027 12 months 13,500.00" in words


def test_it_has_one_link_to_its_page_and_one_to_the_vendor(sent):
    version, pdf = sent()
    assert sum(len(page.get("/Annots") or []) for page in read(pdf).pages) == 2
    assert acceptance_address(version) == f"https://portal.example/q/{version.key}/"
    assert links_of(pdf) == {acceptance_address(version), "mailto:sma@vendor.example"}
    assert acceptance_address(version) in words_of(pdf)


def test_a_long_address_of_the_portal_stays_clear_of_the_code(sent, settings):
    settings.ADDRESS = "https://software-maintenance.customers.imaging-vendor-with-a-long-name.example"
    version, pdf = sent()
    assert letters_of(acceptance_address(version)) in letters_of(words_of(pdf))
    assert acceptance_address(version) in links_of(pdf)
    assert acceptance_address(version) not in words_of(pdf)  # broken into lines


def test_who_pays_first_is_told_so(sent):
    _, pdf = sent(customer={"fulfil_on": "payment"})
    words = words_of(pdf)
    assert "Pay our invoice." in words
    assert "once it is paid" in words
    assert "purchase order" not in words


def test_a_draft_is_marked_on_every_page_and_cannot_be_accepted(dongle):
    version = world.draft(dongle, "2026-03-01")
    pdf = quote_pdf(version, on=date(2026, 3, 1))
    assert all("Draft, not an offer" in page for page in pages_of(pdf))
    assert "This is a draft for the Software Maintenance Agreement" in words_of(pdf)
    assert "How to accept" not in words_of(pdf)
    assert "Valid until" not in words_of(pdf)
    assert links_of(pdf) == {"mailto:sma@vendor.example"}


def test_a_sent_quote_without_a_page_is_accepted_by_mail(dongle):
    version = world.send(dongle, "2026-03-01")
    version.key_nonce = ""
    words = words_of(quote_pdf(version, on=date(2026, 3, 1)))
    assert "that day included: write to sma@vendor.example." in words
    assert "Its page" not in words


def test_the_same_version_and_day_give_the_same_bytes(sent):
    version, pdf = sent()
    assert quote_pdf(version, on=date(2026, 3, 1)) == pdf
    assert quote_pdf(version, on=date(2026, 3, 2)) != pdf


@pytest.mark.parametrize(
    ("country", "width", "height"), [("US", 612, 792), ("CA", 612, 792), ("DE", 595, 842), ("JP", 595, 842)]
)
def test_paper_is_what_the_country_prints_on(sent, country, width, height):
    _, pdf = sent(customer={"country": country})
    box = read(pdf).pages[0].mediabox
    assert (round(box.width), round(box.height)) == (width, height)


def test_it_is_tagged_titled_and_dated(sent):
    version, pdf = sent()
    reader = read(pdf)
    catalogue = reader.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalogue
    assert catalogue["/Lang"] == "en-GB"
    assert reader.metadata.title == f"Quote {version.quote.number}, version 1"
    assert reader.metadata.author == "Imaging Vendor Ltd"
    assert reader.metadata.creation_date.date() == date(2026, 3, 1)
    claims = catalogue["/Metadata"].get_object().get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in claims
    assert "<pdfaid:part>2</pdfaid:part>" in claims


def test_the_drawing_is_told_in_words_and_heads_are_heads(sent):
    _, pdf = sent()
    root = read(pdf).trailer["/Root"]["/StructTreeRoot"]
    kinds, told = [], []

    def walk(element):
        element = element.get_object()
        if isinstance(element, list):
            for each in element:
                walk(each)
        elif isinstance(element, dict):
            kinds.append(element.get("/S"))
            told.append(element.get("/Alt"))
            if "/K" in element:
                walk(element["/K"])

    walk(root["/K"])
    assert {"/Table", "/TH", "/TD", "/H1", "/H2", "/Figure", "/Link"} <= set(kinds)
    drawing = next(text for text in told if text and text.startswith("SMA coverage of 2 licences"))
    assert (
        "Volocity Visualisation: covered 1 Jan 2020 – 31 Mar 2026; the quote adds 1 Apr 2026 – 31 Mar 2027." in drawing
    )


def many(count, licences, on="2026-03-01", customer=None, years=lambda number: 1):
    customer = customer or world.make_customer()
    dongles = [world.make_dongle(f"{200000 + number}", customer, licences) for number in range(count)]
    draft = quotes.draft_quote(
        customer=customer,
        requests=[DongleRequest(each, renew_years=years(number)) for number, each in enumerate(dongles)],
        actor=world.SALES,
        at=world.at(on),
    )
    return with_key(quotes.send_quote(version=draft, actor=world.SALES, at=world.at(on)))


def test_fifty_dongles_with_200_lines_break_well_over_pages(catalogue):
    """Each dongle: 2 × 1,200.00 + 2 × 900.00 = 4,200.00; fifty of them 210,000.00; tax 39,900.00."""
    carried = [("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-03-31")] * 2
    version = many(50, carried)
    pdf = quote_pdf(version, on=date(2026, 3, 1))
    pages = pages_of(pdf)
    everything = " ".join(pages)
    for number, page in enumerate(pages, 1):
        assert page.count(f"{number} of {len(pages)}") == 1
        assert version.quote.number in page
        if "SMA, one year" in page:
            heads = re.search(r"Item, dongle (\d+) Period Net, EUR", page)
            assert heads
            assert heads.start() < page.index("SMA, one year")
        if (head := page.rfind("SMA expiry date 31 Mar 2026 →")) >= 0:
            assert "SMA, one year 1 Apr 2026" in page[head:]
    for serial in range(200000, 200050):
        assert f"{serial} 31 Mar 2026 31 Mar 2027 4,200.00" in everything
        assert f"Dongle {serial} SMA expiry date 31 Mar 2026 → 31 Mar 2027" in everything
        assert f"Dongle {serial}, net 4,200.00" in everything
    assert everything.count("SMA, one year 1 Apr 2026 – 31 Mar 2027 12 months") == 200
    assert any("Net €210,000.00 Tax, 19% €39,900.00 Total, EUR €249,900.00" in page for page in pages)


@pytest.mark.parametrize("count", [3, 4])
def test_more_than_three_dongles_are_listed_at_a_glance(catalogue, count):
    words = words_of(quote_pdf(many(count, [("VOL-VIS", "2026-03-31")]), on=date(2026, 3, 1)))
    assert ("The dongles at a glance" in words) == (count > 3)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_printed_adds_up_to_the_total(catalogue, seed):
    chance = random.Random(seed)
    codes = chance.choices(["VOL-VIS", "VOL-QNT"], k=chance.randint(1, 4))
    carried = [(code, f"202{chance.randint(4, 7)}-0{chance.randint(1, 9)}-15") for code in codes]
    customer = world.make_customer(locale=chance.choice(["en_GB", "fr_FR", "de_CH", "pl_PL", "hi_IN"]))
    version = many(chance.randint(1, 8), carried, customer=customer, years=lambda number: 1 + number % 3)
    wording = Wording(customer.locale, "EUR")
    letters = letters_of(words_of(quote_pdf(version, on=date(2026, 3, 1))))
    lines = [line for quoted in version.dongles.all() for line in quoted.lines.all()]
    assert sum(line.net for line in lines) == version.net
    for line in lines:
        assert letters_of(wording.figure(line.net)) in letters
    for amount in (version.net, version.tax, version.total):
        assert letters_of(wording.money(amount)) in letters
