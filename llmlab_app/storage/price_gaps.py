"""Calls without a price, and calls with two costs that should be one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.calendar import Period
from llmlab_app.domain.events import Charge
from llmlab_app.domain.money import from_pico
from llmlab_app.domain.price_gaps import PriceDrift, UnpricedCalls
from llmlab_app.storage.database import fetch

_IN = " AND e.ts >= :start AND e.ts < :end"


async def unpriced_calls(
    session: AsyncSession, *, projects: Sequence[UUID], period: Period | None, limit: int
) -> list[UnpricedCalls]:
    """Calls without a cost by model and reason, most first; read from an index of just these."""
    found = await fetch(
        session,
        f"""
        SELECT e.provider, e.model, coalesce(e.unpriced_reason, '') AS reason,
               count(*) AS calls, min(e.ts) AS first_seen, max(e.ts) AS last_seen,
               sum(e.input_tokens::bigint)::bigint AS input_tokens,
               sum(e.output_tokens::bigint)::bigint AS output_tokens
        FROM event e
        WHERE e.project_id = ANY(:projects) AND e.cost_source = 'unpriced'
              AND e.charge <> :unbilled{_IN if period else ""}
        GROUP BY 1, 2, 3 ORDER BY calls DESC, 1, 2, 3 LIMIT :limit
        """,
        {"projects": list(projects), "unbilled": Charge.UNBILLED, "limit": limit} | _ends(period),
    )
    return [UnpricedCalls(**row) for row in found]


async def drift(
    session: AsyncSession, *, projects: Sequence[UUID], period: Period, limit: int
) -> list[PriceDrift]:
    """Reported and computed cost of the calls that have both, by model, widest apart first."""
    found = await fetch(
        session,
        f"""
        SELECT e.provider, e.model, count(*) AS calls,
               sum(e.reported_cost::numeric) AS reported,
               sum(e.effective_cost::numeric) AS computed
        FROM event e
        WHERE e.project_id = ANY(:projects) AND e.charge = :metered
              AND e.reported_cost IS NOT NULL AND e.effective_cost IS NOT NULL{_IN}
        GROUP BY 1, 2
        ORDER BY abs(sum(e.effective_cost::numeric) - sum(e.reported_cost::numeric)) DESC, 1, 2
        LIMIT :limit
        """,
        {"projects": list(projects), "metered": Charge.METERED, "limit": limit} | _ends(period),
    )
    return [
        PriceDrift(
            provider=row["provider"],
            model=row["model"],
            calls=row["calls"],
            reported_cost=from_pico(row["reported"]),
            computed_cost=from_pico(row["computed"]),
        )
        for row in found
    ]


def _ends(period: Period | None) -> dict[str, Any]:
    return {"start": period.start, "end": period.end} if period else {}
