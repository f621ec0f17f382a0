"""The whole Overview, ready for the screen: every value is text or a coordinate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views.by_model import ByModel, by_model
from llmlab_app.dashboard.views.cards import StatCard, stat_cards
from llmlab_app.dashboard.views.feed import FeedRow, feed_row
from llmlab_app.dashboard.views.gaps import Gap, gaps
from llmlab_app.dashboard.views.series import Palette
from llmlab_app.dashboard.views.trend import Trend, trend
from llmlab_app.domain.events import Charge
from llmlab_app.services.calls import Call
from llmlab_app.services.overview import OverviewReport, SpendHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What every session of a workspace shares. A push sends only the fields that changed."""

    is_loaded: bool = False
    has_calls: bool = False
    """Whether anything but test events ever arrived."""
    spent: str = ""
    clock: str = ""
    cards: list[StatCard] = field(default_factory=list[StatCard])
    trend: Trend = field(default_factory=Trend)
    by_model: ByModel = field(default_factory=ByModel)
    gaps: list[Gap] = field(default_factory=list[Gap])
    priced_today: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The calls that arrived last, and the server's clock at that moment, in epoch seconds.

    ``announcement`` is for screen readers, which must not hear every row.
    """

    rows: list[FeedRow] = field(default_factory=list[FeedRow])
    read_at: float = 0.0
    announcement: str = ""

    def is_like(self, other: "Feed") -> bool:
        """Whether both show the same, apart from the clock."""
        return (self.rows, self.announcement) == (other.rows, other.announcement)


def overview_of(report: OverviewReport, history: SpendHistory, calls: Sequence[Call]) -> Overview:
    """The page but for its feed of ``calls``."""
    summary, now = report.summary, report.now
    palette = Palette.of(history.models)
    today = summary.today.spend
    priced_today = today.events - today.unpriced_events
    return Overview(
        is_loaded=True,
        has_calls=summary.all_time.spend.events > 0
        or any(call.event.charge is not Charge.TEST for call in calls),
        spent=formatting.total(summary.month.spend.cost),
        clock=f"{formatting.moment(now)} · {formatting.zone(now, summary.timezone)}",
        cards=stat_cards(report, history),
        trend=trend(report.days, palette, today=now.date()),
        by_model=by_model(report.days, palette, today=now.date()),
        gaps=gaps(report, history),
        priced_today=f"{formatting.plural(priced_today, 'call')} priced today.",
    )


def feed_of(calls: Sequence[Call], *, now: datetime, announcement: str) -> Feed:
    """The feed, newest arrival first."""
    rows = [feed_row(call) for call in calls]
    return Feed(rows=rows, read_at=now.timestamp(), announcement=announcement)
