"""Check a code, in a real browser: what was typed row by row, what the code would do, and that nothing is sent."""

import json
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import FileSystemStorage
from django.urls import reverse
from playwright.sync_api import expect

from dongles.keys import demo_private_key
from dongles.unlock import printed_rows, sign, to_letters
from dongles.unlock.codec import KEY
from portal import outbox
from portal.models import SentMail
from portal.staticfiles import StaticFiles
from tests import world
from tests.unlock.keys import ROOT, SLOT, STRANGER, public, record
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check

SCRIPTS = ("check-code", "typed-rows", "unlock-code")


def letters_of(key="slot 0", **fields):
    """A code of the portal's own keys for dongle 104233: Volocity Visualisation, 1 seat, and product 102, 3 seats."""
    signer = STRANGER if key == "stranger" else demo_private_key(key)
    return to_letters(sign(record(**fields), signer))


def rows_of(letters):
    return list(printed_rows(letters))


def numbered(rows):
    return "".join(f"> {number:3}  {row}\n" for number, row in enumerate(rows, 1))


CODE = letters_of()
ROWS = rows_of(CODE)
WRONG = "K" if CODE[20] != "K" else "M"
ONE_WRONG = CODE[:20] + WRONG + CODE[21:]  # the third letter of the second row
LONGER = rows_of(letters_of(serial="104234", licences=((101, 1), (102, 3), (103, 2), (201, 1))))
MAIL = f"Dear Ada,\n\n{numbered(ROWS)}\nHow to apply it\n1. Plug in the dongle"
TWO = f"Dongle 104233\n{numbered(ROWS)}\nDongle 104234\n{numbered(LONGER)}\nHow to apply it\n1. Plug in the dongle"


# What is typed as serial and code, then the headline, and a part of what stands below it or beside the rows.
SAID = {
    "nothing": ("", "", "Nothing to check yet", "Type, paste, scan or open"),
    "the beginning": ("", "\n".join(ROWS[:3])[:-4], "Not complete yet", "Rows 1 and 2 are right. Row 3 is unfinished."),
    "half a row": ("", ROWS[0][:6], "Not complete yet", "5 of 18 letters"),
    "without the serial": ("", CODE, "The letters are right; who made it is not checked yet", "Not known"),
    "the whole": ("104 233", CODE, "Genuine, and made for dongle 104233", "31 Mar 2027"),
    "small letters and typographic hyphens": ("104233", "\n".join(ROWS).lower().replace("-", "–"), "Genuine", "1 seat"),
    "a mail": ("104233", MAIL, "Genuine, and made for dongle 104233", "taken without their numbers"),
    "a mail with two codes": ("104234", TWO, "Genuine, and made for dongle 104234", "Several codes stand there"),
    "a mail with two codes, no serial": ("", TWO, "The letters are right", "or else the first"),
    "one wrong": ("104233", ONE_WRONG, "Row 2 is not right yet", f"should be {CODE[20]}, not {WRONG}"),
    "one wrong without the serial": ("", ONE_WRONG, "Row 2 is not right yet", "Type the serial number"),
    "one wrong of another dongle": ("104234", ONE_WRONG, "Row 2 is not right yet", "letter by letter"),
    "a letter lost": ("", "\n".join([*ROWS[:3], ROWS[3][:-1], *ROWS[4:]]), "Row 4 is not", "1 letter missing"),
    "a letter twice": ("", "\n".join([*ROWS[:3], f"{ROWS[3]}0", *ROWS[4:]]), "Row 4 is not right", "1 letter too many"),
    "a letter lost in one line": ("", CODE[:40] + CODE[41:], "Rows 3 to 8 are", "a letter may be missing there"),
    "a U": ("", "\n".join([*ROWS[:3], f"U{ROWS[3][1:]}", *ROWS[4:]]), "Row 4 is not right yet", "is it a V?"),
    "two rows swapped": ("", "\n".join([ROWS[0], ROWS[2], ROWS[1], *ROWS[3:]]), "The rows are in another", "row 3"),
    "a row lost": ("", "\n".join([*ROWS[:3], *ROWS[4:]]), "Rows 4 to 8 are not right", "Row 4 seems to be missing"),
    "a row too many": ("", "\n".join([*ROWS, LONGER[8]]), "Row 10", "ends with row 9"),
    "another dongle": ("104234", CODE, "This code is for another dongle", "Dongle 104234 would refuse it"),
    "half of another code": ("104233", "\n".join([*ROWS[:5], *LONGER[5:8], ROWS[8]]), "The signature is", "mixed"),
    "somebody else's": ("104233", letters_of("stranger"), "The signature is wrong", "Do not use it"),
    "an unknown slot": ("104233", letters_of(slot=9), "This code is signed with a key that is not", "key slot 9"),
    "a new key": (
        "104233",
        letters_of("root", slot=255, operation=KEY, licences=(), new_slot=1, new_key=bytes(32)),
        "Genuine",
        "new key for slot 1",
    ),
    "a later generation": ("104233", letters_of(generation=2, sequence=5), "Genuine", "5 of generation 2"),
    "nothing left": ("104233", letters_of(licences=()), "Genuine", "it empties the dongle"),
    "prose": ("", "Dear Sir, <b>this</b> is not a code, whatever it is.", "This does not look like", "ABCD-EFGH"),
    "endless": ("", CODE * 200, "This is longer than any code", "at most 32 rows"),
    "no serial": ("10_33", CODE, "The letters are right", "neither a letter A–Z nor a digit"),
}  # fmt: skip


