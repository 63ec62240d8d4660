"""What happens to customers, contacts, logins and users."""

from collections.abc import Callable
from typing import Any

from portal.services import customers, logins, users
from renewals.models import Resemblance
from renewals.services import customers as doubles
from tests import world
from tests.audit.happenings.beginnings import BY, DAY


def new_customer() -> Callable[[], object]:
    details = customers.CustomerDetails("Institute of Cells", "DE", "EUR")
    return lambda: customers.create_customer(details=details, **BY)


def changed_customer() -> Callable[[], object]:
    customer = world.make_customer()
    details = customers.CustomerDetails.of(customer)._replace(name="Institute of Life", fulfil_on="payment")
    return lambda: customers.change_customer(customer=customer, details=details, **BY)


def new_contact() -> Callable[[], object]:
    customer = world.make_customer()
    return lambda: customers.add_contact(customer=customer, name="Bo", email="bo@cells.example", **BY)


def contact() -> Any:
    return world.make_customer().contacts.get()


def changed_contact() -> Callable[[], object]:
    ada = contact()
    return lambda: customers.change_contact(contact=ada, name="Ada Lenz-Abel", email="abel@cells.example", **BY)


def left() -> Callable[[], object]:
    ada = contact()
    return lambda: customers.contact_left(contact=ada, **BY)


def back() -> Callable[[], object]:
    ada = customers.contact_left(contact=contact(), **BY)
    return lambda: customers.contact_came_back(contact=ada, **BY)


def moved() -> Callable[[], object]:
    customer = world.make_customer(postal_address="Old Road 1")
    addresses = customers.Addresses("New Road 2", "Paid here")
    return lambda: customers.change_addresses(customer=customer, addresses=addresses, **BY)


def first_login() -> Callable[[], object]:
    ada = contact()
    return lambda: logins.open_account(email=ada.email, **BY)


def customers_user() -> Any:
    ada = contact()
    return world.make_user("customer", ada.email, customer=ada.customer)


def chosen() -> Callable[[], object]:
    user, other = customers_user(), world.make_customer("Another institute")
    return lambda: logins.choose_organisation(user=user, customer=other, **BY)


def with_passkey() -> Callable[[], object]:
    user = customers_user()
    return lambda: logins.add_passkey(user=user, name="Laptop", credential={}, **BY)


def without_passkey() -> Callable[[], object]:
    passkey = logins.add_passkey(user=customers_user(), name="Laptop", credential={}, **BY)
    return lambda: logins.remove_passkey(passkey=passkey, **BY)


def new_user() -> Callable[[], object]:
    account = users.Account("sam@vendor.example", "Sam", "sales")
    return lambda: users.create_user(account=account, **BY)


def changed_user() -> Callable[[], object]:
    user = world.make_user()
    account = users.Account(user.email, "Samuel", "finance", is_active=False)
    return lambda: users.change_user(user=user, account=account, **BY)


def two_spellings() -> list[Any]:
    """Two customers, the second with a dongle, a quote, an order and a login."""
    world.make_catalogue()
    kept, merged = world.make_customer(), world.make_customer("Institut of Cells")
    world.sell(world.make_dongle(customer=merged), DAY)
    world.make_user("customer", customer=merged)
    return [kept, merged]


def merged() -> Callable[[], object]:
    kept, other = two_spellings()
    return lambda: doubles.merge_customers(kept=kept, merged=other, **BY)


def taken_apart() -> Callable[[], object]:
    kept, other = two_spellings()
    merge = doubles.merge_customers(kept=kept, merged=other, **BY)
    return lambda: doubles.undo_merge(merge=merge, **BY)


def dismissed() -> Callable[[], object]:
    kept, other = two_spellings()
    pair = Resemblance.objects.create(one=kept, other=other, likeness=95, found_at=BY["at"])
    return lambda: doubles.dismiss_resemblance(resemblance=pair, **BY)


def without_second_factor() -> Callable[[], object]:
    user = world.make_user()
    return lambda: users.remove_second_factors(user=user, **BY)


def unlocked() -> Callable[[], object]:
    user = world.make_user()
    return lambda: users.unlock_login(user=user, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    users.remove_second_factors: without_second_factor,
    users.unlock_login: unlocked,
    customers.create_customer: new_customer,
    customers.change_customer: changed_customer,
    customers.add_contact: new_contact,
    customers.change_contact: changed_contact,
    customers.contact_left: left,
    customers.contact_came_back: back,
    customers.change_addresses: moved,
    logins.open_account: first_login,
    logins.choose_organisation: chosen,
    logins.add_passkey: with_passkey,
    logins.remove_passkey: without_passkey,
    users.create_user: new_user,
    users.change_user: changed_user,
    doubles.merge_customers: merged,
    doubles.undo_merge: taken_apart,
    doubles.dismiss_resemblance: dismissed,
}
