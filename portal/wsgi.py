import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - Django is set up only now

from portal.outbox import start_dispatcher  # noqa: E402 - its models need Django

if settings.OUTBOX_DISPATCH == "thread":
    start_dispatcher()  # takes up what the process before this one left
