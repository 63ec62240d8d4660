"""All settings, from the environment.

Development needs no variable. Production (`PORTAL_ENV=production`) refuses to start without:
  PORTAL_SECRET_KEY      at least 50 characters, not the demo's
  PORTAL_HOSTS           host names, separated by commas
  DATABASE_URL           postgres://…
  REDIS_URL              redis://…
  EMAIL_URL              smtp://user:password@host:port, or smtps://…
  PORTAL_SIGNER_SOCKET   the signer's unix socket (python -m dongles.signer)
  PORTAL_UNLOCK_KEYS     the public keys that dongles hold (docs/unlock-code.md)
  PORTAL_FILES_DIR       where uploaded files are kept: outside of whatever a web server serves
  PORTAL_DOWNLOADS_DIR   where the files of releases are kept, which the web server before the portal hands out
  PORTAL_VENDOR_NAME, PORTAL_VENDOR_ADDRESS, PORTAL_VENDOR_EMAIL   who makes the offers, as documents print it
  PORTAL_ADDRESS         https://…, under which customers reach the portal (in documents, QR codes and mails)
Optional anywhere: PORTAL_TIME_ZONE (the vendor's business time zone), PORTAL_FROM_EMAIL, PORTAL_DEBUG,
PORTAL_VENDOR_REGISTRATION, PORTAL_VENDOR_TELEPHONE and PORTAL_VENDOR_TERMS (as documents print them),
PORTAL_VENDOR_TEAM (who answers customers), PORTAL_FORMER_SECRET_KEYS (separated by spaces, the newest first),
PORTAL_REPORTING_CURRENCY (into which reports convert, with rates kept under Finance),
PORTAL_REMINDERS ("off": none go out) and PORTAL_REMINDERS_HOUR (0 to 23, at which they do),
PORTAL_LOCAL_DIR; for the embedded PostgreSQL (portal/embedded/) PORTAL_POSTGRES_BIN and PORTAL_EMBEDDED_DURABLE.
"""

import os
from email.utils import formataddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from portal.wording import currency_exponent

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = Path(os.environ.get("PORTAL_LOCAL_DIR") or BASE_DIR / ".local")
PRODUCTION = os.environ.get("PORTAL_ENV", "development") == "production"
DEBUG = not PRODUCTION and os.environ.get("PORTAL_DEBUG") == "1"

DEMO_FACTOR_SECRET = "DEMODEMODEMODEMODEMODEMODEMODEMO"  # noqa: S105 - the demo's authenticator app, known to everybody too
DEMO_SECRET_KEY = "demo-only-and-refused-in-production-0123456789abcdefghijklmnop"  # noqa: S105 - known to everybody


def required(name: str) -> str:
    """The variable's value; in production it must be set."""
    value = os.environ.get(name, "")
    if PRODUCTION and not value:
        raise ImproperlyConfigured(f"Set {name}: production does not start without it (see portal/settings.py).")
    return value


SECRET_KEY = required("PORTAL_SECRET_KEY") or DEMO_SECRET_KEY
if PRODUCTION and (SECRET_KEY == DEMO_SECRET_KEY or len(SECRET_KEY) < 50):
    raise ImproperlyConfigured("PORTAL_SECRET_KEY must be a secret of its own with at least 50 characters.")
# Former secret keys, the newest first: what they have signed stays good, and links of quotes can be mailed again.
SECRET_KEY_FALLBACKS = os.environ.get("PORTAL_FORMER_SECRET_KEYS", "").split()
ALLOWED_HOSTS = [host for host in required("PORTAL_HOSTS").split(",") if host] or [
    "127.0.0.1",
    "localhost",
    "[::1]",
]

INSTALLED_APPS = [
    "portal.recorded",
    "portal.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "portal",
    "dongles",
    "renewals",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.second_factor.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.web.DomainErrorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.web.frame",
            ],
        },
    }
]

if url := required("DATABASE_URL"):
    DATABASES = {"default": dj_database_url.parse(url, conn_max_age=0)}
    if PRODUCTION:  # for the threads of a web process; elsewhere each thread has its own connection
        DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 8}
else:
    DATABASES = {"default": {"ENGINE": "portal.embedded", "NAME": "sma_portal"}}
# Data lie in memory or on a solid-state disk. At PostgreSQL's default, made for turning disks, its planner goes through
# whole tables where the indexes of the search answer in a fraction of the time. Statements are short: compiling one
# takes seconds where running it takes milliseconds. Reports add up some 100,000 rows: within PostgreSQL's 4 MB they
# would be sorted on disk first.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "options", "-c random_page_cost=1.1 -c jit=off -c work_mem=32MB"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = os.environ.get("PORTAL_TIME_ZONE", "Europe/London")  # the business time zone: every date is read in it

