"""What the lists behind the figures of renewals are asked for, as it stands in their address."""

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from portal import wording
from renewals.forms.finance import ReportForm
from renewals.models import DueFigures
from renewals.overviews.finance.due_list import OUTCOMES
from renewals.overviews.finance.filters import REPORTING


class DueForm(ReportForm):
    """The filters of a report, and what came of a dongle that was due. Each stands in the currency of its own values:
    where a report was converted, all of them are asked for.
    """

    outcome = forms.ChoiceField(
        label="What came of it",
        required=False,
        choices=[("", "Anything"), *((each.value, words) for each, words in OUTCOMES.items())],
        error_messages={"invalid_choice": "“%(value)s” is nothing that comes of a renewal; it was left out."},
    )

    def __init__(self, data: QueryDict, *, today: date) -> None:
        asked = data.copy()
        if asked.get("currency") == REPORTING:
            asked["currency"] = ""
        super().__init__(asked, today=today)
        due = DueFigures.objects.filter(family=None, product=None).order_by()
        for name, told in (("country", wording.country_name), ("currency", str)):
            known = dict(self.fields[name].choices)
            found = due.values_list(name, flat=True).distinct()
            more = {each: told(each) for each in sorted(found) if each not in known}
            first, *others = (choice for choice in self.fields[name].choices if choice[0] != REPORTING)
            self.fields[name].choices = [first, *sorted([*others, *more.items()], key=_by_words)]


class KeptForm(DueForm):
    """The filters of a report for the end of one month, in one currency."""

    outcome = None
    first_month = None

    def __init__(self, data: QueryDict, *, today: date) -> None:
        super().__init__(data, today=today)
        self.fields["last_month"].label = "End of month"
        self.fields["currency"].choices = [choice for choice in self.fields["currency"].choices if choice[0]]

    def _span(self) -> tuple[date, date]:
        last = self.cleaned_data.get("last_month") or self._until
        return last, last

    @property
    def currency_asked(self) -> str:
        """The currency that is asked for, else the first that there is: amounts of two are not compared."""
        self.is_valid()
        offered = [code for code, _ in self.fields["currency"].choices if code]
        return self.cleaned_data.get("currency") or (offered[0] if offered else "")


def _by_words(choice: tuple[Any, Any]) -> str:
    return str(choice[1])
