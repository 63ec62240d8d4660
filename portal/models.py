"""Who and how: customers, their contacts, users, the audit trail, the outbox, the mail that left, and long work."""

import uuid
from typing import Any, ClassVar

from babel import Locale, UnknownLocaleError
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Collate, Lower, Upper
from django.db.models.lookups import Exact

from portal import wording
from portal.spelling import folded_address

ADDRESS_LINES, ADDRESS_LETTERS = 7, 400


def check_locale(name: str) -> None:
    """Refuse what Babel does not know as a locale."""
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        raise ValidationError("Write a locale like en_GB or de_DE.") from None


def check_country(code: str) -> None:
    """Refuse what is no country's code by ISO 3166-1."""
    if code not in wording.countries():
        raise ValidationError("Write a country’s two letters, like DE or GB.")


def check_currency(code: str) -> None:
    """Refuse what is no currency's code by ISO 4217."""
    try:
        wording.currency_exponent(code)
    except ValueError:
        raise ValidationError("Write a currency’s three letters, like EUR or USD.") from None


def check_address(text: str) -> None:
    """Refuse what would not fit where an address is printed."""
    if len(text) > ADDRESS_LETTERS or text.count("\n") >= ADDRESS_LINES:
        raise ValidationError(f"Write {ADDRESS_LINES} lines and {ADDRESS_LETTERS} letters at most.")


def trigrams_of(field: str, name: str) -> GinIndex:
    """An index for parts of a text, whatever the case. It is kept up at once: searches are many and changes few."""
    return GinIndex(OpClass(Upper(field), name="gin_trgm_ops"), name=name, fastupdate=False)


class Customer(models.Model):
    """An organisation that owns dongles. Segment and currency choose the price list, country and tax status the tax."""

    class Segment(models.TextChoices):
        COMMERCIAL = "commercial", "Commercial"
        ACADEMIC = "academic", "Academic"

    class TaxStatus(models.TextChoices):
        STANDARD = "standard", "Standard"
        REVERSE_CHARGE = "reverse_charge", "Reverse charge"
        EXEMPT = "exempt", "Exempt"

    class FulfilOn(models.TextChoices):
        ACCEPTANCE = "acceptance", "On acceptance with a purchase order number"
        PAYMENT = "payment", "On payment"

    name = models.CharField(max_length=200)
    segment = models.CharField(max_length=20, choices=Segment, default=Segment.COMMERCIAL)
    country = models.CharField(max_length=2, validators=[check_country], help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3, validators=[check_currency], help_text="ISO 4217")
    tax_status = models.CharField(max_length=20, choices=TaxStatus, default=TaxStatus.STANDARD)
    fulfil_on = models.CharField(max_length=20, choices=FulfilOn, default=FulfilOn.ACCEPTANCE)
    locale = models.CharField(
        max_length=20,
        default="en_GB",
        validators=[check_locale],
        help_text="How documents write dates and amounts: en_GB, en_US, de_DE, fr_FR, ja_JP …",
    )
    owner = models.ForeignKey(
        "User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="customers_owned",
        limit_choices_to=~models.Q(role="customer"),
        help_text="Who of the vendor's staff looks after this customer",
    )
    postal_address = models.TextField(blank=True, validators=[check_address])
    invoice_address = models.TextField(blank=True, validators=[check_address])
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_here"
    )

    class Meta:
        indexes = (
            trigrams_of("name", "customer_name_trigrams"),
            models.Index(OpClass(Upper("name"), name="text_pattern_ops"), name="customer_name_beginnings"),
        )

    def __str__(self) -> str:
        return self.name

    def reachable_contacts(self) -> "models.QuerySet[Contact]":
        """The contacts to whom mail may go: with an address, and not left (Q5). In the order in which they came."""
        return self.contacts.filter(left_on__isnull=True).exclude(email="").order_by("pk")


def has_address(email: str) -> Exact:
    """The condition that a row has this e-mail address, in capital or small letters of ASCII.

    `iexact` would take other letters for them: whoever owns a domain with a dotless i would be let in as another.
    """
    return Exact(Lower(Collate("email", "C")), folded_address(email))


