"""Shortcuts of the tests of the import: a file in one step, and what is on record as values."""

from dongles.installed_base import services
from dongles.models import Dongle, Licence, SmaPeriod
from portal.audit import Actor
from portal.models import AuditEvent, Contact, Customer
from tests import world

KEEPER = Actor("Keeper", None, "administrator")
TODAY = world.at("2026-02-01")


def keep(content, name="base.xlsx", **others):
    """A file with the columns that are suggested for it."""
    imported = services.keep_file(name=name, content=content, actor=KEEPER, at=TODAY)
    table = services.preview_of(imported)
    choices = services.suggested_choices(imported, table)._replace(**others)
    return services.choose_columns(imported=imported, sheet=table.sheet, choices=choices, actor=KEEPER, at=TODAY)


def check(content, **others):
    return services.carry_out(imported=keep(content, **others), is_check=True, actor=KEEPER, at=TODAY)


def bring_in(content, **others):
    return services.carry_out(imported=keep(content, **others), is_check=False, actor=KEEPER, at=TODAY)


def everything():
    """What is on record, as values that can be compared."""
    return {
        "customers": set(Customer.objects.values_list("name", "country", "currency", "segment", "tax_status")),
        "contacts": set(Contact.objects.values_list("customer__name", "name", "email")),
        "dongles": set(
            Dongle.objects.values_list("serial", "kind", "customer__name", "issued_expiry_on", "confirmed_expiry_on")
        ),
        "licences": sorted(Licence.objects.values_list("dongle__serial", "product__code", "seats", "acquired_on")),
        "periods": sorted(
            SmaPeriod.objects.values_list("licence__dongle__serial", "licence__product__code", "starts_on", "ends_on")
        ),
        "events": AuditEvent.objects.exclude(subject_kind="job")
        .exclude(action__in=("upload", "choose_columns"))
        .count(),
    }
