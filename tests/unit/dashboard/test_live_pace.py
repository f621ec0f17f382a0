"""How fast pushes, feed rows and announcements may follow each other."""

from decimal import Decimal
from uuid import uuid4

import pytest

from llmlab_app.dashboard.live import Announcer, Audience, pause_after
from llmlab_app.dashboard.views.feed import feed_row
from llmlab_app.dashboard.views.overview import Feed
from llmlab_app.domain.access import Principal
from llmlab_app.domain.spend import Spend
from llmlab_app.services.calls import Call
from tests.factories import cost, event


@pytest.mark.parametrize(
    ("push_seconds", "pause"), [(0.0, 0.25), (0.05, 0.25), (0.2, 0.6), (0.5, 1.5), (9.0, 1.5)]
)
def test_pushing_takes_a_quarter_of_the_time_within_bounds(
    push_seconds: float, pause: float
) -> None:
    assert pause_after(push_seconds) == pytest.approx(pause)


def audience() -> Audience:
    nobody = Principal(
        workspace_id=uuid4(),
        project_id=None,
        booking_project_id=uuid4(),
        project_ids=(),
        scopes=frozenset(),
        name="",
    )
    return Audience(nobody)


def feed(announcement: str = "") -> Feed:
    return Feed(rows=[feed_row(Call(event(), cost("1")))], announcement=announcement)


def test_the_first_rows_are_pushed_at_once_and_the_next_after_a_second() -> None:
    found = audience()
    found.feed = first = feed()
    assert found.feed_due(100.0) is first
    assert found.feed_due(100.1) is None  # no news
    found.feed = second = feed()
    assert found.feed_due(100.9) is None
    assert found.has_news
    assert found.feed_due(101.0) is second


def test_a_later_clock_alone_is_no_news() -> None:
    found = audience()
    found.feed = first = feed()
    found.feed_due(100.0)
    found.feed = Feed(rows=first.rows, read_at=first.read_at + 60)
    assert not found.has_news


def spent(events: int, dollars: str) -> Spend:
    return Spend(events=events, cost=Decimal(dollars))


def test_what_was_there_before_is_not_announced() -> None:
    assert Announcer().after(spent(500, "9"), at=0.0) == ""


def test_new_calls_are_announced_once_in_half_a_minute() -> None:
    announcer = Announcer()
    announcer.after(spent(10, "1"), at=0.0)
    assert announcer.after(spent(11, "1.50"), at=1.0) == "1 new call, $0.50"
    assert announcer.after(spent(20, "2"), at=30.9) == "1 new call, $0.50"
    assert announcer.after(spent(23, "2.18"), at=31.0) == "12 new calls, $0.68"
