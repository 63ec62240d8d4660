"""Who buys and who works in the demo. All names are invented; all addresses end in `.example`."""

from collections.abc import Mapping
from typing import NamedTuple

from portal.models import Contact, Customer, User
from portal.second_factor import give_demo_factor

DEMO_PASSWORD = "demo-dongle-2000"  # noqa: S105 - published, and refused in production
CUSTOMER_TO_TRY, ALSO_THEIRS = "Sierra Blanca Biotech SL", "Instituto de Microscopía del Valle"
OF_TRIED = "@sierrablanca.example"


class Login(NamedTuple):
    """A demo user; the password is DEMO_PASSWORD."""

    email: str
    name: str
    role: str
    password: str = DEMO_PASSWORD


def logins() -> tuple[Login, ...]:
    """The demo's users: sales by region, two who may approve more than sales, and finance."""
    return (
        Login("sales@vendor.example", "Sam Sales", User.Role.SALES),
        Login("lead@vendor.example", "Lea Lead", User.Role.ADMINISTRATOR),
        Login("east@vendor.example", "Erin East", User.Role.SALES),
        Login("west@vendor.example", "Wes West", User.Role.SALES),
        Login("finance@vendor.example", "Finn Finance", User.Role.FINANCE),
        Login("admin@vendor.example", "Ada Admin", User.Role.ADMINISTRATOR),
    )


def customers_login() -> str:
    """The address by which somebody logs in as a customer, one with several dongles; empty without the demo."""
    contacts = Contact.objects.filter(customer__name=CUSTOMER_TO_TRY, left_on__isnull=True).exclude(email="")
    return str(contacts.order_by("pk").values_list("email", flat=True).first() or "")


def login_of_two() -> str:
    """The address of the one contact of the demo who is on file at two organisations; empty without the demo."""
    at_both = Contact.objects.filter(customer__name=ALSO_THEIRS, left_on__isnull=True, email__endswith=OF_TRIED)
    return str(at_both.values_list("email", flat=True).first() or "")


class DemoCustomer(NamedTuple):
    """An invented customer; `domain` is where its contacts have their addresses."""

    name: str
    domain: str
    country: str
    currency: str
    segment: str = "commercial"
    tax_status: str = "standard"
    fulfil_on: str = "acceptance"
    contacts: int = 2


ACADEMIC, REVERSE, EXEMPT, PAYMENT = "academic", "reverse_charge", "exempt", "payment"

CUSTOMERS = (
    DemoCustomer("Lindenfeld Bioimaging GmbH", "lindenfeld", "DE", "EUR"),
    DemoCustomer("Institute for Living Cells, Ahornstadt", "ahornstadt-cells", "DE", "EUR", ACADEMIC),
    DemoCustomer("Brackwater Microscopy Ltd", "brackwater", "GB", "GBP"),
    DemoCustomer("Fenbridge Centre for Cell Motion", "fenbridge-cells", "GB", "GBP", ACADEMIC),
    DemoCustomer("Cedar Hollow Therapeutics Inc.", "cedarhollow", "US", "USD", "commercial", EXEMPT),
    DemoCustomer("Prairie Lakes Imaging Core", "prairielakes", "US", "USD", ACADEMIC, EXEMPT),
    DemoCustomer("Aoba Optical Research", "aoba-optical", "JP", "JPY"),
    DemoCustomer("Minami Bay Life Science Laboratory", "minamibay", "JP", "JPY", ACADEMIC),
    DemoCustomer("Clairvaux Imagerie SAS", "clairvaux-imagerie", "FR", "EUR", "commercial", REVERSE),
    DemoCustomer("Laboratoire des Membranes, Valmont", "valmont-membranes", "FR", "EUR", ACADEMIC, EXEMPT),
    DemoCustomer("Duinrand Diagnostics BV", "duinrand", "NL", "EUR", "commercial", REVERSE),
    DemoCustomer("Polderwijk Neuroscience", "polderwijk", "NL", "EUR", ACADEMIC, REVERSE),
    DemoCustomer("Sierra Blanca Biotech SL", "sierrablanca", "ES", "EUR", "commercial", REVERSE),
    DemoCustomer("Instituto de Microscopía del Valle", "microscopia-valle", "ES", "EUR", ACADEMIC),
    DemoCustomer("Valdoro Farmaceutici SpA", "valdoro", "IT", "EUR", "commercial", REVERSE, PAYMENT),
    DemoCustomer("Centro Cellule Montefosco", "montefosco", "IT", "EUR", ACADEMIC),
    DemoCustomer("Havukoski Imaging Oy", "havukoski", "FI", "EUR", "commercial", REVERSE),
    DemoCustomer("Almtal Mikroskopie GmbH", "almtal", "AT", "EUR", "commercial", REVERSE),
    DemoCustomer("Seeblick Zellforschung AG", "seeblick", "CH", "EUR", "commercial", EXEMPT),
    DemoCustomer("Ballinvara Cell Sciences", "ballinvara", "IE", "EUR", ACADEMIC),
    DemoCustomer("Zuidermeer Imaging NV", "zuidermeer", "BE", "EUR", "commercial", REVERSE),
    DemoCustomer("Thornley Developmental Biology Unit", "thornley-dbu", "GB", "GBP", ACADEMIC),
    DemoCustomer("Marrowdale Contract Research", "marrowdale", "GB", "GBP"),
    DemoCustomer("Redstone Mesa Oncology", "redstonemesa", "US", "USD", "commercial", EXEMPT),
    DemoCustomer("Harbor Point Confocal Services", "harborpoint", "US", "USD", "commercial", EXEMPT, PAYMENT),
    DemoCustomer("Juniper State Imaging Facility", "juniperstate", "US", "USD", ACADEMIC, EXEMPT),
    DemoCustomer("Kitagawa Seimitsu KK", "kitagawa", "JP", "JPY"),
    DemoCustomer("Hoshino Institute of Embryology", "hoshino", "JP", "JPY", ACADEMIC),
    DemoCustomer("Rabenstein Pharma AG", "rabenstein", "DE", "EUR"),
    DemoCustomer("Klinikum Auenwald, Live Imaging", "auenwald", "DE", "EUR", ACADEMIC, EXEMPT),
    DemoCustomer("Nordhafen Optik GmbH", "nordhafen", "DE", "EUR"),
    DemoCustomer("Wexmoor Plant Cell Laboratory", "wexmoor", "GB", "GBP", ACADEMIC),
    DemoCustomer("Silverbeck Screening Ltd", "silverbeck", "GB", "GBP", "commercial", "standard", PAYMENT),
    DemoCustomer("Larkspur Genomics Inc.", "larkspur", "US", "USD", "commercial", EXEMPT),
    DemoCustomer("Université de Roquebelle, Plateforme d'imagerie", "roquebelle", "FR", "EUR", ACADEMIC),
    DemoCustomer("Institut Cellulaire d'Orvanne", "orvanne", "FR", "EUR", ACADEMIC),
    DemoCustomer("Grafenau Sensorik GmbH", "grafenau", "AT", "EUR", "commercial", REVERSE),
    DemoCustomer("Tuulikallio University Microscopy", "tuulikallio", "FI", "EUR", ACADEMIC),
    DemoCustomer("Stonewick Veterinary Imaging", "stonewick", "IE", "EUR", "commercial", REVERSE),
    DemoCustomer("Quiet Harbour Optics (nobody to write to)", "quietharbour", "GB", "GBP", contacts=0),
)
WITHOUT_CONTACTS = len(CUSTOMERS) - 1