def address_of(portal):
    return portal + reverse("dongles:check_code")


def type_in(page, serial, code):
    page.fill("#check-serial", serial)
    page.fill("#check-letters", code)


def expect_headline(page, words):
    expect(page.locator(".check-code-result h2")).to_contain_text(words)


@pytest.mark.browser
def test_each_input_gets_a_clear_answer_and_none_of_it_is_sent_even_offline(portal, browser):
    asked, wrong = [], []
    with watched_page(browser) as page:
        page.goto(address_of(portal))
        page.wait_for_load_state("networkidle")
        page.on("request", lambda request: asked.append(request.url))
        page.context.set_offline(True)
        for name, (serial, code, headline, below) in SAID.items():
            type_in(page, "", "")
            expect_headline(page, "Nothing to check yet")
            type_in(page, serial, code)
            expect(page.locator(".check-code-result h2"), name).to_contain_text(headline, timeout=3000)
            shown = " ".join(page.locator("[data-check-code=page]").inner_text().split())
            if below not in shown:
                wrong.append((name, below, shown))
        assert page.locator(".check-code b").count() == 0
        assert page.locator("form").count() == 0
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert CODE[:18] not in kept
        assert "104233" not in kept
    assert wrong == []
    assert asked == []


@pytest.mark.browser
def test_a_mistyped_code_is_put_right_by_keyboard_alone(portal, browser, settings):
    with watched_page(browser) as page:
        page.goto(address_of(portal) + "#104233")
        expect(page.locator("#check-serial")).to_have_value("104233")
        page.focus("#check-serial")
        page.keyboard.press("Tab")
        page.keyboard.type("\n".join(rows_of(ONE_WRONG)))
        expect(page.locator(".typed-row-wrong")).to_contain_text(f"Letter 3: {CODE[20]}, not {WRONG}")
        expect(page.locator(".typed-row mark")).to_have_text(WRONG)
        expect(page.locator(".typed-row-right")).to_have_count(8)
        expect(page.locator("[role=status]")).to_contain_text("Row 2 is not right yet")
        for _ in range(4):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Put it right":
                break
        page.keyboard.press("Enter")
        expect_headline(page, "Genuine, and made for dongle 104233")
        assert page.input_value("#check-letters") == "\n".join(ROWS)
        shown = page.locator(".check-code-result").inner_text()
        for fact in ("31 Mar 2027", "Volocity Visualisation, 1 seat", "1 Feb 2026", "number 0-1, key slot 0"):
            assert fact in shown, fact
        assert page.locator(".check-code-result dt:text-is('Code number') + dd").inner_text().startswith("1\n")
        assert f"Signed by {settings.VENDOR['name']}’s key" in shown
        assert "generation" not in shown
        type_in(page, "104233", "\n".join([ROWS[1], ROWS[0], *ROWS[2:]]))
        page.get_by_role("button", name="Put the rows in order").click()
        expect_headline(page, "Genuine, and made for dongle 104233")


