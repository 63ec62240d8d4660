"""The back office: administrators alone; what was used or only grows can't be changed there."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F
from django.urls import reverse

from portal.models import AuditEvent, User
from renewals.models import PolicySettings, PriceList
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, dongle):
    world.log_in(client, world.make_user("administrator"))
    return client


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_every_list_opens(office, dongle, model):
    world.make_release("6.5", "2026-01-15")
    world.sell(dongle, "2026-02-01")
    response = office.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    assert response.status_code == 200


@pytest.mark.parametrize("role", ["sales", "finance", "customer"])
def test_it_is_for_administrators(client, db, role):
    customer = world.make_customer() if role == "customer" else None
    world.log_in(client, world.make_user(role, customer=customer))
    assert client.get("/back-office/", follow=True).status_code == 403


def test_it_has_no_login_of_its_own(client, db):
    for address in ("/back-office/", "/back-office/login/"):
        assert client.get(address, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    response = client.post("/back-office/login/", {"username": "admin@vendor.example", "password": "x"})
    assert response.status_code == 302


@pytest.mark.parametrize(
    "values",
    [
        {"discount_limits": {"sales": "abc"}},
        {"discount_limits": {"nobody": "0.1"}},
        {"discount_limits": ["0.1"]},
        {"discount_limits": {"sales": 0.1}},
        {"multi_year_discount": {"3": "5"}},
        {"multi_year_discount": {"x": "0.1"}},
        {"multi_year_discount": {"0": "0.1"}},
    ],
    ids=str,
)
def test_a_policys_tables_hold_rates_or_are_refused(values):
    with pytest.raises(ValidationError, match="rates from 0 to 1"):
        PolicySettings(valid_from=world.DAY_ONE, **values).full_clean()
    PolicySettings(
        valid_from=world.DAY_ONE, discount_limits={"sales": "0.1"}, multi_year_discount={"3": "0.05"}
    ).full_clean()


def test_a_release_is_corrected_through_the_service(office, catalogue):
    release = world.make_release("7.0", "2026-05-05")
    values = {"family": release.family_id, "version": "7.0", "build_on": "2026-05-06", "is_major": "on"}
    values |= {"is_published": "on", "files-TOTAL_FORMS": 0, "files-INITIAL_FORMS": 0}
    office.post(reverse("admin:dongles_release_change", args=[release.pk]), values)
    assert AuditEvent.objects.get(action="change").after["build_on"] == "2026-05-06"


def test_terms_that_a_quote_has_used_can_be_read_only(office, dongle):
    version = world.draft(dongle, "2026-02-01")
    for used in (version.price_list, version.policy):
        name = f"admin:{used._meta.app_label}_{used._meta.model_name}_change"
        assert office.post(reverse(name, args=[used.pk]), {}).status_code == 403
    assert PriceList.objects.get().name == "EUR 2020"
    assert PolicySettings.objects.get().grace_days == 0


def test_an_upgrade_no_dearer_than_the_sma_year_is_refused_with_a_sentence(office, catalogue):
    price_list = PriceList.objects.get()
    values = {"name": "EUR", "currency": "EUR", "segment": "commercial", "valid_from": "2020-01-01"}
    values |= {"licence_101": "6,000.00", "sma_year_101": "1,200.00", "upgrade_101": "1,200.00"}
    response = office.post(reverse("admin:renewals_pricelist_change", args=[price_list.pk]), values)
    assert response.status_code == 200
    assert "must cost more than the 12 months of SMA that it includes" in response.content.decode()
    assert price_list.entries.filter(upgrade__gt=F("sma_year")).count() == 3


def test_all_models_of_ours_are_known_to_somebody():
    shown = set(admin.site._registry)
    inside_others = {"Contact", "PriceListEntry", "ReleaseFile", "SentMail", "CodeReceipt", "OrderLine"}
    inside_others |= {"QuoteVersion", "QuoteDongle", "QuoteLine", "QuoteDocument", "PurchaseOrderFile"}
    inside_others |= {"JobFile", "Reminder", "ReminderCopy", "CampaignItem", "CampaignSchedule", "Resemblance"}
    inside_others |= {"AuditLink", "UnsealedEvent", "ColumnChoice", "QuoteQuestion", "RequestedDongle"}
    inside_others |= {"UnsummarisedSegment", "MonthFigures", "BookingFigures", "BookingTotals", "AccountingMonth"}
    inside_others |= {"SaleFact", "ExchangeRate"}
    inside_others |= {"MonthClose", "LedgerEntry", "MonthReopening"}
    inside_others |= {"DueDongle", "DueFigures", "CustomerRetention", "RetentionFigures", "OutdatedRenewal"}
    inside_others |= {"CustomerCohort", "CohortFigures"}
    inside_others |= {"AccountMapEntry", "DatevDetails", "JournalExport", "JournalFile"}
    ours = {model for app in ("portal", "dongles", "renewals") for model in apps.get_app_config(app).get_models()}
    assert {model.__name__ for model in ours - shown} == inside_others
    assert User in shown


def test_what_opens_the_portal_is_not_edited_there(office):
    for address in ("mfa/authenticator/", "account/emailaddress/", "knox/authtoken/"):
        assert office.get(f"/back-office/{address}").status_code == 404, address
    assert office.get("/back-office/password_change/").url == reverse("account_change_password")
