"""What a reminder says of each dongle."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import F

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.coverage import Release as PublishedRelease
from dongles.models import Dongle, Licence
from portal.models import Customer
from renewals.facts import policy_on
from renewals.models import QuoteVersion, Reminder
from renewals.states import QuoteState


class RemindedDongle(NamedTuple):
    """A dongle whose SMA ends or ended, and what its owner should know.

    `renewable_through` is the last day on which it is renewed without a gap (C4), `missed` what a licence on it has
    missed by a lapse (C5), `offer` the newest quote that can still be accepted.
    """

    dongle: Dongle
    licences: Sequence[Licence]
    ends_on: date
    renewable_through: date
    missed: Sequence[PublishedRelease]
    offer: QuoteVersion | None


def reminded_dongles(customer: Customer, reminders: Sequence[Reminder], on: date) -> Sequence[RemindedDongle]:
    """The dongles of reminders to a customer as of a day, in six queries."""
    grace_days = policy_on(on).grace_days
    versions = _open_versions(customer, [reminder.dongle_id for reminder in reminders], on)
    quoted = {each.dongle_id for version in versions.values() for each in version.dongles.all()}
    carried = _carried_by({*quoted, *(reminder.dongle_id for reminder in reminders)})
    families = {covered.family for licences in carried.values() for _, covered in licences}
    majors = dongle_queries.published_releases(families, through=on, majors_only=True)
    reminded = []
    for reminder in reminders:
        licences = carried.get(reminder.dongle_id, [])
        missed = {
            release for _, covered in licences for release in coverage.missed_majors(covered, majors, on, grace_days)
        }
        version = versions.get(reminder.dongle_id)
        reminded.append(
            RemindedDongle(
                reminder.dongle,
                [licence for licence, _ in licences],
                reminder.ends_on,
                reminder.ends_on + timedelta(days=grace_days),
                sorted(missed, key=lambda release: release.build_on),
                version if version and _is_as_quoted(version, carried) else None,
            )
        )
    return reminded


def _open_versions(customer: Customer, dongles: Sequence[int], on: date) -> Mapping[int, QuoteVersion]:
    """Per dongle (id) the newest version sent to the customer that asks for it and is valid on the day."""
    open_ones = QuoteVersion.objects.filter(quote__customer=customer, state=QuoteState.SENT, valid_until__gte=on)
    versions = (
        open_ones.filter(dongles__dongle__in=dongles, dongles__replacement={})
        .annotate(dongle_id=F("dongles__dongle"))
        .order_by("dongle_id", "-quote_id")
        .distinct("dongle_id")
        .select_related("quote")
        .prefetch_related("dongles")
    )
    return {version.dongle_id: version for version in versions}


def _carried_by(dongles: set[int]) -> Mapping[int, Sequence[tuple[Licence, LicenceCoverage]]]:
    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = {dongle: [] for dongle in dongles}
    for licence in dongle_queries.licences_of(Dongle.objects.filter(pk__in=dongles)):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    return carried


def _is_as_quoted(version: QuoteVersion, carried: Mapping[int, Sequence[tuple[Licence, LicenceCoverage]]]) -> bool:
    """Q1: whether licences and coverage of all its dongles are still those that were quoted."""
    return all(
        coverage.fingerprint([(licence.pk, covered) for licence, covered in carried[each.dongle_id]])
        == each.fingerprint
        for each in version.dongles.all()
    )