# Into which reports convert on request. No page changes it: it is as firm as the business time zone. Each exchange
# rate says which reporting currency it is for, so a changed setting never takes one for another's.
REPORTING_CURRENCY = os.environ.get("PORTAL_REPORTING_CURRENCY") or "EUR"
try:
    currency_exponent(REPORTING_CURRENCY)
except ValueError:
    raise ImproperlyConfigured(
        f"PORTAL_REPORTING_CURRENCY is {REPORTING_CURRENCY!r}: write the code of a currency, like EUR or USD."
    ) from None

REDIS_URL = required("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
        }
    }
CELERY_BROKER_URL = REDIS_URL or None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep the outbox": {"task": "portal.tasks.sweep_outbox", "schedule": 30.0},
    "forget the files of old jobs": {"task": "portal.tasks.forget_old_job_files", "schedule": 86_400.0},
    "forget sessions that are over": {"task": "portal.tasks.forget_sessions", "schedule": 3600.0},
    "begin the campaign of the month": {"task": "renewals.tasks.begin_scheduled_campaign", "schedule": 3600.0},
    "look for customers entered twice": {
        "task": "portal.tasks.start_daily_job",
        "args": ("double_customers", "Look for customers entered twice", "customer"),
        "schedule": 86_400.0,
    },
    "verify the invariants": {
        "task": "renewals.tasks.verify_invariants",
        "schedule": crontab(minute=30, hour=3),
        "options": {"expires": 3600},
    },
    "seal the audit trail": {"task": "portal.tasks.seal_audit_trail", "schedule": 30.0},
    "work out the figures of renewals": {"task": "renewals.tasks.update_renewal_figures", "schedule": 30.0},
}

# Reminders of SMAs that end: posted at that hour of the business time zone. Every later hour of the day makes up for a
# run that did not happen or was killed; one that has nothing to make up for posts nothing.
REMINDERS = os.environ.get("PORTAL_REMINDERS", "on") != "off"
REMINDERS_HOUR = int(os.environ.get("PORTAL_REMINDERS_HOUR", "7"))
if REMINDERS:
    CELERY_BEAT_SCHEDULE["post reminders"] = {
        "task": "renewals.tasks.post_reminders",
        "schedule": crontab(minute=0, hour=f"{REMINDERS_HOUR}-23"),
        "options": {"expires": 3600},
    }

# How work in the outbox is handed on after a commit: by "celery", by a "thread" of this process, or by nobody.
OUTBOX_DISPATCH = "celery" if REDIS_URL else "thread"
OUTBOX_HANDLERS = {
    "quote_requested": "renewals.tasks.answer_request",
    "quote_sent": "renewals.notices.send_quote",
    "question_asked": "renewals.notices.send_question",
    "code_issued": "renewals.notices.send_codes",
    "dongle_replaced": "renewals.notices.send_replacement",
    "bridge_issued": "renewals.notices.send_bridge",
    "revenue_booked": "renewals.services.summaries.summarise_booked",
    "reminder": "renewals.services.reminders.deliver_reminder",
    "password_reset": "portal.notices.send_password_reset",
    "login_code": "portal.services.logins.deliver_code",
    "passkey_added": "portal.notices.send_passkey_added",
    "contacts_changed": "portal.notices.send_contacts_changed",
    "job": "portal.jobs.run_slice",
    "job_ended": "portal.notices.send_job_ended",
}
# What a dispatcher of this process does beside the outbox, each time; with Celery it is a task of beat.
DISPATCHER_CHORES = ["renewals.services.renewal_figures.update_without_waiting"]
# What does long work (portal/jobs.py), by its kind.
JOB_WORKERS = {
    "campaign": "renewals.tasks.draft_for_campaign",
    "campaign_send": "renewals.tasks.send_for_campaign",
    "double_customers": "renewals.services.customers.look_for_double_customers",
    "audit_export": "portal.exports.write_slice",
    "import_installed_base": "dongles.installed_base.services.work",
    "proof": "renewals.tasks.prove_month",
}

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.access.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody is mailed who has no account here
PASSWORD_RESET_TIMEOUT = 3600  # seconds that a mailed link is good for
ACCOUNT_FORMS = {
    "login": "portal.forms.LoginForm",
    "reauthenticate": "portal.forms.PasswordAgainForm",
    "change_password": "portal.forms.ChangePasswordForm",
    "reset_password": "portal.forms.ResetPasswordForm",
    "reset_password_from_key": "portal.forms.NewPasswordForm",
    "request_login_code": "portal.forms.AskCodeForm",
    "confirm_login_code": "portal.forms.CodeForm",
}
# Customers log in by a code from their mail: eight letters out of 20 or so, five attempts, in the browser that asked.
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
# Failures of passwords and of codes: five within five minutes slow an account down, twenty within a day lock it until
# then or until an administrator unlocks it; ten a minute hold an address (portal/failures.py).
# Codes by mail: 30 an hour for an address, five in a quarter of an hour for an e-mail address.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key,20/1d/key", "request_login_code": "30/h/ip,5/15m/key"}
# Requests for a quote on the public page (renewals/limits.py): from one address, for one serial number whether it is
# on record or not, and with one e-mail address. Who sends more is told when to try again.
REQUEST_LIMITS = {"sender": "20/1h/ip,60/1d/ip", "serial": "5/1h/key,10/1d/key", "email": "10/1h/key,30/1d/key"}
# Staff need a second factor (portal/second_factor.py).
MFA_ADAPTER = "portal.second_factor.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "portal.second_factor.AuthenticateForm",
    "reauthenticate": "portal.second_factor.ReauthenticateForm",
    "authenticate_webauthn": "portal.second_factor.PasskeyForm",
    "reauthenticate_webauthn": "portal.second_factor.PasskeyAgainForm",
    "activate_totp": "portal.second_factor.ActivateForm",
    "add_webauthn": "portal.second_factor.AddPasskeyForm",
    "edit_webauthn": "portal.second_factor.RenamePasskeyForm",
}
MFA_TOTP_ISSUER = "SMA Portal"
MFA_TOTP_TOLERANCE = 1  # the code before and the next one too: clocks differ, and people type
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # accounts are made by the vendor: an address needs no proof
# Behind one reverse proxy (docker/nginx.conf) the client's address is what that says; rate limits count by it.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PRODUCTION else 0

