from django.apps import AppConfig
from django.contrib.admin import apps as admin


class PortalConfig(AppConfig):
    name = "portal"


class BackOfficeConfig(admin.AdminConfig):
    """Django's admin as the back office."""

    default = False  # named in the settings; `portal` alone means the app above
    default_site = "portal.back_office.BackOffice"
