"""What workspaces pay instead of the list price, and the version that every writer checks.

A change takes the workspace's price lock alone; writers share it. So a change waits for the
commits under way, and every later one sees it: no event is stored at prices that are gone.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.money import plain
from llmlab_app.domain.price_terms import Agreement, Closure, PriceTerm, TermKind, kind_of
from llmlab_app.domain.pricing import Discount, MappedModel, PriceOverride, PriceScope, Validity
from llmlab_app.storage.tables import PriceTermRow, WorkspaceRow

_LOCK_CLASS = 0x11AC


class StalePrices(Exception):
    """Events were priced before their workspace's prices changed; nothing was stored."""


async def check_price_versions(
    connection: psycopg.AsyncConnection[Any], expected: Mapping[UUID, int]
) -> None:
    """Pass if each workspace's prices are of the version expected, and keep them so.

    They can't change until the transaction of ``connection`` ends.

    Raises:
        StalePrices: some have changed.
    """
    if not expected:
        return
    async with connection.pipeline():  # one round trip
        await connection.execute(
            b"SELECT pg_advisory_xact_lock_shared(%s, key) FROM unnest(%s::int[]) key",
            (_LOCK_CLASS, sorted(map(_lock_key, expected))),
        )
        # A statement of its own: it must see what was committed while the lock was waited for.
        cursor = await connection.execute(
            b"SELECT id, price_version FROM workspace WHERE id = ANY(%s)", (list(expected),)
        )
    if dict(await cursor.fetchall()) != expected:
        raise StalePrices


async def begin_change(session: AsyncSession, workspace_id: UUID) -> None:
    """Wait for the commits under way, then give the workspace's prices a new version."""
    await session.exec(select(func.pg_advisory_xact_lock(_LOCK_CLASS, _lock_key(workspace_id))))
    await session.exec(
        update(WorkspaceRow)
        .where(col(WorkspaceRow.id) == workspace_id)
        .values(price_version=WorkspaceRow.price_version + 1)
    )


def _lock_key(workspace_id: UUID) -> int:
    """31 bits of the id; two workspaces that share them only wait for one another."""
    return workspace_id.int & 0x7FFF_FFFF


async def price_version(session: AsyncSession, workspace_id: UUID) -> int:
    """How often the workspace's prices have changed."""
    found = await session.exec(
        select(WorkspaceRow.price_version).where(col(WorkspaceRow.id) == workspace_id)
    )
    return found.one()


async def terms_of(
    session: AsyncSession, workspace_id: UUID, kind: TermKind | None = None
) -> tuple[PriceTerm, ...]:
    """Every term of a workspace, newest first; closed and withdrawn ones too."""
    query = (
        select(PriceTermRow)
        .where(PriceTermRow.workspace_id == workspace_id)
        .order_by(col(PriceTermRow.created_at).desc(), col(PriceTermRow.id))
    )
    if kind is not None:
        query = query.where(PriceTermRow.kind == kind)
    return tuple(map(_term, await session.exec(query)))


async def add_term(
    session: AsyncSession,
    *,
    workspace_id: UUID,
    agreement: Agreement,
    actor: str,
    now: datetime,
) -> PriceTerm:
    """Keep ``agreement``; without a start it holds from ``now``."""
    row = PriceTermRow(
        workspace_id=workspace_id,
        kind=kind_of(agreement),
        content=_content(agreement),
        effective_from=agreement.validity.start or now,
        effective_to=agreement.validity.end,
        created_at=now,
        created_by=actor,
    )
    session.add(row)
    await session.flush()
    return _term(row)


async def close_term(
    session: AsyncSession, closure: Closure, *, actor: str, now: datetime
) -> PriceTerm:
    """Let a term end; returns it as it is now."""
    row = (await session.exec(select(PriceTermRow).where(PriceTermRow.id == closure.term.id))).one()
    row.effective_to, row.closed_at, row.closed_by = closure.end, now, actor
    await session.flush()
    return _term(row)


# Rows


def _content(agreement: Agreement) -> dict[str, Any]:
    """All of an agreement but its dates, which have columns."""
    match agreement:
        case MappedModel():
            return {
                "provider": agreement.provider,
                "model": agreement.model,
                "target_provider": agreement.target_provider,
                "target_model": agreement.target_model,
            }
        case PriceOverride():
            prices = {name: plain(price) for name, price in agreement.unit_prices.items()}
            return _scope_content(agreement) | {"unit_prices": prices}
        case Discount():
            classes = None if agreement.classes is None else sorted(agreement.classes)
            return _scope_content(agreement) | {
                "percent": plain(agreement.percent),
                "classes": classes,
            }


def _scope_content(agreement: PriceOverride | Discount) -> dict[str, Any]:
    scope = agreement.scope
    return {
        "provider": scope.provider,
        "model": scope.model,
        "service_tier": scope.service_tier,
        "note": agreement.note,
    }


def _term(row: PriceTermRow) -> PriceTerm:
    agreement = _AGREEMENTS[TermKind(row.kind)](row.content)
    return PriceTerm(
        id=row.id,
        agreement=replace(agreement, validity=Validity(row.effective_from, row.effective_to)),
        created_at=row.created_at,
        created_by=row.created_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )


def _override(content: Mapping[str, Any]) -> Agreement:
    prices = {name: Decimal(price) for name, price in content["unit_prices"].items()}
    return PriceOverride(scope=_scope(content), unit_prices=prices, note=content["note"])


def _discount(content: Mapping[str, Any]) -> Agreement:
    classes = content["classes"]
    return Discount(
        scope=_scope(content),
        percent=Decimal(content["percent"]),
        classes=None if classes is None else frozenset(classes),
        note=content["note"],
    )


def _mapping(content: Mapping[str, Any]) -> Agreement:
    return MappedModel(**content)


def _scope(content: Mapping[str, Any]) -> PriceScope:
    return PriceScope(
        provider=content["provider"],
        model=content["model"],
        service_tier=content["service_tier"],
    )


_AGREEMENTS = {
    TermKind.OVERRIDE: _override,
    TermKind.DISCOUNT: _discount,
    TermKind.MAPPING: _mapping,
}
