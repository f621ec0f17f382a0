"""One recomputation for each pulse and audience, one push to each tab.

An audience is everybody who may see the same projects: its view is read once and shared. The first
pulse after a quiet moment is pushed at once; then follows a pause of three times what that push
took, so that pushing takes a quarter of the process at most: from 250 ms to 1.5 s. Feed rows
change once a second at most, so that a row can be read. Who may see what is asked anew in every
round. Nothing here is kept: a tab that comes back is loaded anew.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol
from uuid import UUID

import structlog

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views.feed import FEED_ROWS
from llmlab_app.dashboard.views.overview import Feed, Overview, feed_of, overview_of
from llmlab_app.dashboard.views.series import COLOURS
from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import Conflict, LLMLabError, NotFound, Unauthenticated
from llmlab_app.domain.spend import Dimension, Spend
from llmlab_app.services.access import authenticate_session
from llmlab_app.services.calls import latest_calls
from llmlab_app.services.live import pulses
from llmlab_app.services.overview import OverviewReport, SpendHistory, overview, spend_history

SHORTEST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 1.5
PUSH_SHARE = 0.25
FEED_SECONDS = 1.0
FRESH_SECONDS = 0.25
HISTORY_SECONDS = 60.0
ANNOUNCE_SECONDS = 30.0
_LONG_AGO = float("-inf")

_log = structlog.get_logger(__name__)


class Screens(Protocol):
    """The tabs of this process, by their token."""

    async def show(self, tab: str, overview: Overview, feed: Feed | None) -> bool:
        """Show a view, with the feed or without; False if the tab is gone."""
        ...

    async def sign_out(self, tab: str) -> None:
        """Say that the session has ended, and show nothing of the workspace any more."""
        ...


def pause_after(push_seconds: float) -> float:
    """How long to wait after a push that took ``push_seconds``."""
    wanted = push_seconds / PUSH_SHARE - push_seconds
    return min(LONGEST_PAUSE_SECONDS, max(SHORTEST_PAUSE_SECONDS, wanted))


@dataclass(slots=True)
class Announcer:
    """Tells screen readers how much came, instead of every row."""

    _before: Spend | None = None
    _said_at: float = _LONG_AGO
    _text: str = ""

    def after(self, spent: Spend, *, at: float) -> str:
        """``12 new calls, $0.18``: what came since the last text, half a minute old at least."""
        before = self._before = self._before or spent
        calls = spent.events - before.events
        if calls > 0 and at - self._said_at >= ANNOUNCE_SECONDS:
            cost = formatting.total(spent.cost - before.cost)
            self._text = f"{formatting.plural(calls, 'new call')}, {cost}"
            self._before, self._said_at = spent, at
        return self._text


@dataclass(slots=True)
class Audience:
    """A view that several tabs share. Times are monotonic seconds."""

    principal: Principal
    overview: Overview = field(default_factory=Overview)
    feed: Feed = field(default_factory=Feed)
    pushed: Overview = field(default_factory=Overview)
    pushed_feed: Feed = field(default_factory=Feed)
    feed_pushed_at: float = _LONG_AGO
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _read_at: float = _LONG_AGO
    _history: SpendHistory | None = None
    _history_at: float = _LONG_AGO
    _announcer: Announcer = field(default_factory=Announcer)

    @property
    def has_news(self) -> bool:
        """Whether the feed shows something that was not pushed yet."""
        return not self.feed.is_like(self.pushed_feed)

    def feed_due(self, now: float) -> Feed | None:
        """The feed to push, if there is news and a second has passed since the last."""
        if not self.has_news or now - self.feed_pushed_at < FEED_SECONDS:
            return None
        self.pushed_feed, self.feed_pushed_at = self.feed, now
        return self.feed

    async def read(self, *, since: float) -> None:
        """Read the view anew, unless that was done since the moment ``since``.

        Raises:
            Unavailable: the database can't be reached.
        """
        async with self._reading:
            if self._read_at >= since:
                return
            began, now = monotonic(), datetime.now(UTC)
            report = await overview(self.principal, now=now)
            history = await self._history_beside(report, now)
            calls = await latest_calls(self.principal, limit=FEED_ROWS, now=now)
            announcement = self._announcer.after(report.summary.all_time.spend, at=began)
            self.overview = overview_of(report, history, calls)
            self.feed = feed_of(calls, now=now, announcement=announcement)
            self._read_at = began

    async def _history_beside(self, report: OverviewReport, now: datetime) -> SpendHistory:
        """The history: a minute old at most, and anew when a model appears that wants a colour."""
        is_old = monotonic() - self._history_at > HISTORY_SECONDS
        if self._history is None or is_old or _lacks_a_model(self._history, report):
            self._history = await spend_history(self.principal, now=now)
            self._history_at = monotonic()
        return self._history


def _lacks_a_model(history: SpendHistory, report: OverviewReport) -> bool:
    known = {row.key[Dimension.MODEL] for row in history.models if row.spend.cost}
    spent = {row.key[Dimension.MODEL] for row in report.days if row.spend.cost}
    return len(known) < COLOURS and not spent <= known


@dataclass(frozen=True, slots=True)
class Seat:
    """Whose browser a tab is in, and which project it shows; None for all of them."""

    cookie: str
    project: str | None


class Live:
    """Who watches in this process, and the loop that pushes to them."""

    def __init__(self) -> None:
        self._seats: dict[str, Seat] = {}
        self._audiences: dict[tuple[UUID, ...], Audience] = {}
        self._changed = asyncio.Event()

    async def watch(self, tab: str, seat: Seat) -> Audience:
        """What ``tab`` may see now; every later view is pushed to it.

        Raises:
            Unauthenticated: nobody is signed in there.
            NotFound, Conflict: there is no such project any more.
            Unavailable: the database can't be reached.
        """
        self._seats.pop(tab, None)
        audience = await self._audience_of(seat)
        self._seats[tab] = seat
        await audience.read(since=monotonic() - FRESH_SECONDS)
        return audience

    async def _audience_of(self, seat: Seat) -> Audience:
        principal = await authenticate_session(seat.cookie, datetime.now(UTC), seat.project)
        key = (principal.workspace_id, *principal.project_ids)
        return self._audiences.setdefault(key, Audience(principal))

    async def run(self, screens: Screens) -> None:
        """Push until cancelled."""
        listener = asyncio.create_task(self._listen(), name="dashboard-pulses")
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                began = monotonic()
                try:
                    await self._push_all(screens)
                except LLMLabError as error:
                    _log.warning("dashboard_not_updated", reason=error.code)
                except Exception:  # whatever it was, the next pulse tries again
                    _log.exception("dashboard_not_updated")
                await asyncio.sleep(pause_after(monotonic() - began))
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def _listen(self) -> None:
        async for _ in pulses():
            self._changed.set()

    async def _push_all(self, screens: Screens) -> None:
        tabs_of = await self._tabs_by_audience(screens)
        for key, audience in list(self._audiences.items()):
            if tabs := tabs_of.get(id(audience)):
                await self._push(audience, tabs, screens)
            else:
                self._audiences.pop(key, None)

    async def _tabs_by_audience(self, screens: Screens) -> dict[int, list[str]]:
        tabs_of: dict[int, list[str]] = {}
        for tab, seat in list(self._seats.items()):
            try:
                audience = await self._audience_of(seat)
            except Unauthenticated:
                self._seats.pop(tab, None)
                await screens.sign_out(tab)
            except (NotFound, Conflict):  # the project was archived: the page stays as it is
                self._seats.pop(tab, None)
            else:
                tabs_of.setdefault(id(audience), []).append(tab)
        return tabs_of

    async def _push(self, audience: Audience, tabs: list[str], screens: Screens) -> None:
        began = monotonic()
        await audience.read(since=began)
        overview, feed = audience.overview, audience.feed_due(began)
        if feed is not None or overview != audience.pushed:
            await asyncio.gather(*(self._show(tab, overview, feed, screens) for tab in tabs))
            audience.pushed = overview
        self._look_again(audience, began)

    async def _show(self, tab: str, view: Overview, feed: Feed | None, screens: Screens) -> None:
        if not await screens.show(tab, view, feed):
            self._seats.pop(tab, None)

    def _look_again(self, audience: Audience, now: float) -> None:
        """Push soon what is new already: read by a tab that was just opened, or feed rows."""
        if audience.overview != audience.pushed:
            self._changed.set()
        elif audience.has_news:
            wait = audience.feed_pushed_at + FEED_SECONDS - now
            asyncio.get_running_loop().call_later(wait, self._changed.set)
