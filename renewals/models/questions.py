"""What customers ask about a quote."""

from django.db import models
from django.db.models import Q

from portal.models import User
from renewals.models.quotes import QuoteVersion


class QuoteQuestion(models.Model):
    """A question about a version of a quote, from its page. Sales answers by mail and marks it as answered."""

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="questions")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    text = models.TextField(max_length=2000)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["asked_at"], name="questions_open", condition=Q(answered_at__isnull=True)),)

    def __str__(self) -> str:
        return f"Question about {self.version}"
