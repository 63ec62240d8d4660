"""The back office as a whole: Django's admin, ordered by what is kept where instead of by apps."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

# Each admin names its room; who names none only lets look.
ROOMS = {
    "catalogue": (
        "Catalogue",
        "What is sold and what has come out: products with the numbers that codes state, and releases with the build"
        " dates that decide what runs and what was missed.",
    ),
    "prices": ("Prices", "What it costs, per currency and customer segment, and the tax on it: each from a day on."),
    "policy": ("Policy", "What the rulebook leaves to us: how prices are reckoned and how long a quote is good."),
    "people": ("People", "Whom we sell to, and who logs in to do what."),
    "records": (
        "What happened",
        "Who did what, and what came of it: to look at. Nothing here is edited; it changes on the portal's own pages.",
    ),
}
LAST_ROOM = "records"


class BackOffice(AdminSite):
    site_title = site_header = index_title = "Back office"
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The rooms with what they hold, in the shape in which Django's templates read apps."""
        found = super().get_app_list(request, app_label)
        if app_label is not None:
            return found
        models = [model for app in found for model in app["models"]]
        for model in models:
            shown_by = self._registry[model["model"]]
            model["room"] = getattr(shown_by, "room", LAST_ROOM)
            model["says"] = getattr(shown_by, "says", "")
        return [
            {"name": name, "says": says, "models": [model for model in models if model["room"] == room]}
            for room, (name, says) in ROOMS.items()
        ]
