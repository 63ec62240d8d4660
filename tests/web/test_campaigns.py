"""The pages of campaigns: what one would do, what came of it, sending, and when one begins by itself."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import Job, User
from renewals.models import Campaign, CampaignSchedule, QuoteVersion
from tests import world
from tests.jobs.workers import work_off
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in

NEW, LIST, SCHEDULE = (f"renewals:{name}" for name in ("new_campaign", "campaigns", "campaign_schedule"))


@pytest.fixture
def due(catalogue, today):
    """Three dongles of two customers that are due, one of them without a price, and one that has a quote."""
    soon = str(today + timedelta(days=20))
    first, second = world.make_customer(), world.make_customer("Other")
    world.make_dongle("A1", first, [("VOL-VIS", soon)])
    world.make_dongle("A2", first, [("VOL-NEW", soon)])
    world.make_dongle("B1", second, [("OPL-FUL", soon)])
    world.draft(world.make_dongle("B2", second, [("VOL-VIS", soon)]), today)


def asked(today, **fields):
    fields = {"starts_on": today, "ends_on": today + timedelta(days=30), "renew_years": 1, "once": "1", **fields}
    return {key: str(value) for key, value in fields.items()}


def begin(client, today, **fields):
    answer = client.post(reverse(NEW), asked(today, **fields))
    work_off()
    return answer


def test_before_it_begins_the_page_says_what_it_would_do(sales, due):
    page = text_of(sales.get(reverse(NEW)))
    assert "2 drafts for 3 dongles, one for each customer. 1 more is due and has a quote already." in page
    assert "EUR 4 1 3 2 €2,700.00 1" in page  # due, quoted, to be, customers, 1,200 + 1,500, without a price
    assert not Campaign.objects.exists()


def test_it_is_begun_once_however_often_it_is_pressed(sales, due, today):
    answers = [begin(sales, today), begin(sales, today)]
    job = Job.objects.get()
    assert {answer["Location"] for answer in answers} == {reverse("job", args=[job.pk])}
    assert "Campaign C-" in text_of(sales.get(reverse("job", args=[job.pk])))
    assert job.asked_by == User.objects.get()


def test_its_page_shows_the_drafts_and_what_was_left_out_with_what_helps(sales, due, today):
    begin(sales, today)
    address = reverse("renewals:campaign", args=[Campaign.objects.get().pk])
    page = text_of(sales.get(address))
    assert "2 quotes for 2 dongles." in page
    assert "Draft EUR 2 €3,213.00" in page  # 2,700.00 and 19 % tax
    assert "Send 2 drafts" in page
    left_out = text_of(sales.get(address + "?show=left_out"))
    assert "1 dongle: no_price Put the product on the price list" in left_out
    assert "A2 Institute of Cells" in left_out
    assert "Campaign" in text_of(sales.get(reverse(LIST)))


def test_all_its_drafts_are_sent_by_a_button(sales, due, today):
    begin(sales, today)
    campaign = Campaign.objects.get()
    answer = sales.post(reverse("renewals:send_campaign", args=[campaign.pk]), {"once": "2"})
    work_off()
    assert sorted(QuoteVersion.objects.filter(quote__campaign=campaign).values_list("state", flat=True)) == [
        "sent",
        "sent",
    ]
    assert "2 quotes sent." in text_of(sales.get(answer["Location"]))
    assert "Send 2 drafts" not in text_of(sales.get(reverse("renewals:campaign", args=[campaign.pk])))


def test_days_that_cant_be_are_refused_beside_their_field(sales, due, today):
    answer = begin(sales, today, ends_on=today - timedelta(days=1))
    assert answer.status_code == 422
    assert "The last day lies before the first." in text_of(answer)
    for wrong in ({"ends_on": "soon"}, {"renew_years": "9"}, {"owner": "x"}, {"family": "99"}):
        assert begin(sales, today, **wrong).status_code == 422
    assert not Campaign.objects.exists()


def test_only_sales_begins_sends_and_schedules(finance, due, today):
    assert begin(finance, today).status_code == 403
    assert finance.post(reverse(SCHEDULE)).status_code == 403
    assert finance.get(reverse(LIST)).status_code == 200


def test_the_schedule_is_kept_by_its_form(sales, catalogue):
    fields = {"is_on": "on", "day_of_month": "3", "days_ahead": "45", "renew_years": "1"}
    assert sales.post(reverse(SCHEDULE), {**fields, "day_of_month": "31"}).status_code == 422
    assert sales.post(reverse(SCHEDULE), {**fields, "renew_years": "6"}).status_code == 422
    assert not CampaignSchedule.objects.exists()
    assert sales.post(reverse(SCHEDULE), fields).status_code == 302
    assert "One begins by itself on day 3 of every month" in text_of(sales.get(reverse(LIST)))


def test_the_pipeline_leads_to_a_campaign_for_what_it_shows(sales, due, today):
    page = sales.get(reverse("renewals:pipeline") + "?bucket=due_30&currency=EUR").content.decode()
    ends_on = (today + timedelta(days=30)).isoformat()
    assert f"{reverse(NEW)}?starts_on={today.isoformat()}&amp;ends_on={ends_on}&amp;currency=EUR" in page


def test_pages_take_as_many_queries_for_many_as_for_few(sales, due, today, django_assert_max_num_queries):
    begin(sales, today)
    address = reverse("renewals:campaign", args=[Campaign.objects.get().pk])
    for page in (address, address + "?show=left_out", reverse(LIST), reverse(NEW)):
        with django_assert_max_num_queries(13):
            sales.get(page)


def test_the_command_says_what_it_would_do_and_does_it(due, today, capsys):
    call_command("campaign", "--to", (today + timedelta(days=30)).isoformat(), "--dry-run")
    told = capsys.readouterr().out
    assert told == "EUR: 3 dongles of 2 customers would be quoted, €2,700.00 for a year; 1 have a quote already.\n"
    assert not Campaign.objects.exists()
    call_command("campaign")
    told = capsys.readouterr().out
    assert "2 quotes for 2 dongles, 1 left out, 1 had a quote already." in told
    assert "2 quotes in EUR: €3,213.00 with tax" in told
    assert "1 dongle left out (no_price)" in told


@pytest.mark.browser
def test_in_a_browser_from_the_pipeline_to_the_sent_quotes(portal, browser, client, today):
    world.make_user()
    soon, found = str(today + timedelta(days=20)), []
    world.make_dongle("A1", world.make_customer(), [("VOL-VIS", soon)])
    world.make_dongle("A2", world.make_customer("Other"), [("VOL-NEW", soon)])
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client)
        for name in (LIST, SCHEDULE):
            page.goto(portal + reverse(name))
            check(page, found)
        page.goto(portal + reverse("renewals:pipeline"))
        page.get_by_role("link", name="Draft quotes for what is due").click()
        check(page, found)
        page.get_by_role("button", name="Draft 2 quotes").click()
        page.locator(".job-progress").wait_for()
        work_off()
        page.get_by_role("link", name="its quotes, and what it left out").click()
        check(page, found)
        page.get_by_role("link", name="Left out").click()
        check(page, found)
        page.get_by_role("button", name="Send 1 draft").click()
        page.locator(".job-progress").wait_for()
        work_off()
        expect(page.locator("main")).to_contain_text("1 quote sent.")
        check(page, found)
        page.goto(portal + reverse(LIST))
        check(page, found)
        page.goto(portal + reverse(NEW) + f"?ends_on={today - timedelta(days=1)}")
        page.locator(".error-summary").wait_for()
        check(page, found)
    assert found == []
