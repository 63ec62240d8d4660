"""Contacts of several organisations go from one to the other, and to no third."""

from django.urls import reverse

from portal.models import AuditEvent, User
from tests import world
from tests.web.mailed_codes import HOME


def test_who_is_on_file_with_several_goes_from_one_to_the_other(owner, dongle):
    assert "organisation-switch" not in owner.get(HOME).content.decode()
    other = world.make_customer("Another institute")
    other.contacts.update(email=dongle.customer.contacts.get().email)
    page = owner.get(HOME).content.decode()
    assert f'<option value="{dongle.customer_id}" selected>' in page
    assert dongle.serial in page
    switch = reverse("renewals:choose_organisation")
    assert owner.post(switch, {"organisation": other.pk}).url == HOME
    assert dongle.serial not in owner.get(HOME).content.decode()
    user = User.objects.get()
    assert user.customer == other
    page = owner.get("/my/account/passkeys/add/").content.decode()
    assert f'<option value="{other.pk}" selected>' in page
    event = AuditEvent.objects.get(action="choose_organisation")
    assert (event.before, event.after) == ({"customer": dongle.customer_id}, {"customer": other.pk})
    owner.post(switch, {"organisation": other.pk})
    assert AuditEvent.objects.filter(action="choose_organisation").count() == 1


def test_nobody_goes_over_to_an_organisation_that_has_them_not_on_file(owner, dongle):
    foreign = world.make_customer("Somebody else")
    answers = [
        owner.post(reverse("renewals:choose_organisation"), {"organisation": asked})
        for asked in (foreign.pk, 987_654, "", "x", "9" * 30)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert User.objects.get().customer == dongle.customer
    assert not AuditEvent.objects.filter(action="choose_organisation").exists()
