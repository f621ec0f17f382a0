"""What a call costs, from what it consumed and the price in force when it happened.

The flow, top to bottom: ``names`` says who bills and for what, ``book`` finds the price in force,
``terms`` what a workspace pays instead, ``token_classes`` splits the usage into parts billed at one
price each, ``costs`` multiplies, and ``event_costs`` decides which figure counts. Nothing here
knows where prices come from.
"""

from llmlab_app.domain.pricing.book import PriceBook
from llmlab_app.domain.pricing.costs import CostBreakdown, CostLine, cost_of
from llmlab_app.domain.pricing.event_costs import price_event, receipt_of
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.names import canonical_provider, canonical_tier, infer_provider
from llmlab_app.domain.pricing.rows import (
    Alias,
    DailyHours,
    PriceFactor,
    PriceFee,
    PriceLayer,
    PriceRow,
    Source,
    Step,
    Validity,
)
from llmlab_app.domain.pricing.terms import Discount, MappedModel, PriceOverride, PriceScope, Terms
from llmlab_app.domain.pricing.token_classes import TokenClass
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason

__all__ = [
    "Alias",
    "CostBreakdown",
    "CostLine",
    "DailyHours",
    "Discount",
    "MappedModel",
    "ModelPrice",
    "PriceBook",
    "PriceFactor",
    "PriceFee",
    "PriceLayer",
    "PriceOverride",
    "PriceRow",
    "PriceScope",
    "Source",
    "Step",
    "Terms",
    "TokenClass",
    "Unpriced",
    "UnpricedReason",
    "Validity",
    "canonical_provider",
    "canonical_tier",
    "cost_of",
    "infer_provider",
    "price_event",
    "receipt_of",
]