LANGUAGE_CODE = "en-gb"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = LOCAL_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "portal.staticfiles.StaticFiles"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Elsewhere than in production each file is looked for when it is asked for: nobody has to list them all to start.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION

if url := required("EMAIL_URL"):
    parts = urlsplit(url)
    EMAIL_HOST, EMAIL_PORT = parts.hostname, parts.port or (465 if parts.scheme == "smtps" else 587)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(parts.username or ""), unquote(parts.password or "")
    EMAIL_USE_SSL, EMAIL_USE_TLS = parts.scheme == "smtps", parts.scheme == "smtp" and bool(parts.username)
    EMAIL_TIMEOUT = 20
else:
    # Sent mail is recorded by portal/mail.py; the demo shows it on a page of its own and sends nothing.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Uploads are purchase orders of 10 MB at most (renewals/uploads.py); larger ones are cut off as they come in.
FILE_UPLOAD_HANDLERS = [
    "portal.uploading.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILES_DIR = Path(required("PORTAL_FILES_DIR") or LOCAL_DIR / "files")
# The files of releases. In production nginx hands them out, told to by the portal (docker/nginx.conf).
DOWNLOADS_DIR = Path(required("PORTAL_DOWNLOADS_DIR") or LOCAL_DIR / "downloads")
DOWNLOADS_ACCEL = "/protected-downloads/" if PRODUCTION else ""
DOWNLOAD_LINK_SECONDS = 300  # that a link to a file is good for
RENEWAL_TERMS = "renewals.facts.renewal_terms_on"  # says of a day how far an SMA has to be renewed at least
ADDRESS = (required("PORTAL_ADDRESS") or "http://127.0.0.1:8000").rstrip("/")

# Who makes the offers, as documents and mails print it; the demo's vendor is invented.
VENDOR = {
    "name": required("PORTAL_VENDOR_NAME") or "Imaging Vendor Ltd",
    "address": required("PORTAL_VENDOR_ADDRESS") or "1 Example Way, Cambridge CB1 0AA, United Kingdom",
    "email": required("PORTAL_VENDOR_EMAIL") or "sma@vendor.example",
    "registration": os.environ.get("PORTAL_VENDOR_REGISTRATION", "" if PRODUCTION else "VAT GB 000 0000 00 (invented)"),
    "telephone": os.environ.get("PORTAL_VENDOR_TELEPHONE", "" if PRODUCTION else "+44 1632 960100"),  # invented
    "team": os.environ.get("PORTAL_VENDOR_TEAM") or "SMA team",
    "terms": os.environ.get("PORTAL_VENDOR_TERMS")
    or "The Software Maintenance Agreement covers all licences on a dongle through its SMA expiry date. The software"
    " goes on running after that date; builds made later do not run. Payment within 30 days of the invoice.",
}

DEFAULT_FROM_EMAIL = os.environ.get("PORTAL_FROM_EMAIL") or formataddr((VENDOR["name"], VENDOR["email"]))

SIGNER_SOCKET = required("PORTAL_SIGNER_SOCKET")
UNLOCK_KEYS_FILE = required("PORTAL_UNLOCK_KEYS")
SIGNER_LOG = LOCAL_DIR / "signer.log"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["portal.access.IsStaff"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SMA Portal",
    "DESCRIPTION": "Dongles, quotes, orders and unlock codes. Amounts are decimal strings; dates are ISO 8601 days.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "portal.logs.KeylessFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO" if PRODUCTION else "WARNING"},
}
