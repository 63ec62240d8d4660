"""The Celery application: `celery --app portal.celery worker` and `celery --app portal.celery beat`.

The rows of the outbox are the record of the work (portal/outbox.py), so the broker may lose or double anything. What
matters here is that an unreachable broker never holds up a request, and that a worker takes no more than it does.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    broker_transport_options={
        "socket_connect_timeout": 1,
        "socket_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
    },
    task_publish_retry=False,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    task_time_limit=900,  # seconds: a slice that writes a whole import takes minutes on a slow machine
)
app.autodiscover_tasks(["portal", "renewals"])
