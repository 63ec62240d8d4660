"""The pipeline: every dongle whose SMA ends or ended, each in one bucket, with counts and values (rules C1–C5, F5).

What is in which bucket is said for people in renewals/overviews/buckets.py; the statement here counts it. One statement
reads the summary and the rows, so that both are of one moment and a hundred thousand dongles are gone through once.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import Release as PublishedRelease
from dongles.models import Licence, ProductFamily
from portal.models import Customer
from renewals import queries
from renewals.models import QuoteVersion
from renewals.overviews.buckets import Bucket, Days, buckets
from renewals.states import QuoteState

NOBODY = 0  # as an owner: customers that nobody looks after
BATCH = 1000  # rows of a file that are completed at once

# Per licence: C(l), and whether it was won back. Periods of a licence never overlap (Q4), so it was covered without a
# gap from its first day, or from the day before `won_back_since`, through today if and only if its days add up to that.
COVERED = """
WITH covered AS MATERIALIZED (
    SELECT licence_id, max(ends_on) AS through,
        bool_or(%(today)s BETWEEN starts_on AND ends_on)
        AND sum(greatest(0, least(ends_on, %(today)s) - greatest(starts_on, %(won_back_since)s - 1) + 1))
            < %(today)s - greatest(min(starts_on), %(won_back_since)s - 1) + 1 AS came_back
    FROM {periods} WHERE NOT is_cancelled GROUP BY licence_id
), newest_major AS (
    SELECT family_id, max(build_on) AS build_on
    FROM dongles_release WHERE is_published AND is_major AND build_on <= %(today)s GROUP BY family_id
), price_list AS (
    SELECT DISTINCT ON (currency, segment) id, currency, segment
    FROM renewals_pricelist WHERE valid_from <= %(today)s ORDER BY currency, segment, valid_from DESC
)"""

# The periods as of an earlier day: without what was fulfilled after it.
PERIODS_THEN = """(
        SELECT period.* FROM dongles_smaperiod period
        LEFT JOIN renewals_orderline line ON line.period_id = period.id
        LEFT JOIN renewals_order orders ON orders.id = line.order_id
        WHERE orders.fulfilled_on IS NULL OR orders.fulfilled_on <= %(today)s) period"""

# Per dongle what decides on its bucket; it has missed a major if any licence was covered through less than the newest.
STANDING = """, standing AS MATERIALIZED (
    SELECT dongle.id AS dongle_id, dongle.serial, dongle.state, customer.id AS customer_id, customer.name AS customer,
        customer.country, customer.currency, customer.owner_id,
        max(coalesce(covered.through, licence.acquired_on)) AS through,
        coalesce(bool_or(covered.came_back), FALSE) AS came_back,
        coalesce(bool_or(coalesce(covered.through, licence.acquired_on) < newest_major.build_on), FALSE) AS has_missed,
        count(*) AS licences, sum(licence.seats) AS seats,
        CASE WHEN count(entry.id) = count(*) THEN sum(entry.sma_year * licence.seats) END AS value
    FROM dongles_licence licence
    JOIN dongles_dongle dongle ON dongle.id = licence.dongle_id
    JOIN portal_customer customer ON customer.id = dongle.customer_id
    JOIN dongles_product product ON product.id = licence.product_id
    LEFT JOIN covered ON covered.licence_id = licence.id
    LEFT JOIN newest_major ON newest_major.family_id = product.family_id
    LEFT JOIN price_list ON price_list.currency = customer.currency AND price_list.segment = customer.segment
    LEFT JOIN renewals_pricelistentry entry ON entry.price_list_id = price_list.id AND entry.product_id = product.id
    WHERE (licence.withdrawn_on IS NULL OR (%(is_past)s AND licence.withdrawn_on > %(today)s))
        AND (NOT %(is_past)s OR licence.acquired_on <= %(today)s)
        AND (%(country)s = '' OR customer.country = %(country)s)
        AND (%(currency)s = '' OR customer.currency = %(currency)s)
        AND (%(owner)s::bigint IS NULL OR coalesce(customer.owner_id, 0) = %(owner)s::bigint)
    GROUP BY dongle.id, customer.id
    HAVING %(family)s::bigint IS NULL OR bool_or(product.family_id = %(family)s::bigint)
)"""

# When the newest quote that was sent for a dongle was declined.
DECLINED = """, declined AS (
    SELECT quoted.dongle_id, max(timezone(%(time_zone)s, event.at)::date) AS declined_on
    FROM renewals_quoteversion version
    JOIN renewals_quotedongle quoted ON quoted.version_id = version.id
    JOIN portal_auditevent event ON event.subject_kind = 'quoteversion' AND event.subject_id = version.id
        AND event.action = 'decline'
    WHERE version.state = 'declined' AND quoted.replacement = '{}'
        AND timezone(%(time_zone)s, event.at)::date <= %(today)s AND NOT EXISTS (
        SELECT FROM renewals_quotedongle other JOIN renewals_quoteversion later ON later.id = other.version_id
        WHERE other.dongle_id = quoted.dongle_id AND other.replacement = '{}' AND later.valid_until IS NOT NULL
            AND (later.quote_id, later.number) > (version.quote_id, version.number)
    )
    GROUP BY quoted.dongle_id
)"""

PLACED = """, placed AS MATERIALIZED (
    SELECT standing.*, standing.through < %(lapsed_before)s AS is_lapsed,
        CASE
            WHEN standing.state <> 'active' THEN 'lost'
            WHEN standing.through < %(lapsed_before)s THEN CASE
                WHEN declined.declined_on > standing.through THEN 'lost'
                WHEN standing.has_missed THEN 'lapsed_over_major'
                WHEN standing.through <= %(year_ago)s THEN 'lost'
                ELSE 'lapsed'
            END
            WHEN standing.through <= %(due_30)s THEN 'due_30'
            WHEN standing.through <= %(due_60)s THEN 'due_60'
            WHEN standing.through <= %(due_90)s THEN 'due_90'
            ELSE 'won_back'
        END AS bucket
    FROM standing LEFT JOIN declined USING (dongle_id)
    WHERE standing.through <= %(due_90)s OR standing.came_back
)
SELECT
    (SELECT coalesce(json_agg(figures), '[]') FROM (
        SELECT bucket, currency, count(*) AS dongles, coalesce(sum(value), 0) AS value,
            count(*) FILTER (WHERE value IS NULL) AS unpriced
        FROM placed GROUP BY bucket, currency
    ) figures),
    (SELECT coalesce(json_agg(chosen), '[]') FROM (
        SELECT placed.*, coalesce(nullif(owner.name, ''), owner.email) AS owner
        FROM placed LEFT JOIN portal_user owner ON owner.id = placed.owner_id
        WHERE %(bucket)s = '' OR bucket = %(bucket)s
        ORDER BY """

PAGED = """ LIMIT %(limit)s OFFSET %(offset)s
    ) chosen)"""

# Amounts of different currencies can't be compared: by value is by currency first.
ORDERS = {
    "": "array_position(%(buckets)s::text[], bucket), abs(placed.through - %(today)s), placed.serial",
    "date": "placed.through, placed.serial",
    "-date": "placed.through DESC, placed.serial",
    "value": "placed.currency, placed.value, placed.serial",
    "-value": "placed.currency, placed.value DESC NULLS LAST, placed.serial",
    "customer": "lower(placed.customer), placed.serial",
    "-customer": "lower(placed.customer) DESC, placed.serial",
    "serial": "placed.serial",
    "-serial": "placed.serial DESC",
}


class PipelineFilters(NamedTuple):
    """What of the pipeline is asked for; what is empty or none filters nothing.

    `family` is a product family (id) of which a dongle carries a licence, `owner` a user (id) or NOBODY, `sort` a key
    of ORDERS.
    """

    bucket: str = ""
    family: int | None = None
    country: str = ""
    owner: int | None = None
    currency: str = ""
    sort: str = ""


class NewestQuote(NamedTuple):
    """The newest version of the newest quote that asks for a dongle."""

    quote_id: int
    number: int
    state: str
    valid_until: date | None

    @property
    def quote_number(self) -> str:
        return f"Q-{self.quote_id:06d}"

    def state_on(self, day: date) -> str:
        """Its state in a word: a sent one is `expired` after its last valid day."""
        is_past = self.valid_until is not None and self.valid_until < day
        return "expired" if self.state == QuoteState.SENT and is_past else self.state


class PipelineRow(NamedTuple):
    """A dongle in the pipeline: covered `through` the latest C(l) of its licences.

    `value` in minor units of `currency`, none where a product has no price; `missed` as of C5.
    """

    dongle_id: int
    serial: str
    state: str
    customer_id: int
    customer: str
    country: str
    owner: str
    bucket: Bucket
    through: date
    licences: int
    seats: int
    value: int | None
    currency: str
    families: Sequence[str]
    missed: Sequence[PublishedRelease]
    quote: NewestQuote | None
    quote_state: str

    @property
    def can_be_quoted(self) -> bool:
        """Whether anything can be sold for it (`dongle_not_active`)."""
        return self.state == "active"


class BucketFigures(NamedTuple):
    """How many dongles are in a bucket, or in all; their value in each currency (minor units), none where no dongle has
    one; and how many have none.
    """

    dongles: int
    values: Sequence[tuple[str, int | None]]
    unpriced: int


class Pipeline(NamedTuple):
    """The summary of the dongles that fit the filters, all buckets of them, and the rows of the bucket asked for."""

    days: Days
    currencies: Sequence[str]
    figures: Sequence[tuple[Bucket, BucketFigures]]
    total: BucketFigures
    chosen: int
    rows: Sequence[dict[str, Any]]

    def figures_of(self, keys: Iterable[str]) -> int:
        """How many dongles are in these buckets together."""
        return sum(figures.dongles for bucket, figures in self.figures if bucket.key in keys)


class PipelineChoices(NamedTuple):
    """What the pipeline can be filtered by: families by name (id), and what customers have."""

    families: Mapping[str, int]
    countries: Sequence[str]
    currencies: Sequence[str]
    owners: Sequence[tuple[int, str]]


def read_choices() -> PipelineChoices:
    """Read in two queries."""
    named = ("country", "currency", "owner_id", "owner__name", "owner__email")
    rows = list(Customer.objects.order_by().values_list(*named).distinct())
    owners = {pk: name or email or "" for _, _, pk, name, email in rows if pk is not None}
    return PipelineChoices(
        dict(ProductFamily.objects.order_by("name").values_list("name", "pk")),
        sorted({country for country, *_ in rows}),
        sorted({currency for _, currency, *_ in rows}),
        sorted(owners.items(), key=lambda owner: (owner[1].lower(), owner[0])),
    )


def read_pipeline(
    filters: PipelineFilters, today: date, *, limit: int | None = None, offset: int = 0, is_past: bool = False
) -> Pipeline:
    """The pipeline as of a day in two queries; rows from `offset` on, unfinished (`finish_rows`) (`no_policy`).

    Of an earlier day (`is_past`) it is read without what was sold since; what was cancelled or lost is as it is now.
    """
    days = Days(today, queries.policy_on(today).grace_days)
    shown = buckets(days)
    groups, rows = _read(filters, days, [bucket.key for bucket in shown], (limit, offset), is_past=is_past)
    by_bucket: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for group in groups:
        by_bucket[group["bucket"]].append(group)
    currencies = sorted({group["currency"] for group in groups})
    figures = [(bucket, _figures(by_bucket[bucket.key], currencies)) for bucket in shown]
    chosen = sum(each.dongles for bucket, each in figures if filters.bucket in ("", bucket.key))
    return Pipeline(days, currencies, figures, _figures(groups, currencies), chosen, rows)


def _figures(groups: Sequence[dict[str, Any]], currencies: Iterable[str]) -> BucketFigures:
    values: dict[str, int] = defaultdict(int)
    for group in groups:
        if group["dongles"] > group["unpriced"]:
            values[group["currency"]] += group["value"]
    return BucketFigures(
        sum(group["dongles"] for group in groups),
        [(currency, values.get(currency)) for currency in currencies],
        sum(group["unpriced"] for group in groups),
    )


def _read(
    filters: PipelineFilters, days: Days, keys: Sequence[str], page: tuple[int | None, int], *, is_past: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    month, two, three = days.due
    asked = {
        **filters._asdict(),
        "today": days.today,
        "lapsed_before": days.lapsed_before,
        "year_ago": days.year_ago,
        "won_back_since": days.won_back_since,
        "due_30": month,
        "due_60": two,
        "due_90": three,
        "buckets": list(keys),
        "time_zone": settings.TIME_ZONE,
        "limit": page[0],
        "offset": page[1],
        "is_past": is_past,
    }
    statement = (
        COVERED.format(periods=PERIODS_THEN if is_past else "dongles_smaperiod")
        + STANDING
        + DECLINED
        + PLACED
        + ORDERS[filters.sort]
        + PAGED
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        groups, rows = cursor.fetchone()
    return _from_json(groups), _from_json(rows)


def _from_json(value: Any) -> list[dict[str, Any]]:
    """What PostgreSQL put together as JSON: Django's connection hands it over as text."""
    read: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value
    return read


