"""Accounts of the ERP, and the journals that were exported with them."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from dongles.models import Product, ProductFamily
from portal import wording
from portal.models import Customer, User
from renewals.journal.accounts import MapRow, Named
from renewals.journal.datev import CLIENTS, CONSULTANTS, LENGTHS, MONTHS, DatevSettings
from renewals.models.ledger import MonthClose

ACCOUNT_NUMBER = RegexValidator(
    r"^[0-9A-Za-z][0-9A-Za-z./-]*\Z", "Write letters, digits, points, slashes and hyphens, a letter or digit first."
)


class AccountMapEntry(models.Model):
    """An account of the ERP for a role, and what it is for; none and "" stand for all.

    A product stands for itself, so it is named without its family.
    """

    class Role(models.TextChoices):
        RECEIVABLES = "receivables", "Receivables"
        DEFERRED = "deferred", "Deferred revenue"
        REVENUE = "revenue", "Revenue"

    role = models.CharField(max_length=12, choices=Role)
    account = models.CharField(max_length=20, validators=[ACCOUNT_NUMBER])
    name = models.CharField(max_length=80, blank=True)
    family = models.ForeignKey(ProductFamily, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2, blank=True)
    segment = models.CharField(max_length=20, choices=Customer.Segment, blank=True)

    class Meta:
        verbose_name_plural = "account map entries"
        constraints = (
            models.UniqueConstraint(
                fields=["role", "family", "product", "country", "segment"],
                nulls_distinct=False,
                name="one_account_for_a_role_and_place",
            ),
            models.CheckConstraint(
                name="account_for_a_product_or_a_family", condition=Q(family__isnull=True) | Q(product__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.name}".strip()

    @property
    def country_name(self) -> str:
        return wording.country_name(self.country) if self.country else ""

    @property
    def row(self) -> MapRow:
        """What the rules of the journal take."""
        return MapRow(
            role=self.role,  # type: ignore[arg-type]  # one of the choices
            account=self.account,
            name=self.name,
            product=Named(self.product.pk, self.product.name) if self.product else None,
            family=Named(self.family.pk, self.family.name) if self.family else None,
            country=self.country,
            segment=self.segment,
        )


def _between(bounds: tuple[int, int]) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(bounds[0]), MaxValueValidator(bounds[1])]


class DatevDetails(models.Model):
    """What DATEV asks for and the portal can't know. There is one row at most."""

    consultant = models.PositiveIntegerField("consultant number", validators=_between(CONSULTANTS))
    client = models.PositiveIntegerField("client number", validators=_between(CLIENTS))
    account_length = models.PositiveSmallIntegerField("digits of an account", validators=_between(LENGTHS))
    year_begins = models.PositiveSmallIntegerField("first month of the fiscal year", validators=_between(MONTHS))

    class Meta:
        verbose_name_plural = "DATEV details"
        constraints = (
            models.CheckConstraint(name="one_row_of_datev_details", condition=Q(pk=1)),
            models.CheckConstraint(
                name="datev_details_are_in_range",
                condition=Q(consultant__range=CONSULTANTS)
                & Q(client__range=CLIENTS)
                & Q(account_length__range=LENGTHS)
                & Q(year_begins__range=MONTHS),
            ),
        )

    def __str__(self) -> str:
        return f"DATEV {self.consultant}/{self.client}"

    @property
    def year_begins_with(self) -> str:
        return wording.MONTH_NAMES[self.year_begins - 1]

    @property
    def settings(self) -> DatevSettings:
        return DatevSettings(self.consultant, self.client, self.account_length, self.year_begins)


class JournalExport(models.Model):
    """That the journal of a close was exported in a layout. Only ever added (trigger).

    `accounts` is the account map with which it was, as it stood when the close was first exported in any layout;
    `datev` are the details that the layout needed besides.
    """

    class Layout(models.TextChoices):
        GENERIC = "generic", "Generic, CSV and XLSX"
        DATEV = "datev", "DATEV booking batch"

    close = models.ForeignKey(MonthClose, on_delete=models.PROTECT, related_name="journals")
    layout = models.CharField(max_length=10, choices=Layout)
    accounts = models.JSONField()
    datev = models.JSONField(null=True)
    exported_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    exported_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=["close", "layout"], name="close_exported_once_a_layout"),)

    def __str__(self) -> str:
        return f"{self.month_name}, close {self.close.revision}, {self.get_layout_display()}"

    @property
    def month_name(self) -> str:
        """The month as addresses have it."""
        return f"{self.close.month_id:%Y-%m}"


class JournalFile(models.Model):
    """A file of an exported journal, to the byte. Only ever added (trigger); the database checks its digest."""

    export = models.ForeignKey(JournalExport, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=80)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=["export", "name"], name="journal_file_once"),)

    def __str__(self) -> str:
        return self.name
