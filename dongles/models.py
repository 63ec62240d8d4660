"""What is out there: product families, products and releases; dongles, licences, SMA periods and unlock codes."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from dongles.coverage import Period
from portal.models import Customer, User


class ProductFamily(models.Model):
    """Products that are released together and share a support policy."""

    class SupportPolicy(models.TextChoices):
        """Rule S1."""

        SMA_REQUIRED = "sma_required", "A valid SMA is required"
        LATEST_VERSION = "latest_version", "Only the latest version is supported"

    name = models.CharField(max_length=80, unique=True)
    support_policy = models.CharField(max_length=20, choices=SupportPolicy)

    class Meta:
        verbose_name_plural = "product families"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What a licence is for. Its number is what unlock codes state: 1–65535, never reused (rule Q9)."""

    number = models.PositiveIntegerField(unique=True)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    family = models.ForeignKey(ProductFamily, on_delete=models.PROTECT, related_name="products")

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="product_number_fits_the_code",
                condition=Q(number__range=(1, 65535)),
                violation_error_message="A product's number is from 1 to 65,535.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """A version of a family's products with the build date that the software compares (rule C2).

    `sold_against_on` is the day on which an order was first priced with this release; from then on the database
    refuses to change its build date or its being major, and to delete it.
    """

    family = models.ForeignKey(ProductFamily, on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(max_length=40)
    build_on = models.DateField("build date")
    is_major = models.BooleanField("major release", default=False)
    is_published = models.BooleanField("published", default=False)
    notes = models.TextField(blank=True)
    sold_against_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["family", "version"], name="release_once_per_family"),)
        indexes = (models.Index(fields=["family", "build_on"], name="releases_by_date"),)

    def __str__(self) -> str:
        return f"{self.family} {self.version}"


class ReleaseFile(models.Model):
    """A file of a release to download, one for each platform. `path` is below the folder of downloads, never a URL."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    platform = models.CharField(max_length=40)
    path = models.CharField(max_length=250, unique=True)
    size = models.PositiveBigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["release", "platform"], name="release_file_once_per_platform"),)

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """What the file is called, without where it lies."""
        return self.path.rpartition("/")[2]


class Dongle(models.Model):
    """A dongle with its serial in the canonical form, and the state that the portal believes it to be in.

    `issued_expiry_on` is the SMA expiry date that the newest code states (or that was known when the dongle came on
    record), `confirmed_expiry_on` the one that the dongle is known to hold: by receipt, or from that first record.
    `feed_generation` counts how often the addresses of its update feed were made anew (dongles/feeds.py).
    """

    class Kind(models.TextChoices):
        DONGLE = "dongle", "Dongle"
        KEY = "key", "Key"
        LICENCE_SERVER = "licence_server", "Imaging License Server"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        LOST = "lost", "Lost"
        RETIRED = "retired", "Retired"

    serial = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.DONGLE)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="dongles")
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)
    generation = models.PositiveSmallIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=0)
    issued_expiry_on = models.DateField(null=True, blank=True)
    confirmed_expiry_on = models.DateField(null=True, blank=True)
    feed_generation = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(name="dongle_serial_is_canonical", condition=Q(serial__regex=r"^[A-Z0-9]{1,32}$")),
            models.CheckConstraint(
                name="dongle_numbers_fit_the_code",
                condition=Q(generation__range=(0, 255)) & Q(sequence__range=(0, 65535)),
            ),
        )

    def __str__(self) -> str:
        return self.serial


