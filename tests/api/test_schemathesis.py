"""What the OpenAPI document says is what the API does: schemathesis over a small seeded database, all checks on.

Its phases: the examples, the borders of every value, random bodies good and bad, and chains of requests that use each
other's answers. A value that the schema allows is done (2xx) or refused by the rules (409, 422), never called invalid
(400); one that it does not allow is never done; nothing crashes.
"""

import logging
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
import schemathesis
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from knox.models import AuthToken
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from dongles.models import Licence, UnlockCode
from portal.models import Customer, User
from renewals.models import Order, Quote
from tests import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(170)]

EXAMPLES = 3  # random bodies an operation
STEPS = 4

# What random requests take for a parameter, seven times in ten, so that they also meet something; for some operations,
# every time, what they can be done to.
PLACES = {
    "serial": "serials",
    "licence_id": "licences",
    "quote_id": "drafts",
    "number": "first",
    "order_id": "sold",
    "code_id": "codes",
}
PLACES_OF = {
    "send_quote": {"path.quote_id": "fresh", "path.number": "first"},
    "accept_quote": {"path.quote_id": "sent"},
    "decline_quote": {"path.quote_id": "unwanted"},
    "approve_quote": {"path.quote_id": "generous"},
    "fulfil_order": {"path.order_id": "waiting"},
    "lose_dongle": {"path.serial": "handed"},
    "find_dongle_again": {"path.serial": "handed"},
    "replace_dongle": {"path.serial": "handed"},
    "transfer_dongle": {"path.serial": "handed", "body.customer": "customers"},
}
# No random letters are a code's receipt (test_selling.py confirms one), and no random digits the code of an app
# (test_login.py).
NEVER_DONE = {"POST /api/v1/dongles/{serial}/receipts/", "POST /api/v1/login/"}


@pytest.fixture
def tokens(transactional_db):
    """A provider of an administrator's token, and of one of its own for each log_out."""
    administrator, leaver = world.make_user("administrator"), world.make_user("finance")
    _, kept = AuthToken.objects.create(user=administrator)

    class Tokens:
        def get(self, case, context):
            cache.clear()  # failed logins of the run don't close the door
            if not context.operation.path.endswith("/logout/"):
                return kept
            _, token = AuthToken.objects.create(user=leaver)
            connection.close()  # this thread's own
            return token

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Token {data}"

    return Tokens


@pytest.fixture
def seeded(transactional_db):
    """A quote and an order in every state for dongles in several, of a customer who pays first and one who does not."""
    world.make_catalogue()
    world.make_release("7.0", "2026-01-15")
    customer = world.make_customer()
    later = world.make_customer("Pays first", fulfil_on="payment")
    valid = world.make_dongle("104233", customer)
    world.make_dongle("777", customer, [("VOL-VIS", "2025-12-31")])
    world.make_dongle("ILS2008A", customer, [("VOL-VIS", "2026-05-19"), ("OPL-FUL", None)], kind="licence_server")
    world.make_dongle("LOST", customer, state="lost")
    world.make_dongle("EMPTY", customer, [])
    world.sell(valid, "2026-02-01")
    for _ in range(4):
        world.draft(valid, "2026-02-01")
    for number in range(4):
        note = "Unwanted" if number % 2 else ""
        world.send(world.make_dongle(f"555{number}", customer), "2026-02-01", note=note, renew_years=1)
    for _ in range(2):
        world.draft(valid, "2026-02-01", discount=Decimal("0.2"), discount_reason="A favour", renew_years=1)
    for number in range(4):
        world.sell(world.make_dongle(f"888{number}", later), "2026-02-01")
    for number in range(6):
        world.make_dongle(f"999{number}", customer)
    for number in range(8):  # drafts are sent on their day, as far as none is drafted in their place before
        world.draft(world.make_dongle(f"222{number}", customer), str(timezone.localdate()))
    User.objects.create_user("sales@vendor.example", "correct horse battery staple", role="sales", name="Sales")


def configured() -> SchemathesisConfig:
    def found(rows, **fields):
        return {"values": list(rows.filter(**fields).values_list("pk", flat=True))}

    def likely(places, probability=0.7):
        return {place: {"dictionary": dictionary, "probability": probability} for place, dictionary in places.items()}

    return SchemathesisConfig.from_dict(
        {
            "workers": 1,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "phases": {"coverage": {"unexpected-methods": ["DELETE"]}, "stateful": {"max-steps": STEPS}},
            # 422: the rules refuse what the schema allows, such as a sixth year.
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]}
            },
            "dictionaries": {
                "serials": {"values": ["104233", "777", "ils 2008-a", "LOST", "EMPTY", "8880"]},
                "licences": found(Licence.objects),
                "handed": {"values": [f"999{number}" for number in range(6)]},
                "customers": found(Customer.objects),
                "drafts": found(Quote.objects, versions__state="draft", versions__needs_approval=False),
                "fresh": found(Quote.objects, versions__priced_on=timezone.localdate()),
                "sent": found(Quote.objects, versions__state="sent", versions__note=""),
                "generous": found(Quote.objects, versions__needs_approval=True),
                "unwanted": found(Quote.objects, versions__note="Unwanted"),
                "first": {"values": [1]},
                "sold": found(Order.objects, state="fulfilled"),
                "waiting": found(Order.objects, state="accepted"),
                "codes": found(UnlockCode.objects),
            },
            "parameters": likely({f"path.{name}": dictionary for name, dictionary in PLACES.items()}),
            "operations": [
                {"include-operation-id": operation, "parameters": likely(places, 1.0)}
                for operation, places in PLACES_OF.items()
            ],
        }
    )


def test_the_api_keeps_what_its_schema_says(live_server, seeded, tokens, caplog):
    caplog.set_level(logging.ERROR, "django.request")  # refusals are what this is about
    schema = schemathesis.openapi.from_url(live_server.url + "/api/v1/schema/?format=json", config=configured())
    schema.auth(refresh_interval=None)(tokens)

    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    phases: Counter[str] = Counter()
    failures = {}
    for event in from_schema(schema).execute():
        assert not isinstance(event, FatalError), event
        if isinstance(event, NonFatalError):
            failures[event.label] = event.info.format()
        if isinstance(event, ScenarioFinished):
            phases[event.phase.value] += len(event.recorder.cases)
            for case_id, interaction in event.recorder.interactions.items():
                if interaction.response is not None:
                    label = event.recorder.cases[case_id].value.operation.label
                    statuses[label][interaction.response.status_code] += 1
            for case_id, checks in event.recorder.checks.items():
                interaction = event.recorder.interactions.get(case_id)
                answer = interaction and interaction.response and interaction.response.content
                for check in checks:
                    if check.status == Status.FAILURE:
                        failure = check.failure_info
                        failures[f"{event.recorder.label}: {failure.failure.title}"] = (
                            f"{failure.failure.message}\n{failure.code_sample}\n{answer}"
                        )
    assert not failures, "\n\n".join(f"{what}\n{how}" for what, how in failures.items())
    assert set(phases) == {"examples", "coverage", "fuzzing", "stateful"}
    never_done = [label for label, found in statuses.items() if not any(status < 300 for status in found)]
    assert set(never_done) <= NEVER_DONE
