"""What happens to products, releases, price lists and policies."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

from dongles import catalogue
from dongles.models import Product, Release
from renewals.models import PolicySettings, PriceList
from renewals.services import catalogue as terms
from tests import world
from tests.audit.happenings.beginnings import BY, new_dongle


def corrected() -> Callable[[], object]:
    new_dongle()
    release = Release.objects.get()
    return lambda: catalogue.change_release(release=release, build_on=date(2025, 6, 6), is_major=False, **BY)


def kept_product() -> Callable[[], object]:
    world.make_catalogue()
    product = Product.objects.get(code="VOL-NEW")
    product.code, product.name = "VOL-OLD", "Volocity of old"
    return lambda: catalogue.keep_product(product=product, **BY)


def deleted_product() -> Callable[[], object]:
    world.make_catalogue()
    product = Product.objects.get(code="VOL-NEW")
    return lambda: catalogue.delete_product(product=product, **BY)


def published() -> Callable[[], object]:
    world.make_catalogue()
    release = catalogue.unpublish_release(release=world.make_release("6.0", "2025-05-05"), **BY)
    return lambda: catalogue.publish_release(release=release, **BY)


def unpublished() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    return lambda: catalogue.unpublish_release(release=release, **BY)


def deleted_release() -> Callable[[], object]:
    world.make_catalogue()
    release = catalogue.unpublish_release(release=world.make_release("6.0", "2025-05-05"), **BY)
    return lambda: catalogue.delete_release(release=release, **BY)


def kept_prices() -> Callable[[], object]:
    world.make_catalogue()
    price_list = PriceList.objects.get()
    price_list.name = "EUR of old"
    prices = {product: each._replace(licence=900_000) for product, each in terms.prices_of(price_list).items()}
    return lambda: terms.keep_price_list(price_list=price_list, prices=prices, **BY)


def copied_prices() -> Callable[[], object]:
    world.make_catalogue()
    asked = {"name": "EUR 2027", "valid_from": date(2027, 1, 1), "raise_by": Fraction(3, 100)}
    price_list = PriceList.objects.get()
    return lambda: terms.copy_price_list(price_list=price_list, **asked, **BY)


def deleted_prices() -> Callable[[], object]:
    world.make_catalogue()
    price_list = PriceList.objects.get()
    return lambda: terms.delete_price_list(price_list=price_list, **BY)


def kept_policy() -> Callable[[], object]:
    world.make_catalogue()
    policy = PolicySettings.objects.get()
    policy.grace_days, policy.multi_year_discount = 14, {"3": "0.05"}
    return lambda: terms.keep_policy(policy=policy, **BY)


def deleted_policy() -> Callable[[], object]:
    world.make_catalogue()
    policy = PolicySettings.objects.get()
    return lambda: terms.delete_policy(policy=policy, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    catalogue.change_release: corrected,
    catalogue.keep_product: kept_product,
    catalogue.delete_product: deleted_product,
    catalogue.publish_release: published,
    catalogue.unpublish_release: unpublished,
    catalogue.delete_release: deleted_release,
    terms.keep_price_list: kept_prices,
    terms.copy_price_list: copied_prices,
    terms.delete_price_list: deleted_prices,
    terms.keep_policy: kept_policy,
    terms.delete_policy: deleted_policy,
}
