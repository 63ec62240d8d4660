"""A stopwatch does not tell whether a serial is on record (Q5); one that could tell is caught by the same stopwatch.

Two sets of requests, of a contact on file for their dongle and of nobody for nothing, are sent in turns and told apart
by how long the answer took: by the wall clock, which an attacker has, and by the time of this thread on the processor,
which no other work on the machine disturbs. How well that goes is the AUC: 0.5 is guessing, 1 is always right.
"""

import gc
import random
import time
from bisect import bisect_left, bisect_right

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.shortcuts import redirect
from django.test import Client
from django.urls import include, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from dongles.queries import find_dongle
from renewals.models import RenewalRequest
from renewals.queries import DongleRequest, price_quote
from renewals.services.answers import PORTAL
from renewals.services.requests import ask_for_quote
from tests.services.test_answers import ada_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
PAIRS, WARM_UP, MOST_TIMES = 500, 10, 3
GUESSING, CAUGHT = 0.55, 0.7
CLOCKS = {"wall": time.perf_counter_ns, "processor": time.thread_time_ns}


@csrf_exempt
def early_page(request):
    """The control: a build that looks the dongle up and prices it while the visitor waits."""
    kept = request.session["renew"]
    details = kept["details"]
    wanted = {"renew_years": 1, "added": []}
    who = {"name": details["name"], "email": details["email"]}
    at = timezone.now()
    ask_for_quote(serials=[kept["serials"]], wanted=wanted, **who, actor=PORTAL, at=at)
    dongle = find_dongle(kept["serials"])
    if dongle is not None:
        price_quote(dongle.customer, [DongleRequest(dongle, 1)], on=timezone.localdate(at))
    return redirect("renewals:renew_done")


urlpatterns = [path("early/", early_page), path("", include("portal.urls"))]


def sessions(serial, email, number):
    """As many visitors who have answered everything and are about to send it: session keys and their tokens."""
    details = {"name": "Ada Lenz", "email": email, "renew_years": "1"}
    store, ends = SessionStore(), timezone.now() + timezone.timedelta(hours=1)
    rows = []
    for n in range(number):
        key, once = store._get_new_session_key(), f"{n:032x}"
        answers = {"renew": {"serials": serial, "details": details, "once": once}}
        rows.append((Session(session_key=key, session_data=store.encode(answers), expire_date=ends), once))
    Session.objects.bulk_create(row for row, _ in rows)
    return [(row.session_key, once) for row, once in rows]


def measure(address, sets, pairs):
    """How long each answer took, by clock and set; the two of a pair follow each other in either order, tossed anew."""
    client, toss = Client(), random.Random()
    visitors = [sessions(*each, WARM_UP + pairs) for each in sets]
    took = {clock: ([], []) for clock in CLOCKS}
    gc.collect()
    gc.disable()
    try:
        for turn, pair in enumerate(zip(*visitors, strict=True)):
            for which in toss.sample((0, 1), 2):
                key, once = pair[which]
                client.cookies["sessionid"] = key
                began = {clock: now() for clock, now in CLOCKS.items()}
                answer = client.post(address, {"once": once})
                ended = {clock: now() for clock, now in CLOCKS.items()}
                assert (answer.status_code, answer.url) == (302, reverse("renewals:renew_done"))
                if turn >= WARM_UP:
                    for clock in CLOCKS:
                        took[clock][which].append(ended[clock] - began[clock])
    finally:
        gc.enable()
    return took


def told_apart(took):
    """How well each clock tells the two sets apart."""
    return {clock: auc(*both) for clock, both in took.items()}


def auc(one, other):
    """How often one of the first takes longer than one of the others (ties count half), or the other way round."""
    other = sorted(other)
    ranks = sum(bisect_left(other, each) + bisect_right(other, each) for each in one) / 2
    share = ranks / (len(one) * len(other))
    return max(share, 1 - share)


@pytest.fixture
def sets(dongle, settings):
    """Serial and e-mail address: of a contact on file, and of nobody; as long as each other."""
    settings.REQUEST_LIMITS = {"sender": "1000000/1h/ip", "serial": "1000000/1h/key", "email": "1000000/1h/key"}
    cache.clear()
    on_file = ada_of(dongle)
    return (dongle.serial, on_file), ("9" * len(dongle.serial), "eve" + on_file[3:])


def test_the_stopwatch_is_right():
    assert auc([1, 2, 3], [1, 2, 3]) == 0.5
    assert auc([4, 5], [1, 2, 3]) == auc([1, 2, 3], [4, 5]) == 1
    assert auc([1, 4], [2, 3, 3, 3]) == 0.5


def test_the_time_tells_nothing_of_what_is_on_record_q5(sets):
    """Of two sets that are truly alike, one measurement in some hundred says more than 0.55 by chance (its standard
    deviation is 0.018). Then both are measured further and all is judged together, so that a true difference shows
    the better, and chance has to fool three times as many: a few times in a million runs.
    """
    took, times = {clock: ([], []) for clock in CLOCKS}, 0
    while times == 0 or (max(told_apart(took).values()) > GUESSING and times < MOST_TIMES):
        for clock, both in measure(reverse("renewals:renew_check"), sets, PAIRS).items():
            for kept, more in zip(took[clock], both, strict=True):
                kept += more
        times += 1
    assert max(told_apart(took).values()) <= GUESSING, (told_apart(took), times)
    assert RenewalRequest.objects.filter(is_public=True, state="open").count() == times * 2 * (PAIRS + WARM_UP)


def test_a_build_that_prices_while_the_visitor_waits_is_caught(sets):
    assert min(told_apart(measure("/early/", sets, 40)).values()) >= CAUGHT