@pytest.mark.browser
def test_the_file_of_a_code_is_opened_or_dropped_and_names_the_dongle(portal, browser):
    drop = """([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      document.querySelector("#check-letters").dispatchEvent(
        new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    with watched_page(browser) as page:
        page.goto(address_of(portal))
        opened = {"name": "104233-0-1.smacode", "mimeType": "application/octet-stream", "buffer": CODE.encode()}
        page.set_input_files("[type=file]", opened)
        expect_headline(page, "Genuine, and made for dongle 104233")
        page.get_by_role("button", name="Empty the field").click()
        expect_headline(page, "Nothing to check yet")
        page.evaluate(drop, ["code.txt", CODE])
        expect_headline(page, "Genuine, and made for dongle 104233")
        page.set_input_files("[type=file]", opened | {"buffer": b"0" * 70_000})
        expect_headline(page, "This file is too large for a code")


# A browser that finds QR codes, and a camera that shows nothing: what a phone has and the test's machine lacks.
PHONE = """
window.looks = 0;
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) { window.looks += 1; return window.looks < 3 ? [] : [{rawValue: "CODE"}]; }
};
navigator.mediaDevices.getUserMedia = async () => {
  if (window.refusal) throw new DOMException("no", window.refusal);
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 10, 10);
  window.stream = canvas.captureStream();
  return window.stream;
};
""".replace("CODE", CODE)
TRACKS = "window.stream.getTracks().map((track) => track.readyState)"


@pytest.mark.browser
def test_a_code_is_scanned_where_the_browser_can_and_the_camera_goes_off(portal, browser):
    with watched_page(browser) as page:
        page.add_init_script(PHONE)
        page.goto(address_of(portal) + "#104233")
        page.evaluate("window.looks = -1000")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.locator("video")).to_be_visible()
        assert page.evaluate(TRACKS) == ["live"]
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator("video")).to_be_hidden()
        assert page.evaluate(TRACKS) == ["ended"]
        page.evaluate("window.looks = 0")
        page.get_by_role("button", name="Scan with the camera").click()
        expect_headline(page, "Genuine, and made for dongle 104233")
        expect(page.locator("video")).to_be_hidden()
        assert page.evaluate(TRACKS) == ["ended"]
        page.evaluate("window.refusal = 'NotAllowedError'")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.locator(".check-code-result")).to_contain_text("The camera was not allowed")


@pytest.mark.browser
def test_a_browser_without_the_signature_decodes_and_says_so(portal, browser):
    with watched_page(browser) as page:
        page.add_init_script(
            "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('', 'NotSupportedError'); };"
        )
        page.goto(address_of(portal))
        expect(page.get_by_role("button", name="Scan with the camera")).to_be_hidden()
        type_in(page, "104233", CODE)
        expect_headline(page, "The letters are right, but this browser can’t check the signature")
        expect(page.locator(".check-code-result")).to_contain_text("31 Mar 2027")
        type_in(page, "104234", CODE)
        expect_headline(page, "This code is for another dongle")


@pytest.mark.browser
def test_a_portal_with_keys_of_its_own_says_whose_key_it_was(portal, browser, settings, tmp_path):
    keys = {"root": public(ROOT).hex(), "slots": {"0": public(SLOT).hex(), "1": public(STRANGER).hex()}}
    settings.UNLOCK_KEYS_FILE = str(tmp_path / "keys.json")
    Path(settings.UNLOCK_KEYS_FILE).write_text(json.dumps({**keys, "signing_slot": 1}))
    with watched_page(browser) as page:
        page.goto(address_of(portal) + "#104233")
        result = page.locator(".check-code-result")
        for signer, slot, headline, below in (
            (SLOT, 0, "Genuine, and made for dongle 104233", "Signed by another key of"),
            (STRANGER, 1, "Genuine, and made for dongle 104233", f"Signed by {settings.VENDOR['name']}’s key"),
            (ROOT, 255, "Genuine, and made for dongle 104233", "root key, which is kept offline"),
            (demo_private_key("slot 0"), 0, "This code was made for trying things out", "everybody can compute"),
        ):
            page.fill("#check-letters", to_letters(sign(record(slot=slot), signer)))
            expect(result).to_contain_text(below)
            expect_headline(page, headline)


@pytest.mark.browser
def test_the_mail_with_a_code_leads_here_and_is_understood_as_it_is(portal, browser, today, settings):
    world.sell(world.make_dongle("304233", None, [("VOL-VIS", str(today))]), str(today))
    outbox.drain()
    mail = SentMail.objects.order_by("pk").last()
    address = settings.ADDRESS + reverse("dongles:check_code") + "#304233"
    assert f"\n{address}\n" in mail.text
    assert f'href="{address}"' in mail.html
    assert max(map(len, mail.text.splitlines())) <= 78
    with watched_page(browser) as page:
        page.goto(address.replace(settings.ADDRESS, portal))
        page.fill("#check-letters", mail.text)
        expect_headline(page, "Genuine, and made for dongle 304233")


@pytest.mark.browser
def test_without_script_the_page_says_how_to_have_a_code_checked(portal, browser):
    with watched_page(browser, java_script_enabled=False) as page:
        page.goto(address_of(portal))
        expect(page.get_by_role("heading", name="This page needs script")).to_be_visible()
        expect(page.locator("#check-letters")).to_be_hidden()
        expect(page.locator("main")).to_contain_text("sma@vendor.example")


@pytest.mark.browser
@pytest.mark.timeout(200)
def test_checking_a_code_has_no_barrier(portal, browser):
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(address_of(portal))
        for name in ("nothing", "one wrong", "the whole", "somebody else's"):
            serial, code, headline, _ = SAID[name]
            type_in(page, serial, code)
            expect_headline(page, headline)
            check(page, found)
    assert found == []


def test_the_page_is_handed_public_keys_and_those_that_everybody_can_sign_with(client, catalogue, settings, tmp_path):
    demo = client.get(reverse("dongles:check_code")).context["known"]
    assert (demo["isDemo"], demo["demoKeys"]) == (True, [])
    assert demo["products"] == sorted(demo["products"])
    assert (101, "Volocity Visualisation") in demo["products"]

    keys = tmp_path / "keys.json"
    keys.write_text(
        f'{{"root": "{"ab" * 32}", "slots": {{"0": "{"01" * 32}", "1": "{"02" * 32}"}}, "signing_slot": 1}}'
    )
    settings.UNLOCK_KEYS_FILE = str(keys)
    known = client.get(reverse("dongles:check_code")).context["known"]
    assert known["keys"] == [
        {"slot": 0, "key": "01" * 32},
        {"slot": 1, "key": "02" * 32},
        {"slot": 255, "key": "ab" * 32},
    ]
    assert (known["signingSlot"], known["isDemo"]) == (1, False)
    assert known["demoKeys"] == [each["key"] for each in demo["keys"]]


def test_the_page_may_ask_nobody_and_use_the_camera_alone(client, catalogue):
    answer = client.get(reverse("dongles:check_code"))
    assert "connect-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Permissions-Policy"] == "camera=(self), microphone=(), geolocation=()"
    assert client.post(reverse("dongles:check_code"), {"code": CODE}).status_code == 405


def test_modules_import_each_other_by_the_names_with_checksums(settings, tmp_path):
    """As `collectstatic` does in production, with the scripts of this page."""
    settings.DEBUG = False
    files = {f"dongles/{name}.js": Path(finders.find(f"dongles/{name}.js")) for name in SCRIPTS}
    source = FileSystemStorage(location=files["dongles/check-code.js"].parent.parent)
    storage = StaticFiles(location=tmp_path)
    for name in files:
        storage.save(name, source.open(name))
    assert not [
        error
        for _, _, error in storage.post_process({name: (source, name) for name in files})
        if isinstance(error, Exception)
    ]
    names = {name: storage.stored_name(name).removeprefix("dongles/") for name in files}
    page_script = (tmp_path / "dongles" / names["dongles/check-code.js"]).read_text()
    for name in ("dongles/typed-rows.js", "dongles/unlock-code.js"):
        assert names[name] != name.removeprefix("dongles/")
        assert f'from "./{names[name]}";' in page_script
    rows_script = (tmp_path / "dongles" / names["dongles/typed-rows.js"]).read_text()
    assert f'from "./{names["dongles/unlock-code.js"]}";' in rows_script
