"""A customer's own pages of a dongle, of its codes and of an order."""

import re
from datetime import timedelta

import pytest

from dongles.models import CodeReceipt, Dongle, UnlockCode
from dongles.services import lose_dongle
from dongles.unlock import receipt_of
from portal import outbox
from portal.models import AuditEvent, SentMail
from portal.wording import write_day
from renewals.services.cancellations import cancel_order
from renewals.services.replacements import replace_dongle
from tests import world
from tests.web.test_builder import text_of


def page_of(owner, dongle):
    return owner.get(f"/my/dongles/{dongle.serial}/")


def code_address(code, what=""):
    return f"/my/dongles/{code.dongle.serial}/codes/{code.pk}/{what}"


def receipt(code):
    return receipt_of(code.dongle.serial, code.generation, code.sequence, code.expiry_on)


def enter(owner, code, typed):
    return owner.post(code_address(code, "receipt/"), {"receipt": typed})


def test_a_dongle_says_first_how_it_stands_and_what_renewing_costs_now_and_later(owner, dongle, today):
    due = today + timedelta(days=70)
    world.make_release("7.0", str(today - timedelta(days=50)))
    world.make_release("9.0", str(due))
    page = text_of(page_of(owner, dongle))
    ends = write_day(today + timedelta(days=30))
    assert f"The SMA is valid until {ends}, for 30 days more." in page
    # 1,200.00 + 900.00 and 19 % tax; over 9.0 each takes an upgrade, twice its year
    before = write_day(due - timedelta(days=1))
    assert "Renewing for a year costs €2,499.00 with tax today." in page
    assert f"After {before} it costs €4,998.00, because Volocity 9.0" in page
    assert "Volocity 7.0, released" in page
    assert "Ada Lenz" in page


def test_in_another_spelling_it_leads_to_the_dongle(owner, dongle):
    assert owner.get("/my/dongles/104-233/").url == "/my/dongles/104233/"


def test_what_has_happened_is_one_list_newest_first(owner, dongle, today):
    day = today - timedelta(days=9)
    order = world.sell(dongle, day)
    code = dongle.codes.get()
    enter(owner, code, receipt(code))
    draft = world.draft(dongle, today, renew_years=2)
    page = page_of(owner, dongle).content.decode()
    told = re.findall(r'class="history-what"><a href="[^"]+">([^<]+)', page)
    quote = order.version.quote.number
    assert told == [
        f"Code {code} applied",
        f"Unlock code {code}",
        f"Order {order.number} placed by Ada Lenz",
        f"Quote {quote}",
    ]
    assert draft.quote.number not in page


def test_what_a_former_owner_bought_is_not_told(owner, dongle, today):
    theirs = world.make_dongle("777", world.make_customer("Somebody else"), [("VOL-VIS", str(today))])
    order = world.sell(theirs, today)
    Dongle.objects.filter(pk=theirs.pk).update(customer=dongle.customer)
    page = page_of(owner, theirs).content.decode()
    assert order.number not in page
    assert order.version.quote.number not in page
    assert owner.get(f"/my/orders/{order.pk}/").status_code == 404


def test_who_is_reminded_is_said_of_each_contact(owner, dongle, today):
    dongle.customer.contacts.create(name="Ben", email="ben@cells.example", reminders_stopped_at=world.at(today))
    dongle.customer.contacts.create(name="Cleo")
    dongle.customer.contacts.create(name="Gone", email="gone@cells.example", left_on=today)
    page = text_of(page_of(owner, dongle))
    assert re.search(r"Ada Lenz ada\d+@cells.example On", page)
    assert f"Ben ben@cells.example Off stopped on {write_day(today)}" in page
    assert "Cleo Off no e-mail address on file" in page
    assert "gone@cells.example" not in page


def test_a_lost_dongle_and_its_successor_say_so(owner, dongle, today):
    lose_dongle(dongle=dongle, reason="In the taxi", actor=world.SALES, at=world.at(today))
    assert "This dongle is on record as lost" in text_of(page_of(owner, dongle))
    dongle.refresh_from_db()
    free = {"actor": world.SALES, "at": world.at(today)}
    Dongle.objects.update(state="active")
    dongle.refresh_from_db()
    replace_dongle(dongle=dongle, serial="999", cause="broken", reason="Dropped", **free)
    page = page_of(owner, dongle)
    assert "Dongle 999 took the place of this one" in text_of(page)
    assert 'class="button-primary" href="/my/dongles/999/"' in page.content.decode()
    assert "took the place of dongle 104233" in text_of(owner.get("/my/dongles/999/"))


@pytest.mark.parametrize("ends", [[-500], [-500, 40], []])
def test_every_kind_of_dongle_has_a_page(owner, dongle, today, ends):
    world.make_release("7.0", str(today - timedelta(days=50)))
    licences = [("VOL-VIS", str(today + timedelta(days=days))) for days in ends]
    page = page_of(owner, world.make_dongle("777", dongle.customer, licences))
    assert page.status_code == 200
    assert ("Volocity 7.0 came out after that end: renewing takes an upgrade." in text_of(page)) == bool(ends)


