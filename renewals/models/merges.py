"""Two spellings of one customer: pairs that look like it, and what was merged."""

from django.db import models
from django.db.models import F, Q

from portal.models import Customer, User


class Resemblance(models.Model):
    """Two customers whose names look like two spellings of one, until somebody says that they are two.

    `likeness` is per cent, 100 for names that differ in case, accents, punctuation or the legal form alone.
    """

    one = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    likeness = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-likeness", "id")
        constraints = (
            models.UniqueConstraint(fields=["one", "other"], name="resemblance_once_a_pair"),
            models.CheckConstraint(name="resemblance_names_the_older_first", condition=Q(one__lt=F("other"))),
        )

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"


class CustomerMerge(models.Model):
    """What a customer got of another that was the same: `moved` holds ids by what they are of, for taking it back.

    `last_version` and `last_order` are the newest ids then: what is newer was built upon the merge.
    """

    kept = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField()
    last_version = models.BigIntegerField()
    last_order = models.BigIntegerField()
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at__isnull=True), name="merged_once_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"{self.merged} into {self.kept}"
