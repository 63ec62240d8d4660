from django.apps import AppConfig


class DonglesConfig(AppConfig):
    name = "dongles"
