"""Reads of what is out there. Every read takes a fixed number of queries, whatever the number of licences."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    F,
    Func,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from dongles.coverage import LicenceCoverage, Period, fingerprint
from dongles.coverage import Release as PublishedRelease
from dongles.models import Dongle, Licence, Product, ProductFamily, Release, Replacement, SmaPeriod, UnlockCode
from dongles.unlock import NotASerial, canonical_serial
from portal.errors import DomainError
from portal.models import Customer

MOST_FOUND = 50
# A period as “2026-01-01/2026-12-31”, so that a licence brings all of them along in one column.
AS_SPAN = Func(
    Func(F("starts_on"), Value("YYYY-MM-DD"), function="to_char"),
    Func(F("ends_on"), Value("YYYY-MM-DD"), function="to_char"),
    template="concat_ws('/', %(expressions)s)",
    output_field=CharField(),
)


def dongle_by_serial(text: str) -> Dongle:
    """The dongle with this serial in any spelling (`not_a_serial`, `unknown_serial`).

    With it come its customer, and the records of which dongle took its place and whose place it took, if any (Q8).
    """
    serial = serial_in(text)
    dongles = Dongle.objects.select_related("customer", "replaced_by", "replaces")
    dongle = dongles.filter(serial=serial).first()
    if dongle is None:
        raise DomainError("unknown_serial", f"There is no dongle {serial} on record.", {"field": "serial"})
    return dongle


def serial_in(text: str) -> str:
    """The canonical serial that the text spells (`not_a_serial`)."""
    try:
        return canonical_serial(text)
    except NotASerial as error:
        raise DomainError("not_a_serial", f"“{text}” is not a serial number: {error}", {"field": "serial"}) from None


def check_successor(old: Dongle, serial: str) -> None:
    """Q8: what takes a dongle's place is not on record yet, or empty, of its kind and its owner's (`serial_taken`)."""
    found = Dongle.objects.select_related("replaces").filter(serial=serial).first()
    if found is None:
        return
    is_free = (
        found.pk != old.pk
        and found.state == Dongle.State.ACTIVE
        and found.kind == old.kind
        and found.customer_id in (None, old.customer_id)
        and not found.licences.filter(withdrawn_on__isnull=True).exists()
        and not hasattr(found, "replaces")
    )
    if not is_free:
        raise DomainError(
            "serial_taken",
            f"Dongle {serial} can't take the place of {old.serial}: it has to be a new one, or one on record that is"
            " active, without licences, of the same kind and the same owner's, and has taken no other's place.",
            {"field": "serial", "serial": serial},
        )


def successors_of(dongle_ids: Iterable[int]) -> dict[int, list[int]]:
    """Q8: by each id the dongles that took its place one after the other, the last of which has what it carried.

    A query for each generation of replacements, and one more.
    """
    chains: dict[int, list[int]] = {dongle_id: [] for dongle_id in dongle_ids}
    ends = {dongle_id: dongle_id for dongle_id in chains}
    while found := dict(
        Replacement.objects.filter(predecessor__in=ends.values()).values_list("predecessor_id", "successor_id")
    ):
        ends = {first: found[last] for first, last in ends.items() if last in found}
        for first, last in ends.items():
            chains[first].append(last)
    return chains


def parts_of(dongle: Dongle) -> list[Model]:
    """The dongle with all licences and codes that it ever had, as far as it takes to name them."""
    return [dongle, *dongle.licences.only("pk"), *dongle.codes.only("pk")]


def find_dongle(text: str) -> Dongle | None:
    """The dongle with this serial in any spelling, if the text is a serial and there is one."""
    try:
        serial = canonical_serial(text)
    except NotASerial:
        return None
    return Dongle.objects.select_related("customer").filter(serial=serial).first()


def owner_of(dongle: Dongle) -> Customer:
    """Whose dongle it is (`dongle_without_owner`)."""
    if dongle.customer is None:
        raise DomainError(
            "dongle_without_owner",
            f"Dongle {dongle.serial} has no owner on record: say first whose it is.",
            {"serial": dongle.serial},
        )
    return dongle.customer


def dongles_matching(text: str, limit: int = MOST_FOUND) -> list[Dongle]:
    """The dongles found by a serial in any spelling, or by a part of a customer's name or a contact's e-mail.

    A serial that is on record answers alone and at once.
    """
    dongles = Dongle.objects.select_related("customer").order_by("serial")
    try:
        serial = canonical_serial(text)
    except NotASerial:
        serial = ""
    if serial and (found := list(dongles.filter(serial=serial))):
        return found
    words = text.strip()
    if not words:
        return []
    # Each by its own index and put together: of alternatives across tables PostgreSQL would go through all dongles.
    keys = Dongle.objects.order_by().values("pk")
    ways = [keys.filter(customer__name__icontains=words), keys.filter(customer__contacts__email__icontains=words)]
    if serial:
        ways.append(keys.filter(serial__startswith=serial))
    return list(dongles.filter(pk__in=ways[0].union(*ways[1:]))[:limit])


def licences_of(dongles: Iterable[Dongle], *, withdrawn_too: bool = False) -> QuerySet[Licence]:
    """The licences that the dongles carry, in their order, with product, family and the periods that stand."""
    licences = Licence.objects.filter(dongle__in=dongles)
    return _with_coverage(licences if withdrawn_too else licences.filter(withdrawn_on__isnull=True))


def licences_at(ids: Iterable[int]) -> QuerySet[Licence]:
    """The licences with these ids that are not withdrawn, on whatever dongle they are now, as `licences_of` reads."""
    return _with_coverage(Licence.objects.filter(pk__in=ids, withdrawn_on__isnull=True))


def _with_coverage(licences: QuerySet[Licence]) -> QuerySet[Licence]:
    standing = SmaPeriod.objects.filter(licence=OuterRef("pk"), is_cancelled=False).order_by("starts_on")
    return (
        licences.select_related("product__family")
        .annotate(spans=ArraySubquery(standing.values(span=AS_SPAN)))
        .order_by("dongle_id", "pk")
    )


def coverage_of(licence: Licence) -> LicenceCoverage:
    """What the rules see of a licence read by `licences_of`."""
    return LicenceCoverage(
        product=licence.product.code,
        family=licence.product.family.name,
        seats=licence.seats,
        acquired_on=licence.acquired_on,
        periods=tuple(map(_period_of, licence.spans)),  # type: ignore[attr-defined]  # annotated by licences_of
    )


def fingerprints_of(dongles: Iterable[Dongle]) -> dict[int, str]:
    """By dongle (id) what identifies the licences that it carries and their coverage (Q1)."""
    carried: dict[int, list[tuple[int, LicenceCoverage]]] = {dongle.pk: [] for dongle in dongles}
    for licence in licences_of(Dongle.objects.filter(pk__in=carried)):
        carried[licence.dongle_id].append((licence.pk, coverage_of(licence)))
    return {dongle_id: fingerprint(licences) for dongle_id, licences in carried.items()}


def _period_of(span: str) -> Period:
    first, last = span.split("/")
    return Period(date.fromisoformat(first), date.fromisoformat(last))


def published_releases(
    families: Iterable[str], *, through: date | None = None, majors_only: bool = False
) -> Sequence[PublishedRelease]:
    """The published releases of the families, in order of build date."""
    releases = Release.objects.filter(family__name__in=set(families), is_published=True)
    if through is not None:
        releases = releases.filter(build_on__lte=through)
    if majors_only:
        releases = releases.filter(is_major=True)
    rows = releases.order_by("build_on", "pk").values_list("family__name", "version", "build_on", "is_major")
    return [PublishedRelease(*row) for row in rows]


def coming_majors(families: Iterable[str], *, after: date, through: date) -> Sequence[PublishedRelease]:
    """The major releases of the families that come out after a day and through another, published or only planned."""
    releases = Release.objects.filter(
        family__name__in=set(families), is_major=True, build_on__gt=after, build_on__lte=through
    ).order_by("build_on", "pk")
    return [PublishedRelease(*row) for row in releases.values_list("family__name", "version", "build_on", "is_major")]


def licences_ended_before(family: ProductFamily, day: date) -> int:
    """C4: how many licences of the family on active dongles are covered through a day before that one at most."""
    last = Max("periods__ends_on", filter=Q(periods__is_cancelled=False))
    licences = Licence.objects.filter(
        product__family=family, withdrawn_on__isnull=True, dongle__state=Dongle.State.ACTIVE
    )
    return licences.annotate(through=Coalesce(last, F("acquired_on"))).filter(through__lt=day).count()


def products_for(dongles: Sequence[Dongle]) -> dict[int, Sequence[Product]]:
    """The products that may be added, by dongle (id): of the families on it, of any on a licence server or an empty
    dongle."""
    products = list(Product.objects.select_related("family").order_by("family__name", "number"))
    families: dict[int, set[int]] = {dongle.pk: set() for dongle in dongles}
    for dongle_id, family_id in Licence.objects.filter(dongle__in=dongles, withdrawn_on__isnull=True).values_list(
        "dongle_id", "product__family_id"
    ):
        families[dongle_id].add(family_id)
    return {
        dongle.pk: [
            product
            for product in products
            if dongle.kind == Dongle.Kind.LICENCE_SERVER
            or not families[dongle.pk]
            or product.family_id in families[dongle.pk]
        ]
        for dongle in dongles
    }


def other_dongles_of(dongle: Dongle, among: Iterable[str] = (), limit: int = 100) -> Sequence[Dongle]:
    """The owner's other active dongles, the soonest SMA date first: so many of them, and those with these serials."""
    others = Dongle.objects.filter(customer=dongle.customer_id, state=Dongle.State.ACTIVE).exclude(pk=dongle.pk)
    soonest = others.order_by(F("issued_expiry_on").asc(nulls_first=True), "serial").values("pk")[:limit]
    wanted = others.filter(Q(pk__in=soonest) | Q(serial__in=list(among)))
    return list(wanted.order_by(F("issued_expiry_on").asc(nulls_first=True), "serial"))