def finish_rows(pipeline: Pipeline) -> Iterator[PipelineRow]:
    """The rows with their families, missed majors and newest quotes: two queries for each thousand, and two."""
    today, grace_days = pipeline.days
    names = {bucket.key: bucket for bucket, _ in pipeline.figures}
    majors: Sequence[PublishedRelease] | None = None
    for first in range(0, len(pipeline.rows), BATCH):
        batch = pipeline.rows[first : first + BATCH]
        ids = [row["dongle_id"] for row in batch]
        carried = _carried_by(ids)
        if majors is None:
            majors = _published_majors(today)
        quotes = _newest_quotes(ids)
        for row in batch:
            least = carried[row["dongle_id"]]
            quote = quotes.get(row["dongle_id"])
            yield PipelineRow(
                dongle_id=row["dongle_id"],
                serial=row["serial"],
                state=row["state"],
                customer_id=row["customer_id"],
                customer=row["customer"],
                country=row["country"],
                owner=row["owner"] or "",
                bucket=names[row["bucket"]],
                through=date.fromisoformat(row["through"]),
                licences=row["licences"],
                seats=row["seats"],
                value=row["value"],
                currency=row["currency"],
                families=sorted(least),
                missed=_missed(least, majors, today, grace_days),
                quote=quote,
                quote_state=quote.state_on(today) if quote else "",
            )


