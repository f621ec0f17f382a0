"""The immutable prices that stored costs were computed with."""

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
