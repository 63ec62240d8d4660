"""manage.py createsuperuser: Django's, with its event in the audit trail."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction
from django.utils import timezone

from portal.audit import Actor, Deed, record
from portal.models import User


class Command(createsuperuser.Command):
    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        known = set(User.objects.values_list("pk", flat=True))
        super().handle(*args, **options)
        for user in User.objects.exclude(pk__in=known):
            after = {"email": user.email, "name": user.name, "role": user.role}
            record(Actor("manage.py createsuperuser"), timezone.now(), Deed("create", user, after=after))
