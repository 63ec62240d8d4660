"""Documents that are kept as they are: the PDF of a sent quote, and the customer's purchase order."""

from django.db import models

from portal.models import User
from renewals.models.orders import Order
from renewals.models.quotes import QuoteVersion


class QuoteDocument(models.Model):
    """The PDF of a version, frozen when it was sent; the same bytes are served ever after (trigger)."""

    version = models.OneToOneField(QuoteVersion, on_delete=models.PROTECT, related_name="document")
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.version}, {self.sha256[:12]}"


class PurchaseOrderFile(models.Model):
    """A customer's purchase order as it was uploaded: PDF, PNG or JPEG by its content. Kept for good (trigger).

    `path` is the file's place in the store of files (portal/settings.py), which no web server serves.
    """

    class Kind(models.TextChoices):
        PDF = "application/pdf", "PDF"
        PNG = "image/png", "PNG"
        JPEG = "image/jpeg", "JPEG"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind)
    size = models.PositiveIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=100, unique=True)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["order", "sha256"], name="file_once_an_order"),)

    def __str__(self) -> str:
        return self.name
