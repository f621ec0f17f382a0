"""Compute costs again at the prices of today's book: first what would change, then the change.

Calls are read, priced and amended a thousand at a time in the order of their keys, each chunk a
transaction of its own. So any number fits in the same memory, and one that was cut short is
finished by asking again: what has its price already is left alone.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.errors import Conflict
from llmlab_app.domain.repricing import (
    MonthChange,
    MonthRule,
    costs_differ,
    month_name,
    month_rule,
)
from llmlab_app.services.calls import check_filters
from llmlab_app.services.event_pricing import priced
from llmlab_app.services.prices import WorkspacePrices, newest_prices
from llmlab_app.storage import audit, event_queries, ledger
from llmlab_app.storage.database import TRY_AGAIN, direct_connection, transaction
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.price_terms import StalePrices
from llmlab_app.storage.slots import claim_slot
from llmlab_app.storage.workspaces import zone_of

CHUNK = 1_000
_RETRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """What re-pricing changes, month by month; ``amended`` calls were changed (0 in a preview).

    ``examined`` calls were compared. One that somebody else changed meanwhile is not amended.
    """

    months: tuple[MonthChange, ...]
    examined: int
    amended: int
    price_version: str


async def preview(
    principal: Principal,
    *,
    period: Period,
    filters: Mapping[str, str],
    ticked: Sequence[str] = (),
    now: datetime,
) -> Repricing:
    """What ``reprice`` would change, without changing it.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        InvalidInput: an unknown filter, or a month that is none.
    """
    run = await _begin(principal, period, filters, ticked, now)
    async for changed in run.changes():
        run.note(changed)
    return run.report()


async def reprice(
    principal: Principal,
    *,
    period: Period,
    filters: Mapping[str, str],
    ticked: Sequence[str] = (),
    now: datetime,
) -> Repricing:
    """Give calls the cost that they have at the prices in force when they happened.

    Months before the previous one are closed: they change only if they are ``ticked``. Each
    changed call gets a line in the audit.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        InvalidInput: an unknown filter, or a month that is none.
        Conflict: the workspace's prices changed meanwhile; what was done stays done.
    """
    run = await _begin(principal, period, filters, ticked, now)
    async with await direct_connection() as holder:
        slot = await claim_slot(holder)
        async for changed in run.changes():
            run.note(changed)
            await run.amend([each for each in changed if run.may_change(each)], slot)
    report = run.report()
    async with transaction() as session:
        audit.record(
            session,
            workspace_id=principal.workspace_id,
            actor=principal.name,
            action="prices.repriced",
            target=str(principal.workspace_id),
            at=now,
            amended=report.amended,
            months=[month_name(each.month) for each in report.months if each.may_change],
        )
    return report


async def _begin(
    principal: Principal,
    period: Period,
    filters: Mapping[str, str],
    ticked: Sequence[str],
    now: datetime,
) -> "_Run":
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    check_filters(filters)
    async with transaction() as session:
        zone = await zone_of(session, principal.workspace_id)
    rule = month_rule(now, zone, ticked)
    return _Run(principal, period, filters, rule, await newest_prices(principal.workspace_id))


@dataclass(frozen=True, slots=True)
class _Change:
    """A call as it is stored, and as it would be."""

    old: StoredEvent
    new: StoredEvent


class _Run:
    """One pass over the calls of a period."""

    def __init__(
        self,
        principal: Principal,
        period: Period,
        filters: Mapping[str, str],
        rule: MonthRule,
        prices: WorkspacePrices,
    ) -> None:
        self._principal = principal
        self._period = period
        self._filters = filters
        self._rule = rule
        self._prices = prices
        self._months: dict[date, MonthChange] = {}
        self._contents: dict[str, object] = {}
        self._examined = 0
        self._amended = 0

    async def changes(self) -> AsyncIterator[list[_Change]]:
        """The changes of one chunk of calls after the other."""
        for project in sorted(self._principal.project_ids):
            after: UUID | None = None
            while chunk := await self._read(project, after):
                self._examined += len(chunk)
                after = chunk[-1].event.id
                if changed := self._compared(chunk):
                    yield changed

    async def _read(self, project: UUID, after: UUID | None) -> list[StoredEvent]:
        async with transaction() as session:
            return await event_queries.calls_after(
                session,
                project=project,
                after=after,
                limit=CHUNK,
                period=self._period,
                filters=self._filters,
            )

    def _compared(self, chunk: Sequence[StoredEvent]) -> list[_Change]:
        new, self._contents = priced([each.event for each in chunk], self._prices.book)
        return [
            _Change(one, other)
            for one, other in zip(chunk, new, strict=True)
            if costs_differ(one.cost, other.cost)
        ]

    def note(self, changed: Sequence[_Change]) -> None:
        """Add a chunk of changes to their months."""
        for each in changed:
            month = self._month_of(each)
            so_far = self._months.get(month) or self._rule.unchanged(month)
            self._months[month] = so_far.plus(each.old.event, each.old.cost, each.new.cost)

    def may_change(self, change: _Change) -> bool:
        """Whether the month of a call is open or ticked."""
        return self._rule.unchanged(self._month_of(change)).may_change

    async def amend(self, changed: Sequence[_Change], slot: int) -> None:
        """Store one chunk of changes; a call that its client revised meanwhile is left alone."""
        if not changed:
            return
        for attempt in range(_RETRIES):
            try:
                self._amended += len(await self._amend(changed, slot))
            except TRY_AGAIN:
                if attempt == _RETRIES - 1:
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
            except StalePrices:
                raise Conflict(
                    "The workspace's prices changed while calls were re-priced. Look at what "
                    "would change now, then re-price again.",
                    code="prices_changed",
                ) from None
            else:
                return

    async def _amend(self, changed: Sequence[_Change], slot: int) -> set[tuple[UUID, UUID]]:
        return await ledger.amend(
            [each.new for each in changed],
            actor=self._principal.name,
            action="event.repriced",
            slot=slot,
            prices=self._contents,
            price_versions={self._prices.workspace_id: self._prices.version},
        )

    def report(self) -> Repricing:
        """What was found and done so far."""
        return Repricing(
            months=tuple(self._months[month] for month in sorted(self._months)),
            examined=self._examined,
            amended=self._amended,
            price_version=self._prices.book.version,
        )

    def _month_of(self, change: _Change) -> date:
        return self._rule.month_of(change.old.event.occurred_at)
