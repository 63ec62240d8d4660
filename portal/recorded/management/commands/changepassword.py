"""manage.py changepassword: Django's, with its event in the audit trail."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction
from django.utils import timezone

from portal.audit import Actor, Deed, record
from portal.models import User


class Command(changepassword.Command):
    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str | None:
        passwords = dict(User.objects.values_list("pk", "password"))
        said: str | None = super().handle(*args, **options)
        for user in User.objects.all():
            if passwords.get(user.pk) != user.password:
                record(Actor("manage.py changepassword"), timezone.now(), Deed("change_password", user))
        return said
