"""Domain objects as JSON. Money is a string: no float ever touches it."""

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llmlab_app.domain.money import CURRENCY, plain
from llmlab_app.domain.price_terms import Agreement, PriceTerm
from llmlab_app.domain.pricing import CostLine, Discount, MappedModel, ModelPrice, PriceOverride
from llmlab_app.domain.spend import Breakdown, PeriodSpend, Spend, Summary
from llmlab_app.services.calls import Call, Receipt


def money(amount: Decimal | None) -> str | None:
    """Dollars as a string; None is unknown."""
    return None if amount is None else plain(amount)


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def spend_json(spend: Spend) -> dict[str, Any]:
    """The measures of a group of calls."""
    return {**asdict(spend), "cost": money(spend.cost)}


def summary_json(summary: Summary) -> dict[str, Any]:
    """The four figures of ``GET /api/costs/summary``."""
    return {
        "today": _period_json(summary.today),
        "week": _period_json(summary.week),
        "month": _period_json(summary.month),
        "all_time": _period_json(summary.all_time),
        "currency": CURRENCY,
        "timezone": summary.timezone,
    }


def _period_json(period: PeriodSpend) -> dict[str, Any]:
    spend = period.spend
    return {
        "cost": money(spend.cost),
        "events": spend.events,
        "input_tokens": spend.input_tokens,
        "output_tokens": spend.output_tokens,
        "unpriced_events": spend.unpriced_events,
        "previous_cost": money(period.previous_cost),
        "first_day": period.first_day.isoformat(),
    }


def breakdown_json(breakdown: Breakdown) -> dict[str, Any]:
    """The answer of ``GET /api/costs``."""
    return {
        "data": [{"key": dict(row.key), **spend_json(row.spend)} for row in breakdown.rows],
        "total": spend_json(breakdown.total),
        "source": breakdown.source,
    }


def call_json(call: Call) -> dict[str, Any]:
    """One call with its money."""
    event, cost = call.event, call.cost
    return {
        "id": str(event.id),
        "project_id": str(event.project_id),
        "occurred_at": instant(event.occurred_at),
        "received_at": instant(event.received_at),
        "provider": event.provider,
        "model": event.model,
        "request_model": event.request_model,
        "operation": event.operation,
        "usage": None if event.usage is None else asdict(event.usage),
        "total_tokens": event.total_tokens,
        "units": {name: plain(quantity) for name, quantity in event.units.items()},
        "additional_usage": [
            {"model": each.model, "usage": asdict(each.usage)} for each in event.additional_usage
        ],
        "raw_usage": dict(event.raw_usage),
        "usage_estimated": event.usage_estimated,
        "charge": event.charge,
        "service_tier": event.service_tier,
        "speed": event.speed,
        "region": event.region,
        "feature": event.feature or None,
        "user": event.user,
        "session": event.session,
        "tags": dict(event.tags),
        "latency_ms": event.latency_ms,
        "time_to_first_token_ms": event.time_to_first_token_ms,
        "stream": event.stream,
        "status": event.status,
        "error": event.error,
        "finish_reason": event.finish_reason,
        "retries": event.retries,
        "response_id": event.response_id,
        "revision": event.revision,
        "sdk": event.sdk,
        "cost": money(cost.cost),
        "cost_source": cost.source,
        "list_cost": money(cost.list_cost),
        "effective_cost": money(cost.effective_cost),
        "reported_cost": money(cost.reported_cost),
        "unpriced_reason": cost.unpriced_reason,
        "price_id": cost.price_id,
    }


def line_json(line: CostLine) -> dict[str, Any]:
    """One line of a receipt: quantity × unit price = cost."""
    return {
        "token_class": line.token_class,
        "quantity": plain(line.quantity),
        "unit_price_per_million": plain(line.unit_price_per_million),
        "cost": plain(line.cost),
        "model": line.model,
    }


def price_json(price: ModelPrice | None) -> dict[str, Any]:
    """Where a price comes from and when it held."""
    if price is None:
        return {"price_source": None, "price_id": None, "effective_from": None}
    return {
        "price_source": price.source,
        "price_source_url": price.source_url or None,
        "price_id": price.price_id,
        "effective_from": instant(price.effective_from),
        "effective_to": instant(price.effective_to),
        "service_tier": price.service_tier,
        "factors": {name: plain(factor) for name, factor in price.factors.items()},
        "agreed": _agreed_json(price.agreed),
    }


def _agreed_json(agreed: ModelPrice | None) -> dict[str, Any] | None:
    """What the workspace pays instead of the list price, None where it pays just that."""
    if agreed is None:
        return None
    return {
        "price_source": agreed.source,
        "factors": {name: plain(factor) for name, factor in agreed.factors.items()},
        "unit_prices_per_million": {
            name: plain(price) for name, price in agreed.unit_prices.items()
        },
    }


def term_json(term: PriceTerm) -> dict[str, Any]:
    """An override, a discount or a mapping, and its record."""
    return {
        "id": str(term.id),
        **_agreement_json(term.agreement),
        "effective_from": instant(term.starts_at),
        "effective_to": instant(term.agreement.validity.end),
        "created_at": instant(term.created_at),
        "created_by": term.created_by,
        "closed_at": instant(term.closed_at),
        "closed_by": term.closed_by,
    }


def _agreement_json(agreement: Agreement) -> dict[str, Any]:
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
            return {**_scope_json(agreement), "unit_prices_per_million": prices}
        case Discount():
            classes = None if agreement.classes is None else sorted(agreement.classes)
            return {
                **_scope_json(agreement),
                "percent": plain(agreement.percent),
                "token_classes": classes,
            }


def _scope_json(agreement: PriceOverride | Discount) -> dict[str, Any]:
    scope = agreement.scope
    return {
        "provider": scope.provider,
        "model": scope.model,
        "service_tier": scope.service_tier,
        "note": agreement.note,
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A call's receipt; the lines add up to the computed cost exactly."""
    breakdown = receipt.breakdown
    return {
        "event": call_json(receipt.call),
        "cost": money(receipt.call.cost.cost),
        "currency": CURRENCY,
        "cost_source": receipt.call.cost.source,
        "list_cost": money(receipt.call.cost.list_cost),
        "discount": money(receipt.discount),
        "effective_cost": money(receipt.call.cost.effective_cost),
        "unpriced_reason": receipt.call.cost.unpriced_reason,
        "lines": [line_json(line) for line in breakdown.lines] if breakdown else [],
        **price_json(receipt.price),
    }