def test_a_code_has_its_rows_its_picture_and_its_file(owner, dongle, today):
    world.sell(dongle, today)
    code = dongle.codes.get()
    page = owner.get(code_address(code))
    rows = re.findall(r"<li><code>([^<]+)</code></li>", page.content.decode())
    assert "".join(rows).replace("-", "").replace(" ", "") == code.letters
    assert f"it then runs every version that is released by {write_day(code.expiry_on)}" in text_of(page)
    assert owner.get(code_address(code, "qr.svg"))["Content-Type"] == "image/svg+xml"
    file = owner.get(code_address(code, "file/"))
    assert file.content.decode() == code.letters
    assert f"{code}.smacode" in file["Content-Disposition"]


def test_the_code_is_there_at_the_moment_of_the_order(owner, dongle, today):
    """Not after 15 seconds but after none: accepting issues it, and no mail has to leave first."""
    order = world.sell(dongle, today)
    code = UnlockCode.objects.get()
    assert code.issued_at == AuditEvent.objects.get(action="accept", subject_kind="order", subject_id=order.pk).at
    assert owner.get(code_address(code)).status_code == 200
    assert not SentMail.objects.exists()
    outbox.drain()
    (row, *_) = re.findall(r"<li><code>([^<]+)</code></li>", owner.get(code_address(code)).content.decode())
    assert row in SentMail.objects.get(subject__startswith="Unlock code").text


def test_a_receipt_brings_the_dongle_up_to_date(owner, dongle, today):
    world.sell(dongle, today)
    code = dongle.codes.get()
    answer = owner.post(code_address(code, "receipt/"), {"receipt": receipt(code).lower()}, follow=True)
    assert answer.redirect_chain == [("/my/dongles/104233/", 302)]
    assert f"Dongle 104233 is up to date: it holds the date {write_day(code.expiry_on)}." in text_of(answer)
    dongle.refresh_from_db()
    assert dongle.confirmed_expiry_on == dongle.issued_expiry_on == code.expiry_on
    assert AuditEvent.objects.get(action="confirm_receipt").actor == dongle.customer.users.get()
    assert "There is nothing more to do." in text_of(owner.get(code_address(code)))


def test_a_mistyped_receipt_says_which_letter_and_writes_nothing(owner, dongle, today):
    world.sell(dongle, today)
    code = dongle.codes.get()
    right = receipt(code)
    typed = right[:2] + ("B" if right[2] == "A" else "A") + right[3:]
    answer = enter(owner, code, typed)
    assert answer.status_code == 422
    assert f"The third letter, “{typed[2]}”, does not fit." in text_of(answer)
    assert f'value="{typed}"' in answer.content.decode()
    assert "A receipt has 8 letters and digits, and this has 3." in text_of(enter(owner, code, "ABC"))
    assert not CodeReceipt.objects.exists()


def test_earlier_codes_are_included_and_refused_ones_are_said_to_be(owner, dongle, today):
    for years in (1, 1, 1):
        world.sell(dongle, today, renew_years=years)
    first, second, third = dongle.codes.order_by("pk")
    page = text_of(owner.get(code_address(third)))
    assert f"{first} and {second} : we have no receipt of them. They need not be applied" in page
    older = owner.get(code_address(first))
    assert f"code {third} is newer and includes it" in text_of(older)
    assert f'class="button-primary" href="{code_address(third)}"' in older.content.decode()
    # The receipt of an earlier one counts, and leads to the newest.
    answer = owner.post(code_address(first, "receipt/"), {"receipt": receipt(first)}, follow=True)
    assert f"This is the receipt of an earlier code. Please apply code {third} too." in text_of(answer)
    enter(owner, third, receipt(third))
    page = text_of(owner.get(code_address(second)))
    assert f"the dongle has applied a newer one, code {third}, and would refuse this one" in page


def test_what_the_dongle_runs_now_and_after_its_code_are_told_apart(owner, dongle, today):
    dongle = world.make_dongle("777", dongle.customer, [("VOL-VIS", str(today - timedelta(days=90)))])
    world.make_release("7.0", str(today - timedelta(days=200)), is_major=False)
    world.make_release("7.1", str(today - timedelta(days=20)), is_major=False)
    world.sell(dongle, today)
    page = text_of(page_of(owner, dongle))
    now, then = page.split("Once its newest code is applied:")
    assert "Volocity 7.0, released" in now
    assert "the newest of all is 7.1" in now
    assert "Volocity 7.1, released" in then


def test_an_order_says_what_was_ordered_and_what_came_of_it(owner, dongle, today):
    order = world.sell(dongle, today)
    page = owner.get(f"/my/orders/{order.pk}/")
    text = text_of(page)
    assert f"Ordered and carried out on {write_day(today)}" in text
    assert "Your purchase order PO-77" in text
    assert "Volocity Visualisation SMA, one year" in text
    assert "€2,499.00" in text
    assert f'class="button-primary" href="{code_address(dongle.codes.get())}"' in page.content.decode()
    cancel_order(order=order, from_on=today, reason="Sold", actor=world.SALES, at=world.at(today), is_mistake=True)
    text = text_of(owner.get(f"/my/orders/{order.pk}/"))
    assert f"Cancelled as a whole: nothing of it counts since {write_day(today)}." in text
    assert text.count("104233-0-") >= 2  # the order's code, and the one that takes it back


def test_an_order_that_is_to_be_paid_first_says_what_it_waits_for(owner, dongle, today):
    dongle.customer.fulfil_on = "payment"
    dongle.customer.save()
    order = world.sell(dongle, today)
    text = text_of(owner.get(f"/my/orders/{order.pk}/"))
    assert "Ordered. We have not received the payment yet" in text
    assert "Ordered for dongle 104233" in text
