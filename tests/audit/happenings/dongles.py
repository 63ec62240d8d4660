"""What happens to dongles and to the files of releases."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from dongles import downloads
from dongles import services as dongle_services
from dongles.models import Dongle, Release
from dongles.unlock import receipt_of
from renewals.services import replacements
from tests import world
from tests.audit.happenings.beginnings import BY, DAY, new_dongle


def received() -> Callable[[], object]:
    world.sell(new_dongle(), DAY)
    dongle = Dongle.objects.get()
    code = dongle.codes.get()
    shown = receipt_of(dongle.serial, code.generation, code.sequence, code.expiry_on)
    return lambda: dongle_services.confirm_receipt(dongle=dongle, receipt=shown, **BY)


def withdrawn() -> Callable[[], object]:
    licence = new_dongle().licences.first()
    return lambda: dongle_services.withdraw_licence(licence=licence, reason="Not used", **BY)


def locked_releases() -> Callable[[], object]:
    new_dongle()
    return lambda: dongle_services.mark_releases_sold_against(families=["Volocity"], **BY)


def lost() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: dongle_services.lose_dongle(dongle=dongle, reason="Left on a train", **BY)


def found_again() -> Callable[[], object]:
    dongle = dongle_services.lose_dongle(dongle=new_dongle(), reason="Left on a train", **BY)
    return lambda: dongle_services.find_dongle_again(dongle=dongle, reason="It came by mail", **BY)


def replaced() -> Callable[[], object]:
    dongle = new_dongle()
    asked = {"serial": "204233", "cause": "broken", "reason": "Its plug broke off"}
    return lambda: replacements.replace_dongle(dongle=dongle, **asked, **BY)


def handed_on() -> Callable[[], object]:
    dongle, customer = new_dongle(), world.make_customer("Another Institute")
    return lambda: replacements.transfer_dongle(dongle=dongle, customer=customer, reason="Sold", **BY)


def shelved() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    about = {"platform": "Windows", "name": "setup.exe", "content": BytesIO(b"a build")}
    return lambda: downloads.add_release_file(release=release, **about, **BY)


def taken_off() -> Callable[[], object]:
    world.make_catalogue()
    release = world.make_release("6.0", "2025-05-05")
    file = world.make_release_file(release)
    Release.objects.update(is_published=False)
    return lambda: downloads.remove_release_file(file=file, **BY)


def downloaded() -> Callable[[], object]:
    customer = new_dongle().customer
    file = world.make_release_file(Release.objects.get())
    return lambda: downloads.note_download(file=file, customer=customer, **BY)


def new_addresses() -> Callable[[], object]:
    dongle = new_dongle()
    return lambda: downloads.renew_feed_addresses(dongle=dongle, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    dongle_services.confirm_receipt: received,
    dongle_services.withdraw_licence: withdrawn,
    dongle_services.lose_dongle: lost,
    dongle_services.find_dongle_again: found_again,
    replacements.replace_dongle: replaced,
    replacements.transfer_dongle: handed_on,
    dongle_services.mark_releases_sold_against: locked_releases,
    downloads.add_release_file: shelved,
    downloads.remove_release_file: taken_off,
    downloads.note_download: downloaded,
    downloads.renew_feed_addresses: new_addresses,
}
