"""Pulses from a real database to tabs that only remember what they were shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from llmlab_app.dashboard.live import Live, Seat
from llmlab_app.dashboard.views.overview import Feed, Overview
from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import Conflict, Unauthenticated
from llmlab_app.services.access import (
    authenticate_session,
    revoke_session,
)
from llmlab_app.services.projects import archive_project, create_project
from llmlab_app.storage.pulse import PulseSender
from tests.factories import store, stored


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Screens:
    """Tabs that remember; those in ``closed`` are gone."""

    views: dict[str, list[Overview]] = field(default_factory=dict)
    feeds: dict[str, list[Feed]] = field(default_factory=dict)
    signed_out: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    async def show(self, tab: str, overview: Overview, feed: Feed | None) -> bool:
        self.views.setdefault(tab, []).append(overview)
        if feed:
            self.feeds.setdefault(tab, []).append(feed)
        return tab not in self.closed

    async def sign_out(self, tab: str) -> None:
        self.signed_out.append(tab)


@pytest.fixture
async def pulse(database: str) -> AsyncIterator[PulseSender]:
    sender = PulseSender()
    sender.start()
    yield sender
    await sender.stop()


@pytest.fixture
def live() -> Live:
    return Live()


@pytest.fixture
async def screens(live: Live, database: str) -> AsyncIterator[Screens]:
    """Screens that ``live`` pushes to."""
    found = Screens()
    running = asyncio.create_task(live.run(found))
    yield found
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def spend(owner: Principal, pulse: PulseSender, dollars: str) -> None:
    call = stored(dollars, project_id=owner.booking_project_id, occurred_at=now())
    await store([call])
    pulse.notify()


async def until(condition: object) -> None:
    async with asyncio.timeout(20):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_a_call_reaches_every_tab_of_its_audience_in_cards_and_feed(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    first = await live.watch("one", Seat(cookie, None))
    second = await live.watch("two", Seat(cookie, None))
    assert first is second  # read once for both
    assert first.overview.spent == "$0.00"
    await spend(owner, pulse, "0.25")
    for tab in ("one", "two"):
        await until(lambda tab=tab: screens.feeds.get(tab, [Feed()])[-1].rows)
        assert screens.views[tab][-1].cards[0].figure == "$0.25"
        assert screens.feeds[tab][-1].rows[0].cost == "$0.25000"
    assert screens.views["one"][-1] is screens.views["two"][-1]


async def test_nothing_is_pushed_while_nothing_changes(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    await live.watch("tab", Seat(cookie, None))
    await until(lambda: screens.views.get("tab"))
    shown = len(screens.views["tab"])
    for _ in range(4):
        pulse.notify()
        await asyncio.sleep(0.3)
    distinct = {view.clock for view in screens.views["tab"]}  # a minute may pass
    assert len(screens.views["tab"]) - shown <= len(distinct) - 1


async def test_a_model_gets_its_colour_with_its_first_call(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    await live.watch("tab", Seat(cookie, None))
    await spend(owner, pulse, "1")
    await until(lambda: screens.views.get("tab", [Overview()])[-1].by_model.slices)
    assert screens.views["tab"][-1].by_model.slices[0].slot == "s1"


async def test_a_stranger_gets_nothing(live: Live, database: str) -> None:
    with pytest.raises(Unauthenticated):
        await live.watch("tab", Seat("made-up", None))


async def test_a_revoked_session_is_told_and_gets_no_more(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    await live.watch("tab", Seat(cookie, None))
    await until(lambda: screens.views.get("tab"))
    assert owner.session_id is not None
    await revoke_session(owner, owner.session_id, now())
    await spend(owner, pulse, "7")
    await until(lambda: screens.signed_out == ["tab"])
    await asyncio.sleep(0.5)
    assert all(view.spent == "$0.00" for view in screens.views["tab"])


async def test_a_closed_tab_is_pushed_to_once_and_forgotten(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    await live.watch("open", Seat(cookie, None))
    await live.watch("gone", Seat(cookie, None))
    screens.closed.add("gone")
    await until(lambda: screens.views.get("gone"))
    shown = len(screens.views["gone"])
    await spend(owner, pulse, "2")
    await until(lambda: screens.views["open"][-1].spent == "$2.00")
    assert len(screens.views["gone"]) == shown


async def test_a_tab_of_one_project_sees_that_project_alone(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    project = await create_project(owner, "side", now())
    everything = await live.watch("all", Seat(cookie, None))
    side = await live.watch("side", Seat(cookie, "side"))
    assert everything is not side
    await spend(owner, pulse, "3")
    await until(lambda: screens.views.get("all", [Overview()])[-1].spent == "$3.00")
    assert all(view.spent == "$0.00" for view in screens.views.get("side", []))
    await archive_project(await authenticate_session(cookie, now()), project.id, now())
    with pytest.raises(Conflict):
        await live.watch("side", Seat(cookie, "side"))


async def test_a_round_that_fails_is_followed_by_one_that_works(
    live: Live, screens: Screens, cookie: str, owner: Principal, pulse: PulseSender
) -> None:
    await live.watch("tab", Seat(cookie, None))
    broken = True
    show = screens.show

    async def fail_once(tab: str, overview: Overview, feed: Feed | None) -> bool:
        nonlocal broken
        if broken:
            broken = False
            raise RuntimeError("the tab closed while we wrote")
        return await show(tab, overview, feed)

    screens.show = fail_once  # type: ignore[method-assign]
    await spend(owner, pulse, "4")
    await until(lambda: screens.views.get("tab", [Overview()])[-1].spent == "$4.00")
    assert not broken