class Contact(models.Model):
    """A person at a customer's to whom quotes and codes may go. Who has left keeps the row and gets no mail.

    `reminders_stopped_at` is when they asked to get no reminders of SMAs; `reminders_key` opens the page to say so.
    An address may be missing: spreadsheets bring such contacts, and the page of data quality lists them.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    left_on = models.DateField(null=True, blank=True)
    reminders_stopped_at = models.DateTimeField(null=True, editable=False)
    reminders_key = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "customer", Lower("email"), condition=~models.Q(email=""), name="contact_once_per_customer"
            ),
        )
        indexes = (trigrams_of("email", "contact_email_trigrams"), trigrams_of("name", "contact_name_trigrams"))

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields.setdefault("role", User.Role.ADMINISTRATOR)
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who logs in. The role says what for (portal/access.py)."""

    class Role(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        SALES = "sales", "Sales"
        FINANCE = "finance", "Finance"
        ADMINISTRATOR = "administrator", "Administrator"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=Role, default=Role.CUSTOMER)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="users")
    is_active = models.BooleanField(default=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="customer_users_have_a_customer",
                condition=~models.Q(role="customer") | models.Q(customer__isnull=False),
                violation_error_message="Say whose user it is: choose the customer.",
            ),
        )

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_vendor_staff(self) -> bool:
        """Whether this is one of the vendor's people rather than a customer's."""
        return self.is_active and self.role != self.Role.CUSTOMER

    @property
    def is_staff(self) -> bool:
        """What Django's admin asks: who may enter the back office. There the role decides, not single permissions."""
        return self.is_active and self.role == self.Role.ADMINISTRATOR

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_staff or super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff or super().has_module_perms(app_label)


class AuditEvent(models.Model):
    """Who did what to which object when, with what it was before and after. It only grows (database trigger).

    A change of state is recorded here too: `before` and `after` then hold the `state`, so that this is the history
    of a quote or an order as well.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_by_subject"),
            models.Index(fields=["at", "id"], name="audit_by_moment"),
            models.Index(fields=["actor_name", "at", "id"], name="audit_by_actor"),
            models.Index(fields=["action", "at", "id"], name="audit_by_action"),
            GinIndex(
                OpClass(Upper("reason"), name="gin_trgm_ops"),
                name="audit_reason_trigrams",
                condition=~models.Q(reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name}: {self.action} {self.subject_kind} {self.subject_id}"


class AuditLink(models.Model):
    """An event's place in the chain of hashes (portal/audit_chain.py). It only grows (database trigger).

    Without a foreign key in the database: the chain has to outlive an event that somebody removes in spite of all.
    """

    position = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="link", db_constraint=False)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.position}: {self.hash}"


class UnsealedEvent(models.Model):
    """An event that waits for its link; a database trigger writes it with the event, sealing takes it away."""

    event = models.OneToOneField(
        AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="unsealed", db_constraint=False
    )
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"event {self.event_id}"


class OutboxMessage(models.Model):
    """Work that must not be lost, written in the transaction of its cause (portal/outbox.py)."""

    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["due_at"], name="outbox_open", condition=models.Q(done_at__isnull=True)),
            GinIndex(OpClass("payload", name="jsonb_path_ops"), name="outbox_by_payload"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SentMail(models.Model):
    """A mail that left, once per outbox message, whatever is retried."""

    message = models.OneToOneField(OutboxMessage, on_delete=models.PROTECT, related_name="mail")
    recipients = models.JSONField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    attachments = models.JSONField(default=list, help_text="Name and SHA-256 of each file that went with it")
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.subject


class Job(models.Model):
    """Long work that is done in slices (portal/jobs.py): what was asked, how far it is, and what came of it.

    `done` of `total` are counted in `unit`; `checkpoint` is where the next slice goes on. `began_at` and `began_from`
    are when and from where it last went on, by which the time that is left is estimated.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Refused"

    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    params = models.JSONField(default=dict)
    unit = models.CharField(max_length=20, default="row")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    checkpoint = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    began_at = models.DateTimeField(null=True)
    began_from = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal = models.TextField(blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done without anybody asking again."""
        return self.state in (self.State.WAITING, self.State.RUNNING)


class JobFile(models.Model):
    """A piece of a file that a job was given or makes; in the database, so that a slice adds to it or does not."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["job", "name", "number"], name="piece_of_a_file_once"),)

    def __str__(self) -> str:
        return f"{self.name}, piece {self.number}"
