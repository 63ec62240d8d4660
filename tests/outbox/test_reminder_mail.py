"""What a reminder says, as of the day on which it is delivered.

The dongle's SMA ends on 31 Mar 2026. VOL-VIS costs 1,200.00 a year and VOL-QNT 900.00; with 19% tax 2,499.00.
"""

from datetime import date

import pytest

from portal.models import Contact, SentMail
from renewals.models import PolicySettings, ReminderCopy
from renewals.notices import write_end
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.services.reminders import REMINDERS, deliver_copy, post_reminders
from tests import world

pytestmark = pytest.mark.django_db


def mail_of(on, delivered_on=None):
    """The first copy of what is posted on a day, delivered on that day or a later one."""
    post_reminders(actor=REMINDERS, at=world.at(on))
    deliver_copy(ReminderCopy.objects.order_by("-mailing", "pk")[0], at=world.at(delivered_on or on))
    return SentMail.objects.filter(message__kind="reminder").latest("pk")


def test_before_the_end_it_says_when_what_then_and_whom_to_ask(dongle):
    mail = mail_of("2026-03-01")
    assert mail.subject == "The SMA of dongle 104233 ends in 30 days"
    for said in (
        "For Institute of Cells",
        "Dongle 104233\n  - Volocity Visualisation, 1 seat\n  - Volocity Quantitation, 1 seat\n"
        "  Its SMA ends in 30 days, 31 Mar 2026.\n",
        "After the end of an SMA the software goes on running",
        "Renewing early loses nothing",
        "an upgrade to it has to be bought, at a higher charge.",
        "For a quote the serial number is all that we need. Type it at\nhttp://127.0.0.1:8000/renew/\n"
        "or write to sma@vendor.example.\n",
        f"This reminder goes to {dongle.customer.contacts.get().email}.",
    ):
        assert said in mail.text
    for unsaid in ("attached", "came out", "without a gap", "None", "\n\n\n\n"):
        assert unsaid not in mail.text
    assert "<strong>ends in 30 days</strong>, 31 Mar 2026." in mail.html
    assert mail.attachments == []


def test_delivered_later_it_counts_the_days_from_then(dongle):
    assert mail_of("2026-03-01", "2026-03-05").subject == "The SMA of dongle 104233 ends in 26 days"


def test_whoever_looks_after_the_customer_is_named(dongle):
    dongle.customer.owner = world.make_user("sales")
    dongle.customer.save()
    assert "or write to Sales, sales@vendor.example.\n" in mail_of("2026-03-01").text


def test_after_the_end_it_says_whether_a_major_release_was_missed(dongle):
    assert "No major release has come out since, so that renewing takes no upgrade yet." in mail_of("2026-04-01").text
    world.make_release("7.0", "2026-04-10")
    mail = mail_of("2026-04-30")
    assert mail.subject == "The SMA of dongle 104233 ended 30 days ago"
    assert (
        "  Volocity 7.0 came out while there was no SMA: renewing takes an upgrade, at\n  a higher charge.\n"
        in mail.text
    )
    assert "the software goes on running as it does now" in mail.text
    assert "Renewing early" not in mail.text


def test_of_a_ragged_dongle_it_says_what_the_lapsed_licence_missed(catalogue):
    world.make_dongle(licences=[("VOL-VIS", "2025-06-30"), ("VOL-QNT", "2026-03-31")])
    world.make_release("7.0", "2025-09-01")
    text = mail_of("2026-03-01").text
    assert "  Volocity 7.0 came out while not all of its licences had an SMA: renewing\n  takes an upgrade" in text


def test_within_the_days_of_grace_nothing_is_missed_and_it_says_until_when(dongle):
    PolicySettings.objects.update(grace_days=10)
    world.make_release("7.0", "2026-04-01")
    mail = mail_of("2026-04-01")
    assert "Its SMA ended yesterday, 31 Mar 2026.\n  Renewed by 10 Apr 2026, it goes on without a gap.\n" in mail.text
    assert "came out" not in mail.text


def test_an_open_quote_goes_with_it(dongle):
    version = world.send(dongle, "2026-02-20")
    mail = mail_of("2026-03-01")
    number = version.quote.number
    offer = f"Our offer: quote {number}, €2,499.00 in all, valid until 22 Mar 2026\n  "  # 20 Feb + 30 days
    assert offer + f"http://127.0.0.1:8000/q/{version.key}/" in mail.text
    assert "The quote named above is attached." in mail.text
    assert "For a quote" not in mail.text
    assert [(each["name"], each["sha256"]) for each in mail.attachments] == [
        (f"{number}-1.pdf", version.document.sha256)
    ]


