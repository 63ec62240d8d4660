"""manage.py remove_second_factors EMAIL: for the administrator who has lost the telephone and has no colleague."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.audit import Actor
from portal.models import User
from portal.services.users import remove_second_factors, unlock_login


class Command(BaseCommand):
    help = "Take away a user's second factors and unlock the account; a new factor is set up at the next login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody has the e-mail address {email}.")
        by = {"actor": Actor("manage.py remove_second_factors"), "at": timezone.now()}
        count = remove_second_factors(user=user, **by)
        unlock_login(user=user, **by)
        self.stdout.write(f"{user} has no second factor any more ({count} removed) and sets one up at the next login.")
