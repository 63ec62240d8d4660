"""What is typed to close a month or to open it again."""

from django import forms

from renewals.models import MonthReopening

MOST_LETTERS = MonthReopening._meta.get_field("reason").max_length


class CloseForm(forms.Form):
    """Closing can only be taken back by two: it is confirmed."""

    marks_optional = False

    is_confirmed = forms.BooleanField(
        label="I have looked at the checklist and the figures",
        error_messages={"required": "Look at both, and confirm it."},
    )


class ReopeningForm(forms.Form):
    """Why a closed month is to be opened."""

    marks_optional = False

    reason = forms.CharField(
        label="Reason",
        max_length=MOST_LETTERS,
        help_text="The other person decides by it, and it stays with the month.",
    )


class DecisionForm(forms.Form):
    """Whether it is opened; the buttons say it."""

    is_granted = forms.TypedChoiceField(
        choices=(("yes", "Open it"), ("no", "Leave it closed")), coerce=lambda value: value == "yes"
    )


class ProofForm(forms.Form):
    """Which close of the month is to be proven."""

    revision = forms.IntegerField(min_value=1, max_value=32767)
