"""Re-pricing changes what it previewed, and nothing else; totals equal their calls throughout."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmlab_app.domain.access import Principal
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.events import Charge
from llmlab_app.domain.identity import EARLIEST
from llmlab_app.domain.normalise import ReportedEvent
from llmlab_app.domain.price_terms import Agreement, scope
from llmlab_app.domain.pricing import Discount, MappedModel, PriceOverride
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services import ingestion, price_terms, repricing
from llmlab_app.services.calls import Call, every_call, receipt
from llmlab_app.services.cost_reports import summary
from llmlab_app.services.ingestion import track
from llmlab_app.services.repricing import Repricing
from llmlab_app.settings import Settings
from llmlab_app.storage.database import fetch, transaction
from tests.factories import NOON, tenant
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

LIST = Decimal("0.00021")
USAGE = TokenUsage(input_tokens=1_000, output_tokens=100)
EVER = Period(EARLIEST, NOON + timedelta(days=2))
IN_NOVEMBER, IN_OCTOBER = NOON, datetime(2026, 10, 5, tzinfo=UTC)
IN_SEPTEMBER, IN_AUGUST = datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
async def principal(database: str) -> AsyncIterator[Principal]:
    """An admin of a workspace of two projects, over running writers."""
    async with transaction() as session:
        principal = await tenant(session, projects=2)
    ingestion.start_ingestion(Settings())
    yield principal
    await ingestion.stop_ingestion()


def call(**fields: object) -> ReportedEvent:
    usual = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "usage": USAGE,
        "occurred_at": NOON,
    }
    return ReportedEvent(**{**usual, **fields})  # type: ignore[arg-type]


async def agree(principal: Principal, agreement: Agreement) -> None:
    """Agree on something that holds since ever."""
    await price_terms.add_term(
        principal, agreement, effective_from=EARLIEST, effective_to=None, now=NOON
    )


def discount(percent: int) -> Discount:
    return Discount(scope=scope(None, None, None), percent=Decimal(percent), note="")


async def reprice(
    principal: Principal,
    *months: str,
    filters: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Repricing:
    act = repricing.preview if dry_run else repricing.reprice
    return await act(principal, period=EVER, filters=filters or {}, ticked=months, now=NOON)


async def calls_of(principal: Principal) -> list[Call]:
    return [each async for each in every_call(principal, period=EVER, filters={})]


async def test_a_preview_says_what_would_change_and_changes_nothing(principal: Principal) -> None:
    await track(principal, [call(), call(), call(occurred_at=IN_OCTOBER)], now=NOON)
    before = await calls_of(principal)
    await agree(principal, discount(50))
    found = await reprice(principal, dry_run=True)
    assert [(f"{m.month:%Y-%m}", m.events, m.old_cost, m.new_cost) for m in found.months] == [
        ("2026-10", 1, LIST, LIST / 2),
        ("2026-11", 2, LIST * 2, LIST),
    ]
    assert found.months[1].difference == -LIST
    assert (found.examined, found.amended) == (3, 0)
    assert await calls_of(principal) == before


async def test_re_pricing_does_what_its_preview_said(principal: Principal) -> None:
    await track(principal, [call(), call(occurred_at=IN_OCTOBER)], now=NOON)
    await agree(principal, discount(50))
    promised = await reprice(principal, dry_run=True)
    done = await reprice(principal)
    assert done.months == promised.months
    assert done.amended == 2
    assert [each.cost.cost for each in await calls_of(principal)] == [LIST / 2] * 2
    assert (await summary(principal, now=NOON)).all_time.spend.cost == LIST
    await assert_rollups_equal_events()


async def test_re_pricing_with_unchanged_prices_changes_nothing(principal: Principal) -> None:
    await track(principal, [call(), call(model="unheard-of"), call(usage=None)], now=NOON)
    await agree(principal, discount(50))
    await reprice(principal)
    before = await calls_of(principal)
    again = await reprice(principal)
    assert (again.months, again.amended) == ((), 0)
    assert await calls_of(principal) == before


async def test_a_mapped_models_calls_get_their_price(principal: Principal) -> None:
    await track(principal, [call(provider="azure", model="team-chat"), call()], now=NOON)
    await agree(
        principal,
        MappedModel(
            provider="azure",
            model="team-chat",
            target_provider="openai",
            target_model="gpt-4o-mini",
        ),
    )
    [month] = (await reprice(principal, filters={"cost_source": "unpriced"})).months
    assert (month.events, month.unpriced_before, month.unpriced_after) == (1, 1, 0)
    assert (month.old_cost, month.new_cost) == (Decimal(0), LIST)
    assert (await summary(principal, now=NOON)).all_time.spend.unpriced_events == 0
    await assert_rollups_equal_events()


async def test_closed_months_change_only_if_they_are_ticked(principal: Principal) -> None:
    instants = (IN_NOVEMBER, IN_OCTOBER, IN_SEPTEMBER, IN_AUGUST)
    await track(principal, [call(occurred_at=at) for at in instants], now=NOON)
    await agree(principal, discount(50))
    found = await reprice(principal, "2026-08")
    told = [(f"{m.month:%m}", m.is_closed, m.may_change) for m in found.months]
    assert told == [
        ("08", True, True),
        ("09", True, False),
        ("10", False, True),
        ("11", False, True),
    ]
    assert found.amended == 3
    untouched = [each for each in await calls_of(principal) if each.cost.cost == LIST]
    assert [each.event.occurred_at for each in untouched] == [IN_SEPTEMBER]
    await assert_rollups_equal_events()


async def test_months_are_those_of_the_workspaces_zone(database: str) -> None:
    async with transaction() as session:
        principal = await tenant(session, timezone="Asia/Tokyo")
    ingestion.start_ingestion(Settings())
    on_the_first_in_tokyo = datetime(2026, 10, 31, 20, tzinfo=UTC)
    await track(principal, [call(occurred_at=on_the_first_in_tokyo)], now=NOON)
    await ingestion.stop_ingestion()
    await agree(principal, discount(50))
    [month] = (await reprice(principal, dry_run=True)).months
    assert f"{month.month:%Y-%m}" == "2026-11"


async def test_filters_say_which_calls_are_priced_again(principal: Principal) -> None:
    await track(principal, [call(feature="a"), call(feature="b")], now=NOON)
    await agree(principal, discount(50))
    assert (await reprice(principal, filters={"feature": "a"})).amended == 1
    costs = {each.event.feature: each.cost.cost for each in await calls_of(principal)}
    assert costs == {"a": LIST / 2, "b": LIST}


async def test_only_spend_is_in_the_sums_of_a_preview(principal: Principal) -> None:
    await track(principal, [call(), call(charge=Charge.EQUIVALENT)], now=NOON)
    await agree(principal, discount(50))
    [month] = (await reprice(principal)).months
    assert (month.events, month.old_cost, month.new_cost) == (2, LIST, LIST / 2)


async def test_re_pricing_uses_up_no_revision_and_writes_a_line_in_the_audit(
    principal: Principal,
) -> None:
    await track(principal, [call(revision=3)], now=NOON)
    await agree(principal, discount(50))
    await reprice(principal)
    [changed] = await calls_of(principal)
    assert changed.event.revision == 3
    async with transaction() as session:
        lines = await fetch(session, "SELECT action, actor, target FROM audit", {})
    told = {(line["action"], line["actor"], line["target"]) for line in lines}
    assert ("event.repriced", "test", str(changed.event.id)) in told
    assert ("prices.repriced", "test", str(principal.workspace_id)) in told


async def test_more_calls_than_a_chunk_in_two_projects_are_all_re_priced(
    principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing, "CHUNK", 7)
    for project in principal.project_ids:
        at_project = Principal(
            workspace_id=principal.workspace_id,
            project_id=None,
            booking_project_id=project,
            project_ids=principal.project_ids,
            scopes=principal.scopes,
            name="test",
        )
        same_instant = [call() for _ in range(10)]
        later = [call(occurred_at=NOON - timedelta(days=n)) for n in range(10)]
        await track(at_project, [*same_instant, *later], now=NOON)
    await agree(principal, discount(50))
    assert (await reprice(principal)).amended == 40
    assert {each.cost.cost for each in await calls_of(principal)} == {LIST / 2}
    await assert_rollups_equal_events()


async def test_totals_equal_their_calls_while_calls_arrive_and_are_re_priced(
    principal: Principal,
) -> None:
    async def send() -> None:
        for number in range(20):
            at = NOON - timedelta(hours=number)
            await track(principal, [call(occurred_at=at), call(model="gpt-4o")], now=NOON)

    async def mend() -> None:
        for percent in (10, 20, 30):
            await agree(principal, discount(percent))
            await asyncio.gather(reprice(principal), reprice(principal))

    await asyncio.gather(send(), send(), mend())
    await reprice(principal)
    calls = await calls_of(principal)
    assert len(calls) == 80
    for each in calls:
        found = await receipt(principal, each.event.id)
        assert found.breakdown is not None
        assert found.breakdown.total == each.cost.cost
        assert found.discount == each.cost.list_cost * Decimal("0.3")  # type: ignore[operator]
    await assert_rollups_equal_events()


async def test_a_better_account_still_amends_a_re_priced_call(principal: Principal) -> None:
    id = "0192f0c1-0000-7000-8000-000000000001"
    await track(principal, [call(id=id, occurred_at=None)], now=NOON)
    await agree(principal, discount(50))
    await reprice(principal)
    better = TokenUsage(input_tokens=2_000, output_tokens=200)
    await track(principal, [call(id=id, occurred_at=None, usage=better, revision=1)], now=NOON)
    [kept] = await calls_of(principal)
    assert kept.event.usage == better
    await assert_rollups_equal_events()


async def test_a_call_that_was_revised_meanwhile_keeps_its_revision(principal: Principal) -> None:
    id = "0192f0c1-0000-7000-8000-000000000001"
    await track(principal, [call(id=id, occurred_at=None)], now=NOON)
    await agree(principal, discount(50))
    run = await repricing._begin(principal, EVER, {}, [], NOON)
    [changes] = [changed async for changed in run.changes()]
    better = TokenUsage(input_tokens=2_000, output_tokens=200)
    await track(principal, [call(id=id, occurred_at=None, usage=better, revision=1)], now=NOON)
    await run.amend(changes, slot=0)
    [kept] = await calls_of(principal)
    assert (kept.event.usage, kept.cost.cost) == (better, LIST)
    assert run.report().amended == 0
    await assert_rollups_equal_events()


prices = st.decimals("0", "1000", places=6, allow_nan=False)
agreements = st.one_of(
    st.builds(
        Discount,
        scope=st.builds(scope, st.sampled_from([None, "openai"]), st.none(), st.none()),
        percent=st.decimals("0.001", "100", places=3),
        classes=st.sampled_from([None, frozenset({"input"}), frozenset({"output"})]),
        note=st.just(""),
    ),
    st.builds(
        PriceOverride,
        scope=st.builds(
            scope, st.just("openai"), st.sampled_from([None, "gpt-4o*", "gpt-4o-mini"]), st.none()
        ),
        unit_prices=st.dictionaries(
            st.sampled_from(["input", "output", "cache_read"]), prices, min_size=1
        ),
        note=st.just(""),
    ),
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(agreed=st.lists(agreements, max_size=3), counts=st.tuples(*[st.integers(0, 10**6)] * 3))
async def test_every_cost_equals_its_receipt_whatever_was_agreed(
    principal: Principal, agreed: list[Agreement], counts: tuple[int, int, int]
) -> None:
    cached, fresh, output = counts
    usage = TokenUsage(input_tokens=cached + fresh, cache_read_tokens=cached, output_tokens=output)
    for agreement in agreed:
        await agree(principal, agreement)
    await track(principal, [call(usage=usage), call(usage=usage, model="gpt-4o")], now=NOON)
    await reprice(principal)
    for each in await calls_of(principal):
        found = await receipt(principal, each.event.id)
        total = found.breakdown.total if found.breakdown else None
        assert each.cost.cost == each.cost.effective_cost == total
    await assert_rollups_equal_events()
