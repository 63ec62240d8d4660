"""Logging in as a customer does: an address, and the code that is mailed to it."""

import re

from django.urls import reverse

from portal import outbox
from portal.models import SentMail

ASK = reverse("account_request_login_code")
CONFIRM = reverse("account_confirm_login_code")
HOME = "/my/"


def ask(client, email, **more):
    return client.post(ASK, {"email": email, **more})


def confirm(client, code, **more):
    return client.post(CONFIRM, {"code": code, **more})


def mailed():
    """The code of the newest mail, once whatever is due was done."""
    outbox.drain()
    return re.search(r"^    (\S{4}-\S{4})$", SentMail.objects.order_by("-pk")[0].text, re.MULTILINE)[1]


def is_in(client):
    return client.get(HOME).status_code == 200
