"""The demo's pipeline: something in every bucket, and nothing twice or nowhere."""

from dongles.models import Dongle
from renewals.overviews import pipeline
from renewals.overviews.pipeline import PipelineFilters


def test_the_demo_has_dongles_in_every_bucket_which_add_up(demo):
    read = pipeline.read_pipeline(PipelineFilters(), demo)
    assert all(figures.dongles for _, figures in read.figures)
    assert sum(figures.dongles for _, figures in read.figures) == read.total.dongles == len(read.rows)
    assert len({row["serial"] for row in read.rows}) == len(read.rows)
    assert read.currencies == ["EUR", "GBP", "JPY", "USD"]
    for index, (_, total) in enumerate(read.total.values):
        assert total == sum(figures.values[index][1] or 0 for _, figures in read.figures)


def test_each_of_the_demos_sales_people_has_a_pipeline_and_some_of_it_is_nobodys(demo):
    read = pipeline.read_pipeline(PipelineFilters(), demo)
    owners = {row.owner for row in pipeline.finish_rows(read)}
    assert owners == {"Sam Sales", "Erin East", "Wes West", ""}


def test_the_situations_stand_in_the_buckets_that_their_titles_say(demo):
    buckets = {row["serial"]: row["bucket"] for row in pipeline.read_pipeline(PipelineFilters(), demo).rows}
    assert {serial: buckets.get(serial) for serial in ("104233", "104305", "104307", "104321", "104301", "104315")} == {
        "104233": "due_30",
        "104305": "lapsed",
        "104307": "lapsed_over_major",
        "104321": "won_back",
        "104301": None,
        "104315": "lost",
    }
    assert Dongle.objects.get(serial="104317").customer is None
    assert "104317" not in buckets
