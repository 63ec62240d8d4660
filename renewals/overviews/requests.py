"""What the pages of requests for a quote show."""

from typing import Any

from django.db.models import QuerySet

from portal.trail import history_of
from renewals.models import RenewalRequest
from renewals.states import RequestState


def requests_newest_first() -> QuerySet[RenewalRequest]:
    return RenewalRequest.objects.select_related("dongle__customer__owner", "quote", "recorded_by").order_by("-pk")


def request_overview(request: RenewalRequest) -> dict[str, Any]:
    """A request's page. A quote goes only to contacts on file (Q5), so it says whether who asks is one."""
    customer = request.dongle.customer if request.dongle else None
    contacts = list(customer.reachable_contacts()) if customer else []
    return {
        "asked": request,
        "customer": customer,
        "contacts": contacts,
        "is_on_file": any(contact.email.lower() == request.email.lower() for contact in contacts),
        "is_open": request.state == RequestState.OPEN,
        "history": history_of(request),
    }
