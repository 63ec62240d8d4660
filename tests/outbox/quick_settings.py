"""The portal's settings with a sweep every second, for workers of tests."""

from portal.settings import *  # noqa: F403
from portal.settings import CELERY_BEAT_SCHEDULE as SCHEDULE

CELERY_BEAT_SCHEDULE = {name: {**entry, "schedule": 1.0} for name, entry in SCHEDULE.items()}