class Licence(models.Model):
    """A licence of a product on a dongle, in the dongle's order of their ids. A withdrawn one stays on record (C6)."""

    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="licences")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="licences")
    seats = models.PositiveIntegerField(default=1)
    acquired_on = models.DateField()
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(name="licence_seats_fit_the_code", condition=Q(seats__range=(1, 65535))),
            models.CheckConstraint(
                name="licence_withdrawn_with_a_reason",
                condition=Q(withdrawn_on__isnull=True) | ~Q(withdrawal_reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.product} on {self.dongle}"


class Replacement(models.Model):
    """Q8: another dongle took the place of a lost or broken one. Only ever added, its licences too (trigger).

    `licences` are those that went over, with their periods; what had been withdrawn before stayed. They keep their ids,
    so orders, revenue and history go on pointing at them.
    """

    class Cause(models.TextChoices):
        LOST = "lost", "Lost, stolen or not handed back"
        BROKEN = "broken", "Broken and handed back"

    predecessor = models.OneToOneField(Dongle, on_delete=models.PROTECT, related_name="replaced_by")
    successor = models.OneToOneField(Dongle, on_delete=models.PROTECT, related_name="replaces")
    cause = models.CharField(max_length=10, choices=Cause)
    reason = models.CharField(max_length=250)
    replaced_on = models.DateField()
    licences = models.ManyToManyField(Licence, related_name="replacements")

    class Meta:
        constraints = (
            models.CheckConstraint(name="no_dongle_replaces_itself", condition=~Q(predecessor=F("successor"))),
        )

    def __str__(self) -> str:
        return f"{self.successor} for {self.predecessor}"


class SmaPeriod(models.Model):
    """A span of days, both included, through which a licence has a valid SMA (rules C1, D3).

    No licence has two that share a day: the database refuses it (Q4). A cancelled one stays on record and covers
    nothing.
    """

    class Source(models.TextChoices):
        RECORD = "record", "On record when the dongle came in"
        ORDER = "order", "Order"

    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="periods")
    starts_on = models.DateField()
    ends_on = models.DateField()
    source = models.CharField(max_length=10, choices=Source)
    is_cancelled = models.BooleanField(default=False)

    class Meta:
        verbose_name = "SMA period"
        ordering = ("starts_on",)
        constraints = (
            models.CheckConstraint(name="sma_period_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
            ExclusionConstraint(
                name="sma_periods_never_overlap",
                expressions=[
                    ("licence", RangeOperators.EQUAL),
                    (
                        Func(
                            "starts_on",
                            "ends_on",
                            RangeBoundary(inclusive_lower=True, inclusive_upper=True),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(is_cancelled=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on}"

    @property
    def span(self) -> Period:
        return Period(self.starts_on, self.ends_on)


class UnlockCode(models.Model):
    """A signed code as it left the portal (UNLOCK-CODE). Rows are only added; the database refuses more.

    `cause` names what it was issued for, once per dongle: a retry finds the code instead of making a second one.
    `licences` are the (product number, seats) pairs that it states, `letters` the code without separators.
    """

    dongle = models.ForeignKey(Dongle, on_delete=models.PROTECT, related_name="codes")
    cause = models.CharField(max_length=60)
    generation = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    key_slot = models.PositiveSmallIntegerField()
    expiry_on = models.DateField()
    previous_expiry_on = models.DateField(null=True)
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    licences = models.JSONField()
    letters = models.TextField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["dongle", "generation", "sequence"], name="code_number_given_once"),
            models.UniqueConstraint(fields=["dongle", "cause"], name="code_once_per_cause"),
        )

    def __str__(self) -> str:
        return f"{self.dongle}-{self.generation}-{self.sequence}"


class CodeReceipt(models.Model):
    """The receipt of a dongle that applied a code: an acknowledgement, not a proof."""

    code = models.OneToOneField(UnlockCode, on_delete=models.PROTECT, related_name="receipt")
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"receipt of {self.code}"


class Import(models.Model):
    """A file with an installed base (dongles/installed_base/), with the columns that were chosen for it.

    `content` is emptied once the file was imported, or after 30 days. `choices` are rows.Choices.
    """

    name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    sheet = models.CharField(max_length=100, blank=True)
    choices = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name


class ColumnChoice(models.Model):
    """Which column holds what in files with these heads (installed_base.heads.key_of), as it was chosen last.

    `columns` are folded heads by field, `others` the rest of rows.Choices.
    """

    key = models.CharField(max_length=64, unique=True)
    columns = models.JSONField()
    others = models.JSONField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return ", ".join(self.columns)