def test_a_quote_for_several_dongles_says_so(dongle):
    other = world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-03-31")])
    draft = quotes.draft_quote(
        customer=dongle.customer,
        requests=[DongleRequest(dongle, 1), DongleRequest(other, 1)],
        actor=world.SALES,
        at=world.at("2026-02-20"),
    )
    quotes.send_quote(version=draft, actor=world.SALES, at=world.at("2026-02-20"))
    mail = mail_of("2026-03-01")
    assert (
        mail.text.count(f"Our offer: quote {draft.quote.number} for 2 dongles, €3,927.00 in all") == 2
    )  # 3,300.00 + 19%
    assert len(mail.attachments) == 1


def expired(dongle):
    world.send(dongle, "2026-01-20")


def to_the_owner_before(dongle):
    world.send(dongle, "2026-02-20")
    dongle.customer = world.make_customer("The owner since")
    dongle.save()


def drafted(dongle):
    world.draft(dongle, "2026-02-20")


def of_other_licences(dongle):
    world.send(dongle, "2026-02-20")
    dongle.licences.filter(product__code="VOL-QNT").update(withdrawn_on=date(2026, 2, 21), withdrawal_reason="x")


@pytest.mark.parametrize("quoted", [expired, to_the_owner_before, drafted, of_other_licences])
def test_a_quote_that_can_not_be_accepted_is_not_named(dongle, quoted):
    quoted(dongle)
    mail = mail_of("2026-03-01")
    assert "Our offer" not in mail.text
    assert "For a quote the serial number is all that we need." in mail.text
    assert mail.attachments == []


def test_the_newest_of_several_open_quotes_is_named(dongle):
    world.send(dongle, "2026-02-20")
    newest = world.send(dongle, "2026-02-21", renew_years=2)
    text = mail_of("2026-03-01").text
    assert text.count("Our offer") == 1
    assert newest.quote.number in text


def test_of_many_quotes_two_are_attached(dongle):
    for serial in ("104233", "204233", "304233"):
        each = dongle if serial == "104233" else world.make_dongle(serial, dongle.customer, [("VOL-VIS", "2026-03-31")])
        world.send(each, "2026-02-20")
    world.make_dongle("404233", dongle.customer, [("VOL-VIS", "2026-04-30")])
    mail = mail_of("2026-03-01")
    assert mail.subject == "The SMA of 4 dongles: the next ends in 30 days"
    assert mail.text.count("Our offer: quote") == 3
    assert len(mail.attachments) == 2
    assert "The first 2 of the 3 quotes named above are attached" in mail.text
    assert "For a quote for the other dongles the serial number is all that we need." in mail.text


def test_several_dongles_stand_in_the_order_of_their_ends(dongle):
    world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-02-28")])
    mail = mail_of("2026-03-01")
    assert mail.subject == "The SMA of 2 dongles: the next ends in 30 days"
    assert mail.text.index("Dongle 204233") < mail.text.index("Dongle 104233")
    assert "Renewing early loses nothing" in mail.text


def test_every_copy_names_all_who_get_one_and_has_a_link_of_its_own(dongle, smtp_sink):
    Contact.objects.create(customer=dongle.customer, name="Bo Lind", email="bo@cells.example")
    post_reminders(actor=REMINDERS, at=world.at("2026-03-01"))
    for copy in ReminderCopy.objects.order_by("pk"):
        deliver_copy(copy, at=world.at("2026-03-01"))
    ada, bo = dongle.customer.contacts.order_by("pk")
    assert [mail["To"] for mail in smtp_sink.messages] == [f"{ada.email}, bo@cells.example"] * 2
    mails = SentMail.objects.order_by("pk")
    assert [mail.recipients for mail in mails] == [[ada.email], ["bo@cells.example"]]
    for mail, own, others in ((mails[0], ada, bo), (mails[1], bo, ada)):
        for text in (mail.text, mail.html):
            assert f"{ada.email}, bo@cells.example" in text
            assert f"/reminders/{own.reminders_key}/" in text
            assert str(others.reminders_key) not in text


def test_dates_and_amounts_are_written_as_the_customer_does(dongle):
    dongle.customer.locale = "de_DE"
    dongle.customer.save()
    world.send(dongle, "2026-02-20")
    mail = mail_of("2026-03-01")
    for text in (mail.text, mail.html):
        assert "31.03.2026" in text
        assert "2.499,00\xa0€ in all, valid until 22.03.2026" in text


def test_names_with_markup_are_harmless(dongle):
    dongle.customer.name = "Cells & <b>Sons</b>"
    dongle.customer.save()
    mail = mail_of("2026-03-01")
    assert "For Cells & <b>Sons</b>" in mail.text
    assert "Cells &amp; &lt;b&gt;Sons&lt;/b&gt;" in mail.html


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("2026-05-30", "ends in 90 days"),
        ("2026-03-03", "ends in 2 days"),
        ("2026-03-02", "ends tomorrow"),
        ("2026-03-01", "ends today"),
        ("2026-02-28", "ended yesterday"),
        ("2026-02-27", "ended 2 days ago"),
    ],
)
def test_ends_are_counted_in_days(end, words):
    assert write_end(date.fromisoformat(end), date(2026, 3, 1)) == words