# By country who of the vendor's people looks after its customers, nobody for some, and how its documents write amounts.
DESKS = {
    "GB": ("sales", "en_GB"), "IE": ("sales", "en_IE"), "DE": ("sales", "de_DE"), "AT": ("east", "de_AT"),
    "CH": ("east", "de_CH"), "IT": ("east", "it_IT"), "FI": ("", "fi_FI"), "FR": ("east", "fr_FR"),
    "NL": ("east", "nl_NL"), "BE": ("east", "nl_BE"), "ES": ("east", "es_ES"), "US": ("west", "en_US"),
    "JP": ("west", "ja_JP"),
}  # fmt: skip

GIVEN_NAMES = ("Mara", "Jonas", "Ines", "Tomas", "Yuki", "Priya", "Oskar", "Leila", "Hugo", "Nora", "Emil", "Aiko")
FAMILY_NAMES = ("Brandt", "Okada", "Ferrer", "Lindqvist", "Moreau", "Ashdown", "Virtanen", "Castell", "Novak", "Hale")


def invented_person(number: int) -> str:
    """A name of two invented parts."""
    return f"{GIVEN_NAMES[number % len(GIVEN_NAMES)]} {FAMILY_NAMES[number * 7 % len(FAMILY_NAMES)]}"


def kind_of(number: int) -> DemoCustomer:
    """The customer of the list that the one of a number is, or is made after where it is behind the list."""
    return CUSTOMERS[number if number < len(CUSTOMERS) else number % WITHOUT_CONTACTS]


def demo_customers(count: int) -> list[DemoCustomer]:
    """The customers of the list, and behind them as many numbered ones as it takes."""
    more = (
        kind_of(number)._replace(
            name=f"Invented Laboratory {number:05d}", domain=f"laboratory-{number:05d}", contacts=1
        )
        for number in range(len(CUSTOMERS), count)
    )
    return [*CUSTOMERS, *more]


def insert_customers(count: int, users: Mapping[str, User]) -> list[Customer]:
    """Write the customers with their contacts, looked after by those users, and return them in order."""
    chosen = demo_customers(count)
    customers = Customer.objects.bulk_create(
        (
            Customer(
                name=each.name,
                segment=each.segment,
                country=each.country,
                currency=each.currency,
                tax_status=each.tax_status,
                fulfil_on=each.fulfil_on,
                locale=DESKS[each.country][1],
                owner=users.get(DESKS[each.country][0]),
            )
            for each in chosen
        ),
        batch_size=2000,
    )
    contacts: list[Contact] = []
    for index, (each, customer) in enumerate(zip(chosen, customers, strict=True)):
        for place in range(each.contacts):
            person = invented_person(index * 3 + place)
            email = f"{person.lower().replace(' ', '.')}@{each.domain}.example"
            contacts.append(Contact(customer=customer, name=person, email=email))
    # The last contact of the customer to try also looks after another: who logs in so switches between the two.
    both = next(contact for contact in reversed(contacts) if contact.email.endswith(OF_TRIED))
    also = next(customer for customer in customers if customer.name == ALSO_THEIRS)
    contacts.append(Contact(customer=also, name=both.name, email=both.email))
    Contact.objects.bulk_create(contacts, batch_size=2000)
    return customers


def insert_users() -> dict[str, User]:
    """Write the demo's users with the second factor that everybody has; by the part of their address before the @."""
    users = {
        login.email.split("@")[0]: User.objects.create_user(
            login.email, login.password, name=login.name, role=login.role
        )
        for login in logins()
    }
    give_demo_factor(users.values())
    return users
