"""The immutable prices that stored costs were computed with."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.pricing import ModelPrice
from llmlab_app.storage.tables import PriceUsedRow


async def price_used(session: AsyncSession, price_id: str | None) -> ModelPrice | None:
    """The price named by ``price_id``; None if there is none."""
    if price_id is None:
        return None
    found = await session.exec(
        select(PriceUsedRow.content).where(col(PriceUsedRow.price_id) == price_id)
    )
    content = found.first()
    return None if content is None else ModelPrice.from_json(content)


async def keep_prices(
    connection: psycopg.AsyncConnection[Any], prices: Mapping[str, object]
) -> None:
    """Store the content of ``prices`` by ``price_id``; one that is there already stays."""
    if not prices:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO price_used (price_id, content, first_used_at) VALUES (%s, %s, now())"
            " ON CONFLICT DO NOTHING",
            [(price_id, Jsonb(content)) for price_id, content in sorted(prices.items())],
        )
