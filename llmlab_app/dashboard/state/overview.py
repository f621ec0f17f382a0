"""The Overview and First-run pages of one tab: a disposable copy of what its audience shares."""

from contextlib import AbstractAsyncContextManager
from dataclasses import fields

import reflex as rx
from reflex.event import EventSpec
from reflex.state import BaseState

from llmlab_app.dashboard.live import Live, Seat
from llmlab_app.dashboard.state.frame import FrameState
from llmlab_app.dashboard.state.session import (
    LOGIN,
    selected_project,
    session_cookie,
    visitor,
)
from llmlab_app.dashboard.views.by_model import ByModel
from llmlab_app.dashboard.views.cards import StatCard
from llmlab_app.dashboard.views.feed import FeedRow
from llmlab_app.dashboard.views.gaps import Gap
from llmlab_app.dashboard.views.overview import Feed, Overview
from llmlab_app.dashboard.views.trend import Trend
from llmlab_app.domain.errors import LLMLabError, Unauthenticated

_live = Live()


class OverviewState(rx.State):
    """The fields of ``Overview`` and ``Feed``, and whether this tab's feed stands still."""

    is_loaded: rx.Field[bool] = rx.field(False)
    has_calls: rx.Field[bool] = rx.field(False)
    spent: rx.Field[str] = rx.field("")
    clock: rx.Field[str] = rx.field("")
    cards: rx.Field[list[StatCard]] = rx.field(default_factory=list)
    trend: rx.Field[Trend] = rx.field(default_factory=Trend)
    by_model: rx.Field[ByModel] = rx.field(default_factory=ByModel)
    gaps: rx.Field[list[Gap]] = rx.field(default_factory=list)
    priced_today: rx.Field[str] = rx.field("")

    rows: rx.Field[list[FeedRow]] = rx.field(default_factory=list)
    read_at: rx.Field[float] = rx.field(0.0)
    announcement: rx.Field[str] = rx.field("")

    problem: rx.Field[str] = rx.field("")
    is_pointed_at: rx.Field[bool] = rx.field(False)
    is_focused: rx.Field[bool] = rx.field(False)

    @rx.event
    async def open(self) -> EventSpec | None:
        """Load everything; from now on every change is pushed here."""
        self.is_pointed_at = self.is_focused = False
        if (elsewhere := await self._load()) is None and not self.problem:
            await (await self.get_state(FrameState)).load()
        return elsewhere

    @rx.event
    async def hold(self, means: str, is_on: bool) -> EventSpec | None:
        """Keep the feed still while a row is under the ``pointer`` or has the ``focus``."""
        if await visitor(self) is None:
            return rx.redirect(LOGIN)
        if means == "pointer":
            self.is_pointed_at = is_on
        else:
            self.is_focused = is_on
        return None if is_on else await self._load()

    async def _load(self) -> EventSpec | None:
        try:
            seat = Seat(session_cookie(self), selected_project(self))
            audience = await _live.watch(self.router.session.client_token, seat)
        except Unauthenticated:
            return rx.redirect(LOGIN)
        except LLMLabError as error:
            self.problem = error.detail
            return None
        self.problem = ""
        self.show(audience.overview, audience.feed)
        return None

    def show(self, overview: Overview, feed: Feed | None) -> None:
        """Take over what differs; only that is sent to the browser."""
        held = self.is_pointed_at or self.is_focused
        for view in (overview, *([feed] if feed and not held else [])):
            for field in fields(view):
                value = getattr(view, field.name)
                if getattr(self, field.name) != value:
                    setattr(self, field.name, value)

    def sign_out(self) -> None:
        """Forget everything and say why."""
        self.reset()
        self.problem = "You are signed out. Open /login to sign in again."


class _Tabs:
    """The open tabs, as ``live.Screens``."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    async def show(self, tab: str, overview: Overview, feed: Feed | None) -> bool:
        namespace = self._app.event_namespace
        if namespace is None or tab not in namespace.token_to_sid:
            return False
        async with self._state_of(tab) as state:
            (await state.get_state(OverviewState)).show(overview, feed)
        return True

    async def sign_out(self, tab: str) -> None:
        async with self._state_of(tab) as state:
            (await state.get_state(OverviewState)).sign_out()

    def _state_of(self, tab: str) -> AbstractAsyncContextManager[BaseState]:
        return self._app.modify_state(rx.BaseStateToken(ident=tab, cls=OverviewState))


async def push_live(app: rx.App) -> None:
    """Push to the tabs of this process as long as the app runs."""
    await _live.run(_Tabs(app))
