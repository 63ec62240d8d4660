"""Writes of the catalogue: products with the numbers that codes state, and releases.

Each service is one transaction, or a part of its caller's. What was sold against stays (database triggers).
"""

from datetime import date, datetime

from django.db import transaction
from django.db.models import ProtectedError

from dongles.models import Licence, Product, Release, UnlockCode
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.changes import differing, values_of
from portal.errors import DomainError
from portal.wording import write_day

LEAST_NUMBER, MOST_NUMBER = 1, 65535
KEPT_ONCE_LICENSED = ("code", "family")


@transaction.atomic
def keep_product(*, product: Product, actor: Actor, at: datetime) -> Product:
    """Q9: write a new product, or what has changed of one. Its number is given once and for all.

    By its code and its family's releases licences are judged and quotes compared, so they stay once there is a
    licence. Refuses `product_number_out_of_range`, `product_number_kept`, `product_number_taken`,
    `product_number_stated`, `product_code_taken` and `product_licensed`.
    """
    check_ability(actor, "keep_catalogue")
    before = {}
    if product.pk is not None:
        present = Product.objects.select_for_update().get(pk=product.pk)
        before = values_of(present)
    after = values_of(product)
    if not before:
        _check_new_number(product.number)
    elif product.number != before["number"]:
        raise DomainError(
            "product_number_kept",
            f"Codes state product number {before['number']}: it stays. Make another product for another number.",
            {"field": "number"},
        )
    if Product.objects.filter(code=product.code).exclude(pk=product.pk).exists():
        raise DomainError("product_code_taken", f"Another product has the code {product.code}.", {"field": "code"})
    for name in KEPT_ONCE_LICENSED if before else ():
        if after[name] != before[name] and Licence.objects.filter(product=product).exists():
            raise DomainError(
                "product_licensed",
                f"There are licences of {present.name}, so its code and its family stay. Its name can change.",
                {"field": name},
            )
    product.save()
    was, became = differing(before, values_of(product))
    if became:
        audit.record(actor, at, Deed("change" if before else "create", product, was, became))
    return product


def _check_new_number(number: int) -> None:
    field = {"field": "number"}
    if not LEAST_NUMBER <= number <= MOST_NUMBER:
        raise DomainError(
            "product_number_out_of_range", f"A product's number is from {LEAST_NUMBER} to {MOST_NUMBER:,}.", field
        )
    if taken := Product.objects.filter(number=number).first():
        raise DomainError("product_number_taken", f"Number {number} is that of {taken}.", field)
    if is_stated(number):
        raise DomainError(
            "product_number_stated", f"Codes have stated number {number} for another product: take a new one.", field
        )


def is_stated(number: int) -> bool:
    """Q9: whether any code that left the portal states the product number."""
    codes = UnlockCode.objects.filter(licences__contains=[[number]])  # as number or as seats
    return any(number == stated for licences in codes.values_list("licences", flat=True) for stated, _ in licences)


@transaction.atomic
def delete_product(*, product: Product, actor: Actor, at: datetime) -> None:
    """Q9: delete a product that was never used. Refuses `product_number_stated` and `product_used`."""
    check_ability(actor, "keep_catalogue")
    product = Product.objects.select_for_update().get(pk=product.pk)
    if is_stated(product.number):
        raise DomainError(
            "product_number_stated", f"Codes state number {product.number}, so {product} stays: no other may get it."
        )
    deed = Deed("delete", product, before=values_of(product))
    audit.record(actor, at, deed)
    try:
        product.delete()
    except ProtectedError:
        raise DomainError(
            "product_used",
            f"{product} is on a dongle, in a quote or in a price list, so it stays. Leave it out of the next price"
            " list to sell it no more.",
        ) from None


@transaction.atomic
def change_release(
    *,
    release: Release,
    actor: Actor,
    at: datetime,
    build_on: date | None = None,
    is_major: bool | None = None,
) -> Release:
    """Correct a release's build date or major flag; `release_sold_against` once an order was priced with it."""
    check_ability(actor, "keep_catalogue")
    release = Release.objects.select_for_update().get(pk=release.pk)
    before = {"build_on": str(release.build_on), "is_major": release.is_major}
    release.build_on = build_on or release.build_on
    release.is_major = release.is_major if is_major is None else is_major
    after = {"build_on": str(release.build_on), "is_major": release.is_major}
    was, became = differing(before, after)
    if not became:
        return release
    if release.sold_against_on is not None:
        raise DomainError(
            "release_sold_against",
            f"{release} has been sold against since {write_day(release.sold_against_on)}: its build date and whether"
            " it is a major release can't change any more.",
            {"field": next(iter(became))},
        )
    release.save(update_fields=["build_on", "is_major"])
    audit.record(actor, at, Deed("change", release, was, became))
    return release


@transaction.atomic
def publish_release(*, release: Release, actor: Actor, at: datetime) -> Release:
    """C5: take a draft into what was published: from its build date on it counts. Published again, nothing happens."""
    check_ability(actor, "keep_catalogue")
    return _set_published(release, True, "publish", actor, at)


@transaction.atomic
def unpublish_release(*, release: Release, actor: Actor, at: datetime) -> Release:
    """Make a release a draft again, as if it had not come out; `release_sold_against` once an order counted it.

    Who has downloaded it keeps what they have (S2): this takes back nothing from them.
    """
    check_ability(actor, "keep_catalogue")
    return _set_published(release, False, "unpublish", actor, at)


def _set_published(release: Release, is_published: bool, step: str, actor: Actor, at: datetime) -> Release:
    release = Release.objects.select_for_update(of=("self",)).select_related("family").get(pk=release.pk)
    if release.is_published == is_published:
        return release
    if release.sold_against_on is not None:
        raise DomainError(
            "release_sold_against",
            f"{release} has been sold against since {write_day(release.sold_against_on)}, so it stays published."
            " Bring out a corrected release instead.",
        )
    release.is_published = is_published
    release.save(update_fields=["is_published"])
    audit.record(actor, at, Deed(step, release, {"is_published": not is_published}, {"is_published": is_published}))
    return release


@transaction.atomic
def delete_release(*, release: Release, actor: Actor, at: datetime) -> None:
    """Delete a draft. Refuses `release_sold_against` and `release_published`."""
    check_ability(actor, "keep_catalogue")
    release = Release.objects.select_for_update(of=("self",)).select_related("family").get(pk=release.pk)
    if release.sold_against_on is not None:
        raise DomainError(
            "release_sold_against",
            f"{release} has been sold against since {write_day(release.sold_against_on)}: it stays on record.",
        )
    if release.is_published:
        raise DomainError("release_published", f"{release} is published. Unpublish it first, then delete it.")
    audit.record(actor, at, Deed("delete", release, before=values_of(release)))
    release.delete()