def stated_licences(code: UnlockCode) -> Sequence[tuple[Product, int]]:
    """The products that a code states, each with all its seats on the dongle together."""
    products = Product.objects.select_related("family").in_bulk(
        [number for number, _ in code.licences], field_name="number"
    )
    return [(products[number], seats) for number, seats in code.licences]


def with_waiting_code(dongles: QuerySet[Dongle]) -> QuerySet[Dongle]:
    """The dongles, each with `waiting_code`: the id of its newest code where that is not known to be applied yet."""
    newest = UnlockCode.objects.filter(dongle=OuterRef("pk")).order_by("-pk")
    waiting = Case(When(receipt__isnull=True, then=F("pk")), output_field=BigIntegerField())
    return dongles.annotate(waiting_code=Subquery(newest.values(waiting=waiting)[:1]))


class CodeStanding(NamedTuple):
    """How a code stands among those of its dongle.

    `newest` is the dongle's newest code, `applied_later` a later one than this that is known to be applied: the dongle
    then refuses this one as superseded. `included` are the codes before it, since the last that is known to be applied,
    which need not be applied any more: each code states everything.
    """

    newest: UnlockCode
    applied_later: UnlockCode | None
    included: Sequence[UnlockCode]


def standing_of_code(code: UnlockCode) -> CodeStanding:
    """How a code stands among those of its dongle."""
    codes = list(code.dongle.codes.select_related("receipt").defer("letters", "licences").order_by("-pk"))
    is_applied = [hasattr(each, "receipt") for each in codes]
    later = (each for each, applied in zip(codes, is_applied, strict=True) if applied and each.pk > code.pk)
    last_applied = max((each.pk for each, applied in zip(codes, is_applied, strict=True) if applied), default=0)
    return CodeStanding(
        codes[0], next(later, None), [each for each in reversed(codes) if last_applied < each.pk < code.pk]
    )


def product_names() -> list[tuple[int, str]]:
    """Product numbers, as codes state them, with their names."""
    return list(Product.objects.order_by("number").values_list("number", "name"))
