"""Where prices are missing, and where what is computed differs from what was reported."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from llmlab_app.domain.money import EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedCalls:
    """Calls of one model that have no cost, for one reason (``UnpricedReason``)."""

    provider: str
    model: str
    reason: str
    calls: int
    first_seen: datetime
    last_seen: datetime
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDrift:
    """Calls of one model whose cost was both reported and computed, in US dollars."""

    provider: str
    model: str
    calls: int
    reported_cost: Decimal
    computed_cost: Decimal

    @property
    def difference(self) -> Decimal:
        """How much more was computed than reported."""
        return EXACT.subtract(self.computed_cost, self.reported_cost)

    @property
    def ratio(self) -> Decimal | None:
        """``computed_cost`` ÷ ``reported_cost`` to four digits; None if nothing was reported."""
        if not self.reported_cost:
            return None
        return EXACT.divide(self.computed_cost, self.reported_cost).quantize(Decimal("0.0001"))
