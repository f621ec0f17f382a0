"""An event as one line of COPY text, and back from a row. Nothing else knows the column order."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

from llmlab_app.domain.events import (
    AdditionalUsage,
    Charge,
    CostSource,
    EventCost,
    Status,
    UsageEvent,
)
from llmlab_app.domain.money import from_pico, plain, to_pico
from llmlab_app.domain.usage import NO_USAGE, USAGE_FIELDS, TokenUsage

NULL = r"\N"
_counts: Callable[[TokenUsage], tuple[int, ...]] = attrgetter(*USAGE_FIELDS)
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with its money, as it lies in the ledger."""

    event: UsageEvent
    cost: EventCost


def copy_line(stored: StoredEvent) -> str:
    """One line of COPY text, its values in the order of ``tables.EVENT_COLUMNS``."""
    event, cost = stored.event, stored.cost
    return "\t".join(
        (
            event.project_id.hex,
            event.id.hex,
            event.occurred_at.isoformat(),
            event.received_at.isoformat(),
            _pico(cost.list_cost),
            _pico(cost.effective_cost),
            _pico(cost.reported_cost),
            _pico(cost.cost),
            *map(str, _counts(event.usage or NO_USAGE)),
            _int(event.total_tokens),
            _int(event.latency_ms),
            _int(event.time_to_first_token_ms),
            str(event.revision),
            str(event.retries),
            "f" if event.usage is None else "t",
            "t" if event.usage_estimated else "f",
            "t" if event.stream else "f",
            event.charge,
            event.status,
            cost.source,
            _text(cost.unpriced_reason),
            _text(cost.price_id),
            _text(event.provider),
            _text(event.model),
            _text(event.request_model),
            _text(event.operation),
            _text(event.service_tier),
            _text(event.speed),
            _text(event.region),
            _text(event.feature),
            _text(event.user),
            _text(event.session),
            _text(event.error),
            _text(event.finish_reason),
            _text(event.response_id),
            _text(event.prompt_hash),
            _text(event.sdk),
            _json(event.prefix_hashes, "[]"),
            _json(event.tags, "{}"),
            _units(event.units),
            _additional(event.additional_usage),
            _json(event.raw_usage, "{}"),
        )
    )


def _pico(amount: Decimal | None) -> str:
    return NULL if amount is None else str(to_pico(amount))


def _int(value: int | None) -> str:
    return NULL if value is None else str(value)


def _text(value: str | None) -> str:
    return NULL if value is None else value.translate(_ESCAPES)


def _json(value: object, empty: str) -> str:
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPES) if value else empty


def _units(units: Mapping[str, Decimal]) -> str:
    return _json({name: plain(quantity) for name, quantity in units.items()}, "{}")


def _additional(usages: Sequence[AdditionalUsage]) -> str:
    return _json([{"model": each.model, "usage": asdict(each.usage)} for each in usages], "[]")


def stored_event(row: Mapping[Any, Any]) -> StoredEvent:
    """The event of a row of the ``event`` table, keyed by column name."""
    usage = TokenUsage(**{name: row[name] for name in USAGE_FIELDS}) if row["has_usage"] else None
    event = UsageEvent(
        project_id=row["project_id"],
        id=row["id"],
        occurred_at=row["ts"],
        usage=usage,
        units={name: Decimal(quantity) for name, quantity in row["units"].items()},
        additional_usage=tuple(
            AdditionalUsage(model=each["model"], usage=TokenUsage(**each["usage"]))
            for each in row["additional_usage"]
        ),
        charge=Charge(row["charge"]),
        status=Status(row["status"]),
        reported_cost=_dollars(row["reported_cost"]),
        user=row["end_user"],
        prefix_hashes=tuple(row["prefix_hashes"]),
        **{name: row[name] for name in _SAME_NAME},
    )
    return StoredEvent(event=event, cost=_cost(row))


def _cost(row: Mapping[Any, Any]) -> EventCost:
    return EventCost(
        list_cost=_dollars(row["list_cost"]),
        effective_cost=_dollars(row["effective_cost"]),
        reported_cost=_dollars(row["reported_cost"]),
        cost=_dollars(row["cost"]),
        source=CostSource(row["cost_source"]),
        price_id=row["price_id"],
        unpriced_reason=row["unpriced_reason"],
    )


def _dollars(pico: int | None) -> Decimal | None:
    return None if pico is None else from_pico(pico)


_SAME_NAME = (
    "received_at",
    "provider",
    "model",
    "request_model",
    "operation",
    "total_tokens",
    "raw_usage",
    "tags",
    "usage_estimated",
    "service_tier",
    "speed",
    "region",
    "feature",
    "session",
    "latency_ms",
    "time_to_first_token_ms",
    "stream",
    "error",
    "finish_reason",
    "retries",
    "response_id",
    "prompt_hash",
    "revision",
    "sdk",
)
