"""The back office's pages for catalogue, terms and users: what people type, what is refused, what is remembered."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dongles.models import Product, ProductFamily, Release
from portal.models import AuditEvent, Contact, Customer, OutboxMessage, User
from renewals.models import PolicySettings, PriceList, TaxRate
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, catalogue):
    world.log_in(client, world.make_user("administrator"))
    return client


@pytest.fixture
def price_list(office):
    return PriceList.objects.get()


def address(obj, page="change"):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{page}", args=[obj.pk])


def text_of(response):
    return response.content.decode()


def list_fields(**fields):
    typed = {"name": "EUR 2020", "currency": "EUR", "segment": "commercial", "valid_from": "2020-01-01"}
    for number, (licence, year, upgrade) in zip((101, 102, 201), world.PRICES.values(), strict=True):
        typed |= {f"licence_{number}": licence // 100, f"sma_year_{number}": year // 100}
        typed |= {f"upgrade_{number}": upgrade // 100}
    return typed | fields


def test_amounts_are_shown_in_major_units_and_saved_in_minor_ones(office, price_list):
    assert 'value="1,200.00"' in text_of(office.get(address(price_list)))
    response = office.post(address(price_list), list_fields(sma_year_101="1,234.50", licence_alone_101="5000"))
    assert response.status_code == 302
    entry = price_list.entries.get(product__number=101)
    assert (entry.sma_year, entry.licence_alone, entry.licence) == (123_450, 500_000, 600_000)
    assert AuditEvent.objects.get().before["VOL-VIS"]["sma_year"] == 120_000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sma_year_101": "1,200.005"}, "EUR has 2 decimals: 1,200.005 is finer than its minor unit."),
        ({"currency": "JPY", "sma_year_101": "1200.5"}, "JPY has no decimals"),
        ({"sma_year_101": "many"}, "Write an amount like 1,200.00."),
        ({"sma_year_101": "-1"}, "Write an amount like 1,200.00."),
        ({"licence_101": "9" * 15}, "A price of Volocity Visualisation is out of range"),
        ({"licence_101": "9" * 500}, "at most 24 characters"),
        ({"upgrade_101": "1200"}, "must cost more than the 12 months of SMA that it includes"),
        ({"upgrade_101": ""}, "Give all three prices, or none to leave the product out."),
        ({"currency": "ZZZ"}, "“ZZZ” is no currency with a minor unit by ISO 4217."),
        ({"valid_from": "2999-01-01"}, "Choose a first day from 1 Jan 1990"),
        ({"valid_from": "31/02/2026"}, "Enter a valid date."),
        ({"name": ""}, "This field is required."),
        ({"segment": "military"}, "not one of the available choices"),
    ],
    ids=str,
)
def test_what_cannot_be_comes_back_with_a_sentence_and_nothing_is_written(office, price_list, fields, words):
    before = list(price_list.entries.values())
    response = office.post(address(price_list), list_fields(**({"name": "Changed"} | fields)))
    assert response.status_code == 200
    assert words in text_of(response).replace("&#x27;", "'")
    assert PriceList.objects.get().name == "EUR 2020"
    assert list(price_list.entries.values()) == before
    assert not AuditEvent.objects.exists()


def test_the_fee_for_a_replaced_dongle_is_typed_in_major_units_too_and_told_once_it_is_used(
    office, price_list, dongle, today
):
    assert office.post(address(price_list), list_fields(replacement_fee="80.00")).status_code == 302
    assert PriceList.objects.get().replacement_fee == 8_000
    assert 'value="80.00"' in text_of(office.get(address(price_list)))
    world.draft(dongle, today)
    told = text_of(office.get(address(price_list)))
    assert "80.00" in told
    assert 'name="replacement_fee"' not in told


def test_a_row_that_is_emptied_leaves_the_list(office, price_list):
    office.post(address(price_list), list_fields(licence_201="", sma_year_201="", upgrade_201=""))
    assert sorted(price_list.entries.values_list("product__number", flat=True)) == [101, 102]


def test_a_new_list_has_a_row_for_every_product(office):
    page = text_of(office.get(reverse("admin:renewals_pricelist_add")))
    assert page.count('class="amount"') == 4 * 5 + 1  # of each product, and the fee for a replaced dongle
    fields = {"name": "Yen", "currency": "jpy", "segment": "academic", "valid_from": "2026-01-01"}
    fields |= {"licence_103": "90,000", "sma_year_103": "18000", "upgrade_103": "36000"}
    assert office.post(reverse("admin:renewals_pricelist_add"), fields).status_code == 302
    made = PriceList.objects.get(name="Yen")
    assert made.currency == "JPY"
    assert made.entries.get().licence == 90_000


def test_a_list_takes_the_same_queries_for_three_products_as_for_sixty(office, price_list):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert office.get(address(price_list)).status_code == 200
        return len(captured)

    queries()  # what is remembered between requests
    few, family = queries(), ProductFamily.objects.first()
    Product.objects.bulk_create(
        Product(number=number, code=f"P{number}", name=f"Product {number}", family=family) for number in range(300, 360)
    )
    assert queries() == few


def copy_of(price_list, office, **fields):
    typed = {"name": "EUR 2027", "valid_from": str(date.today() + timedelta(days=30)), "raise_by": "3"}
    return office.post(address(price_list, "copy"), typed | fields)


def test_a_copy_is_made_raised_and_scheduled(office, price_list):
    response = copy_of(price_list, office)
    made = PriceList.objects.get(name="EUR 2027")
    assert response.url == address(made)
    assert made.entries.get(product__number=101).sma_year == 123_600
    page = text_of(office.get(response.url))
    assert "Scheduled: in force from" in page
    assert 'value="1,236.00"' in page


def test_a_copy_posted_twice_is_made_once(office, price_list):
    copy_of(price_list, office)
    again = copy_of(price_list, office)
    assert again.status_code == 422
    assert "choose another day" in text_of(again)
    assert PriceList.objects.count() == 2


@pytest.mark.parametrize("rate", ["NaN", "1e400", "101", "-51", "three", "3.125"])
def test_a_raise_that_cannot_be_comes_back(office, price_list, rate):
    response = copy_of(price_list, office, raise_by=rate)
    assert response.status_code == 422
    assert "There is a problem" in text_of(response)
    assert PriceList.objects.count() == 1


def test_lists_are_compared_in_per_cent(office, price_list):
    copy_of(price_list, office)
    page = text_of(office.get(address(PriceList.objects.get(name="EUR 2027"), "compare")))
    assert "Prices change by +3%." in page
    assert "6,180.00" in page
    assert "There is no earlier list" in text_of(office.get(address(price_list, "compare")))


def test_a_list_that_a_quote_has_used_says_what_to_do_instead(office):
    used = world.draft(world.make_dongle(), "2026-02-01").price_list
    page = text_of(office.get(address(used)))
    assert "A quote has used this list, so it stays as it is. Copy it, and change the copy." in page
    assert "1,200.00" in page
    assert 'name="sma_year_101"' not in page
    for refused in ("change", "delete"):
        assert office.post(address(used, refused), {"post": "yes"}).status_code == 403
    assert copy_of(used, office).status_code == 302


def policy_fields(**fields):
    policy = PolicySettings(valid_from=date(2026, 7, 1))
    typed = {field.name: field.value_from_object(policy) for field in policy._meta.fields if field.name != "id"}
    typed = {name: value for name, value in typed.items() if value or (value == 0 and value is not False)}
    return typed | {"upgrade_cap": "100", "reinstatement_fee": "0"} | fields


def test_policy_is_typed_in_rows_and_per_cent(office):
    typed = policy_fields(multi_year_discount_2="5", multi_year_discount_4="12.5", discount_limits_0="10")
    response = office.post(reverse("admin:renewals_policysettings_add"), typed | {"upgrade_cap": ""})
    assert response.status_code == 302, text_of(response)
    made = PolicySettings.objects.get(valid_from=date(2026, 7, 1))
    assert made.multi_year_discount == {"3": "0.05", "5": "0.125"}
    assert made.discount_limits == {"sales": "0.1"}
    assert (made.upgrade_cap, made.reinstatement_fee) == (None, 0)
    page = text_of(office.get(address(made)))
    assert 'name="multi_year_discount_4" value="12.5"' in page
    assert '"0.125"' not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"multi_year_discount_2": "101"}, "less than or equal to 100"),
        ({"discount_limits_0": "x"}, "Enter a number."),
        ({"grace_days": "91"}, "less than or equal to 90"),
        ({"grace_days": "-1"}, "greater than or equal to 0"),
        ({"max_years": "99999999999999999999"}, "less than or equal to"),
        ({"upgrade_includes_months": "24"}, "must cost more than the 24 months"),
        ({"valid_from": "2020-01-01"}, "already exists"),
        ({"valid_from": "0001-01-01"}, "Choose a first day from 1 Jan 1990"),
    ],
    ids=str,
)
def test_policy_that_cannot_be_comes_back_with_a_sentence(office, fields, words):
    response = office.post(reverse("admin:renewals_policysettings_add"), policy_fields(**fields))
    assert response.status_code == 200
    assert words in text_of(response)
    assert PolicySettings.objects.count() == 1


def test_every_setting_stands_in_the_form_with_its_rule(office):
    page = text_of(office.get(reverse("admin:renewals_policysettings_add")))
    for field in PolicySettings._meta.fields[1:]:
        assert f"field-{field.name}" in page, field.name
        assert field.help_text.strip() in page.replace("&#x27;", "'"), field.name


def test_used_policy_is_told_in_words_and_copied(office):
    policy = world.draft(world.make_dongle(), "2026-02-01").policy
    page = text_of(office.get(address(policy)))
    assert "Copy them, and change the copy." in page
    assert "Sales: 10%, Administrator: 100%" in page
    copied = text_of(office.get(address(policy, "copy")))
    assert 'name="discount_limits_1" value="100"' in copied
    assert reverse("admin:renewals_policysettings_add") in copied


def test_tax_is_typed_in_per_cent(office):
    typed = {"country": "FI", "tax_status": "standard", "rate": "25.5", "valid_from": "2026-01-01"}
    office.post(reverse("admin:renewals_taxrate_add"), typed)
    assert TaxRate.objects.get(country="FI").rate == Decimal("0.255")
    assert AuditEvent.objects.get().after["rate"] == "0.255"


def test_publishing_is_a_step_that_says_who_will_have_missed_it(office, today):
    world.make_dongle(licences=[("VOL-VIS", str(today - timedelta(days=200)))])
    release = world.make_release("7.0", str(today - timedelta(days=30)))
    office.post(address(release, "unpublish"))
    assert not Release.objects.get().is_published
    page = text_of(office.get(address(release, "publish")))
    assert "1 licence whose SMA ended before" in page
    assert office.post(address(release, "publish")).url == address(release)
    assert Release.objects.get().is_published
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["unpublish", "publish"]


def test_a_release_of_a_day_to_come_warns_of_nothing(office, today):
    release = world.make_release("8.0", str(today + timedelta(days=30)))
    assert "Mind:" not in text_of(office.get(address(release, "publish")))


def test_a_release_that_was_sold_against_says_so_and_stays(office):
    release = world.make_release("6.5", "2026-01-15")
    world.sell(world.make_dongle(), "2026-02-01")
    page = text_of(office.get(address(release)))
    assert "sold against since 1 Feb 2026" in page
    assert 'name="build_on"' not in page
    assert "Unpublish" not in page
    response = office.post(address(release, "unpublish"))
    assert response.status_code == 422
    assert "so it stays published" in text_of(response)
    typed = {"version": "6.5", "notes": "Mended", "files-TOTAL_FORMS": 0, "files-INITIAL_FORMS": 0}
    office.post(address(release), typed)
    release.refresh_from_db()
    assert (release.notes, str(release.build_on)) == ("Mended", "2026-01-15")


def test_a_products_refusals_stand_in_its_form(office):
    typed = {"number": "70000", "code": "X", "name": "X", "family": ProductFamily.objects.first().pk}
    page = text_of(office.post(reverse("admin:dongles_product_add"), typed))
    assert "number is from 1 to 65,535" in page
    used = Product.objects.get(number=101)
    assert "can&#x27;t be deleted" in text_of(office.get(address(used, "delete"))).replace("can't", "can&#x27;t")
    assert office.post(address(Product.objects.get(number=103), "delete"), {"post": "yes"}).status_code == 302
    assert Product.objects.count() == 3


def user_fields(**fields):
    return {"email": "nora@vendor.example", "name": "Nora", "role": "sales", "customer": ""} | fields


def test_a_user_is_made_and_gets_a_mail(office):
    page = office.post(reverse("admin:portal_user_add"), user_fields(), follow=True)
    assert "gets a mail with a link to choose a password" in text_of(page)
    user = User.objects.get(email="nora@vendor.example")
    assert OutboxMessage.objects.get().payload == {"user_id": user.pk}
    assert "keeps products, releases, price lists and policy" in text_of(office.get(address(user)))
    again = office.post(reverse("admin:portal_user_add"), user_fields())
    assert again.status_code == 200
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"role": "customer"}, "Say whose user it is: choose the customer."),
        ({"role": "king"}, "not one of the available choices"),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"email": "Administrator@Vendor.example"}, "is another user&#x27;s address"),
        ({"customer": "99999999999999999999"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_a_user_that_cannot_be_comes_back(office, fields, words):
    response = office.post(reverse("admin:portal_user_add"), user_fields(**fields))
    assert words in text_of(response)
    assert User.objects.count() == 1
    assert not OutboxMessage.objects.exists()


def test_nobody_takes_their_own_role_and_nobody_is_deleted(office):
    me = User.objects.get()
    response = office.post(address(me), user_fields(email=me.email, role="sales", is_active="on"))
    assert "Have another administrator change your role" in text_of(response)
    assert office.get(address(me, "delete")).status_code == 403
    me.refresh_from_db()
    assert me.role == "administrator"


def contact_rows(*rows, initial=0):
    fields = {"contacts-TOTAL_FORMS": len(rows), "contacts-INITIAL_FORMS": initial}
    for index, row in enumerate(rows):
        fields |= {f"contacts-{index}-{name}": value for name, value in row.items()}
    return fields


def test_a_customer_with_contacts_is_recorded_row_by_row(office):
    customer = {"name": "Cells", "segment": "commercial", "country": "DE", "currency": "EUR", "locale": "en_GB"}
    customer |= {"tax_status": "standard", "fulfil_on": "acceptance", "owner": ""}
    office.post(
        reverse("admin:portal_customer_add"),
        customer | contact_rows({"name": "Ada", "email": "ada@a.example"}, {"name": "Bo", "email": "bo@a.example"}),
    )
    made = Customer.objects.get()
    ada, bo = Contact.objects.order_by("pk")
    rows = [
        {"id": ada.pk, "customer": made.pk, "name": "Ada", "email": "ada@new.example"},
        {"id": bo.pk, "customer": made.pk, "name": "Bo", "email": "bo@a.example", "DELETE": "on"},
    ]
    office.post(address(made), customer | contact_rows(*rows, initial=2))
    told = [(event.action, event.before, event.after) for event in AuditEvent.objects.order_by("pk")]
    assert [action for action, _, _ in told] == [
        "create",
        "create_contact",
        "create_contact",
        "delete_contact",
        "change_contact",
    ]
    assert told[-1][1:] == ({"email": "ada@a.example"}, {"email": "ada@new.example"})
    assert told[-2][1]["name"] == "Bo"
    assert {event.subject_id for event in AuditEvent.objects.all()} == {made.pk}
    page = text_of(office.get(address(made, "history")))
    assert "Contact changed" in page
    assert "<del>ada@a.example</del> → ada@new.example" in page
    assert "Administrator" in page


def test_a_deleted_row_is_remembered(office):
    family = ProductFamily.objects.create(name="Third", support_policy="sma_required")
    office.post(address(family, "delete"), {"post": "yes"})
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id, event.before["name"]) == ("delete", family.pk, "Third")


def test_the_index_says_what_is_kept_where_and_links_lead_there_and_back(office):
    index = text_of(office.get("/back-office/"))
    for words in ("Catalogue", "Prices", "Policy", "People", "What happened", "price lists"):
        assert words.lower() in index.lower()
    assert 'href="/queue/"' in index
    assert 'href="/back-office/">Back office</a>' in text_of(office.get("/queue/"))


def test_only_administrators_are_offered_the_back_office(sales):
    assert "/back-office/" not in text_of(sales.get("/queue/"))


def test_no_page_of_the_back_office_has_a_style_or_script_of_its_own_in_it(office, price_list):
    for page in ("/back-office/", address(price_list), reverse("admin:renewals_pricelist_changelist")):
        answer = office.get(page)
        assert "<style" not in text_of(answer)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