def _carried_by(dongle_ids: Sequence[int]) -> dict[int, dict[str, date]]:
    """Per dongle its families, each with the C(l) of its least covered licence: that one has missed the most."""
    standing = Max("periods__ends_on", filter=Q(periods__is_cancelled=False))
    licences = (
        Licence.objects.filter(dongle_id__in=dongle_ids, withdrawn_on__isnull=True)
        .order_by()
        .annotate(through=Coalesce(standing, F("acquired_on")))
    )
    carried: dict[int, dict[str, date]] = defaultdict(dict)
    for dongle_id, family, through in licences.values_list("dongle_id", "product__family__name", "through"):
        known = carried[dongle_id].get(family, through)
        carried[dongle_id][family] = min(known, through)
    return carried


def _published_majors(today: date) -> Sequence[PublishedRelease]:
    families = ProductFamily.objects.values_list("name", flat=True)
    return dongle_queries.published_releases(families, through=today, majors_only=True)


def _missed(
    least: Mapping[str, date], majors: Iterable[PublishedRelease], today: date, grace_days: int
) -> Sequence[PublishedRelease]:
    """C5 for a dongle: what the least covered licence of each family has missed."""
    return [
        release
        for release in majors
        if (since := least.get(release.family)) is not None
        and coverage.is_lapsed(since, today, grace_days)
        and since < release.build_on
    ]


def _newest_quotes(dongle_ids: Sequence[int]) -> dict[int, NewestQuote]:
    newest = (
        QuoteVersion.objects.filter(dongles__dongle_id__in=dongle_ids, dongles__replacement={})
        .order_by("dongles__dongle_id", "-quote_id", "-number")
        .distinct("dongles__dongle_id")
    )
    rows = newest.values_list("dongles__dongle_id", "quote_id", "number", "state", "valid_until")
    return {key: NewestQuote(quote_id, number, state, until) for key, quote_id, number, state, until in rows}
