"""No event is stored at prices that are gone, whoever changed them, and whenever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import Principal
from llmlab_app.domain.normalise import ReportedEvent
from llmlab_app.domain.pricing import Discount, PriceScope, Validity
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services import ingestion, price_terms
from llmlab_app.services.calls import every_call, receipt
from llmlab_app.services.cost_reports import period
from llmlab_app.services.ingestion import track
from llmlab_app.services.prices import prices_in_force
from llmlab_app.settings import Settings
from llmlab_app.storage import price_terms as stored
from llmlab_app.storage.database import transaction
from tests.factories import NOON, tenant
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

LIST = Decimal("0.00021")
USAGE = TokenUsage(input_tokens=1_000, output_tokens=100)


@pytest.fixture
async def principal(database: str) -> AsyncIterator[Principal]:
    """An admin of a workspace, over running writers."""
    async with transaction() as session:
        principal = await tenant(session)
    ingestion.start_ingestion(Settings())
    yield principal
    await ingestion.stop_ingestion()


def call() -> ReportedEvent:
    return ReportedEvent(provider="openai", model="gpt-4o-mini", usage=USAGE, occurred_at=NOON)


async def cost_of_a_call(principal: Principal) -> Decimal | None:
    [answer] = await track(principal, [call()], now=NOON)
    return answer.cost


def discount(percent: int) -> Discount:
    long_ago = NOON - timedelta(days=30)
    return Discount(
        scope=PriceScope(), percent=Decimal(percent), validity=Validity(long_ago, None), note=""
    )


async def change_as_another_process(principal: Principal, percent: int) -> None:
    """Change the workspace's prices without this process hearing of it."""
    async with transaction() as session:
        await stored.begin_change(session, principal.workspace_id)
        await add(session, principal.workspace_id, percent)


async def add(session: AsyncSession, workspace_id: UUID, percent: int) -> None:
    await stored.add_term(
        session,
        workspace_id=workspace_id,
        agreement=discount(percent),
        actor="another process",
        now=NOON,
    )


async def test_a_price_changed_elsewhere_counts_at_once(principal: Principal) -> None:
    assert await cost_of_a_call(principal) == LIST
    before = await prices_in_force(principal.workspace_id, NOON)
    await change_as_another_process(principal, 50)
    assert await prices_in_force(principal.workspace_id, NOON) is before
    assert await cost_of_a_call(principal) == LIST / 2


async def test_a_change_of_prices_is_seen_by_commits_that_wait_for_it(
    principal: Principal,
) -> None:
    async with transaction() as session:
        await stored.begin_change(session, principal.workspace_id)
        waiting = asyncio.create_task(cost_of_a_call(principal))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await add(session, principal.workspace_id, 50)
    assert await waiting == LIST / 2


async def test_another_workspaces_change_is_not_waited_for(principal: Principal) -> None:
    async with transaction() as session:
        other = await tenant(session)
    async with transaction() as session:
        await stored.begin_change(session, other.workspace_id)
        assert await cost_of_a_call(principal) == LIST


async def test_events_of_two_workspaces_in_one_batch_have_each_its_own_price(
    principal: Principal,
) -> None:
    async with transaction() as session:
        other = await tenant(session)
    await cost_of_a_call(principal)
    await cost_of_a_call(other)
    await change_as_another_process(other, 50)
    costs = await asyncio.gather(*(cost_of_a_call(each) for each in (principal, other) * 5))
    assert costs == [LIST, LIST / 2] * 5


async def test_unchanged_prices_are_compiled_once(principal: Principal) -> None:
    first = await prices_in_force(principal.workspace_id, NOON)
    later = await prices_in_force(principal.workspace_id, NOON + timedelta(minutes=1))
    assert later is first


async def test_every_cost_equals_its_receipt_while_prices_keep_changing(
    principal: Principal,
) -> None:
    async def send() -> None:
        for _ in range(15):
            await track(principal, [call(), call()], now=NOON)

    async def change() -> None:
        for percent in (10, 20, 30, 40, 50):
            await price_terms.add_term(
                principal,
                discount(percent),
                effective_from=NOON - timedelta(days=1),
                effective_to=None,
                now=NOON,
            )
            await asyncio.sleep(0.02)

    await asyncio.gather(send(), send(), change())
    ranged = await period(principal, None, None, now=NOON)
    calls = [each async for each in every_call(principal, period=ranged, filters={})]
    assert len(calls) == 60
    for each in calls:
        found = await receipt(principal, each.event.id)
        assert found.breakdown is not None
        assert found.breakdown.total == each.cost.cost == each.cost.effective_cost
        assert each.cost.list_cost == LIST
    assert await cost_of_a_call(principal) == LIST / 2
    await assert_rollups_equal_events()


async def test_closing_a_term_changes_no_stored_event(principal: Principal) -> None:
    added = await price_terms.add_term(
        principal, discount(50), effective_from=None, effective_to=None, now=NOON
    )
    await track(principal, [call()], now=NOON)
    ranged = await period(principal, None, None, now=NOON)
    before = [each async for each in every_call(principal, period=ranged, filters={})]
    await price_terms.close_term(
        principal, price_terms.TermKind.DISCOUNT, added.term.id, until=None, now=NOON
    )
    assert [each async for each in every_call(principal, period=ranged, filters={})] == before
    assert (await receipt(principal, before[0].event.id)).call.cost.cost == LIST / 2
