"""What a tab's handlers do, with a real database and without a browser."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
import reflex as rx

from llmlab_app.dashboard.state.call import CallState
from llmlab_app.dashboard.state.first_run import FirstRunState
from llmlab_app.dashboard.state.frame import FrameState
from llmlab_app.dashboard.state.login import LoginState
from llmlab_app.dashboard.state.overview import OverviewState
from llmlab_app.domain.access import Principal
from llmlab_app.services.calls import latest_calls
from llmlab_app.services.ingestion import start_ingestion, stop_ingestion
from llmlab_app.services.projects import create_project
from llmlab_app.settings import Settings
from tests.factories import store, stored

S = TypeVar("S", bound=rx.State)


def tab(state: type[S], cookie: str, address: str = "/") -> S:
    """The state of a tab that shows ``address`` in a browser with ``cookie``."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    sent = {
        "headers": {"cookie": f"theme=dark; llmlab_session={cookie}", "origin": "http://here"},
        "token": uuid4().hex,
        "pathname": address.split("?")[0],
        "asPath": address,
    }
    root.router_data = root._update_router_vars(sent, {})
    return root.get_substate(state.get_full_name().split("."))  # type: ignore[return-value]


async def ask(state: rx.State, handler: str, *arguments: Any) -> str | None:
    """Send an event; where it redirects to, if it does."""
    answer = await type(state).event_handlers[handler].fn(state, *arguments)
    return None if answer is None else str(answer.args[0][1]._var_value)


@pytest.fixture
async def writers(database: str) -> AsyncIterator[None]:
    start_ingestion(Settings())
    yield
    await stop_ingestion()


async def test_opening_the_overview_fills_the_page(cookie: str, owner: Principal) -> None:
    now = datetime.now(UTC)
    await store([stored("2.50", project_id=owner.booking_project_id, occurred_at=now)])
    state = tab(OverviewState, cookie)
    assert await ask(state, "open") is None
    assert state.is_loaded
    assert state.has_calls
    assert state.spent == "$2.50"
    assert [card.figure for card in state.cards] == ["$2.50"] * 4
    assert [row.cost for row in state.rows] == ["$2.50000"]
    assert state.problem == ""


@pytest.mark.parametrize(
    ("state", "handler", "arguments"),
    [
        (OverviewState, "open", ()),
        (OverviewState, "hold", ("pointer", True)),
        (FrameState, "choose", ("default",)),
        (FirstRunState, "send_test", ()),
        (CallState, "open", ()),
    ],
)
@pytest.mark.parametrize("cookie_sent", ["", "made-up", '"; evil'])
async def test_a_stranger_is_sent_to_the_door_whatever_is_asked(
    database: str, state: type[rx.State], handler: str, arguments: tuple[Any, ...], cookie_sent: str
) -> None:
    found = tab(state, cookie_sent)
    before = found.dict()
    assert await ask(found, handler, *arguments) == "/login"
    assert found.dict() == before


async def test_the_feed_stands_still_while_held_and_catches_up(
    cookie: str, owner: Principal
) -> None:
    state = tab(OverviewState, cookie)
    await ask(state, "open")
    await ask(state, "hold", "pointer", True)
    await store([stored("1", project_id=owner.booking_project_id, occurred_at=datetime.now(UTC))])
    other = tab(OverviewState, cookie)
    await _until_fresh()
    await ask(other, "open")
    assert len(other.rows) == 1
    assert state.rows == []
    await ask(state, "hold", "pointer", False)
    assert state.rows == other.rows


async def _until_fresh() -> None:
    """A view is shared for a quarter of a second."""
    await asyncio.sleep(0.3)


async def test_the_address_chooses_the_project(cookie: str, owner: Principal) -> None:
    await create_project(owner, "side project", datetime.now(UTC))
    await store([stored("1", project_id=owner.booking_project_id, occurred_at=datetime.now(UTC))])
    state = tab(OverviewState, cookie, "/?project=side+project")
    await ask(state, "open")
    assert state.spent == "$0.00"
    frame = await state.get_state(FrameState)
    assert frame.names == ["default", "side project"]
    assert (frame.chosen, frame.query) == ("side project", "?project=side+project")
    assert await ask(frame, "choose", "") == "/"
    assert await ask(frame, "choose", "a&b") == "/?project=a%26b"


async def test_an_unknown_project_is_a_problem_in_words(cookie: str) -> None:
    state = tab(OverviewState, cookie, "/?project=nowhere")
    assert await ask(state, "open") is None
    assert "nowhere" in state.problem
    assert not state.is_loaded


async def test_a_test_event_is_booked_to_the_chosen_project(
    cookie: str, owner: Principal, writers: None
) -> None:
    project = await create_project(owner, "side", datetime.now(UTC))
    state = tab(FirstRunState, cookie, "/first-run?project=side")
    assert await ask(state, "send_test") is None
    assert state.problem == ""
    everything = Principal(
        **{name: getattr(owner, name) for name in ("workspace_id", "scopes", "name", "project_id")},
        booking_project_id=project.id,
        project_ids=(project.id,),
    )
    (call,) = await latest_calls(everything, limit=8, now=datetime.now(UTC))
    assert call.event.charge == "test"
    assert call.cost.cost


async def test_a_test_event_that_cannot_be_stored_says_why(cookie: str) -> None:
    state = tab(FirstRunState, cookie)
    await ask(state, "send_test")  # no writer runs
    assert "Try again" in state.problem


async def test_a_receipt_is_loaded_by_its_address(cookie: str, owner: Principal) -> None:
    at = datetime.now(UTC).replace(microsecond=0)  # ids hold milliseconds
    call = stored("0.5", project_id=owner.booking_project_id, occurred_at=at)
    await store([call])
    state = tab(CallState, cookie, f"/calls/{call.event.id}")
    await ask(state, "open")
    assert state.receipt.total == "$0.5000000"
    assert state.receipt.model == call.event.model


@pytest.mark.parametrize(
    "id", ["nonsense", str(UUID(int=7)), "01a1f3ad-8e00-7503-9555-b3e58541ae99"]
)
async def test_a_receipt_that_is_not_there_is_explained(cookie: str, id: str) -> None:
    state = tab(CallState, cookie, f"/calls/{id}")
    await ask(state, "open")
    assert state.problem
    assert state.receipt.total == ""


async def test_the_door_says_which_key_it_takes() -> None:
    state = tab(LoginState, "")
    type(state).event_handlers["open"].fn(state)
    assert state.is_known
    assert not state.asks_password
