"""One call and its cost, line by line."""

import json
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views.feed import cost_text
from llmlab_app.domain.events import Charge, CostSource, Status, UsageEvent
from llmlab_app.domain.pricing import CostLine, ModelPrice, TokenClass
from llmlab_app.services import calls

_TOKENS = {
    TokenClass.INPUT: "Input, uncached",
    TokenClass.CACHE_READ: "Cache read",
    TokenClass.CACHE_WRITE: "Cache write, 5 min",
    TokenClass.CACHE_WRITE_1H: "Cache write, 1 h",
    TokenClass.CACHE_READ_AUDIO: "Cache read, audio",
    TokenClass.INPUT_AUDIO: "Input, audio",
    TokenClass.INPUT_IMAGE: "Input, image",
    TokenClass.INPUT_VIDEO: "Input, video",
    TokenClass.OUTPUT: "Output",
    TokenClass.REASONING: "Reasoning",
    TokenClass.OUTPUT_AUDIO: "Output, audio",
    TokenClass.OUTPUT_IMAGE: "Output, image",
}
_PIECES = {
    TokenClass.WEB_SEARCH: "Web search",
    TokenClass.GROUNDED_PROMPT: "Grounded prompt",
    TokenClass.REQUEST: "Request fee",
}
_CHARGES = {
    Charge.METERED: "Metered",
    Charge.EQUIVALENT: "Equivalent: a subscription, valued at API prices. In no total.",
    Charge.PROBABLE: "Probable: ended early, may be billed. In no total.",
    Charge.UNBILLED: "Not billed: refused before any work",
    Charge.TEST: "Test: in no total",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """``Output``, ``812 × $15.00 per 1M``, ``$0.0121800``."""

    name: str
    calculation: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One thing that is known about the call."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The whole page."""

    model: str = ""
    moment: str = ""
    status: str = ""
    status_css: str = "badge"
    lines: list[ReceiptLine] = field(default_factory=list[ReceiptLine])
    total: str = ""
    note: str = ""
    price_source: str = ""
    details: list[Detail] = field(default_factory=list[Detail])
    raw_usage: str = ""


def receipt_of(found: calls.Receipt, *, zone: ZoneInfo) -> Receipt:
    """``found`` in the words of the page, times in ``zone``."""
    event, cost = found.call.event, found.call.cost
    lines = found.breakdown.lines if found.breakdown else ()
    is_ok = event.status is Status.OK
    return Receipt(
        model=event.model,
        moment=formatting.full_moment(event.occurred_at.astimezone(zone)),
        status="OK" if is_ok else event.error or "Error",
        status_css="badge ok" if is_ok else "badge bad",
        lines=[_line(line, event.model) for line in lines],
        total=cost_text(event, cost) if cost.cost is None else formatting.receipt_line(cost.cost),
        note=_note(cost.source, cost.unpriced_reason),
        price_source=_price_source(found.price, cost.source),
        details=[*_agreed_cost(found), *_details(event, zone)],
        raw_usage=json.dumps(dict(event.raw_usage), indent=2) if event.raw_usage else "",
    )


def _line(line: CostLine, model: str) -> ReceiptLine:
    name = {**_TOKENS, **_PIECES}.get(TokenClass(line.token_class)) if _is_known(line) else None
    return ReceiptLine(
        name=(name or line.token_class) + ("" if line.model == model else f", {line.model}"),
        calculation=_calculation(line),
        cost=formatting.receipt_line(line.cost),
    )


def _is_known(line: CostLine) -> bool:
    return line.token_class in frozenset(TokenClass)


def _calculation(line: CostLine) -> str:
    quantity = f"{line.quantity.normalize():,f}"
    if _is_known(line) and TokenClass(line.token_class) in _TOKENS:
        return f"{quantity} × {formatting.unit_price(line.unit_price_per_million)} per 1M"
    return f"{quantity} × {formatting.unit_price(line.unit_price_per_million / 1_000_000)} each"


def _note(source: CostSource, unpriced_reason: str | None) -> str:
    match source:
        case CostSource.REPORTED:
            return "Reported by the caller or the provider; not computed here."
        case CostSource.UNPRICED:
            reason = (unpriced_reason or "unknown").replace("_", " ")
            return f"No cost could be computed: {reason}. It is in no total."
        case CostSource.COMPUTED:
            return ""


def _price_source(price: ModelPrice | None, source: CostSource) -> str:
    if price is None:
        return "None was used." if source is CostSource.UNPRICED else "The figure came as it is."
    valid = f", valid from {_date(price.effective_from)}" if price.effective_from else ""
    checked = f", checked {_date(price.verified_on)}" if price.verified_on else ""
    tier = "" if price.service_tier == "default" else f" {price.service_tier.capitalize()} tier."
    factors = "".join(f" {name}: × {factor}." for name, factor in price.factors.items())
    paid = _agreement(price, price.agreed) if price.agreed else ""
    return f"{price.provider} / {price.model}, {price.source}{valid}{checked}.{tier}{factors}{paid}"


def _agreement(price: ModelPrice, agreed: ModelPrice) -> str:
    """What the workspace pays instead, by name."""
    names = [name for name in agreed.factors if name not in price.factors]
    if agreed.source != price.source:
        names.insert(0, agreed.source)
    return f" You pay: {', '.join(names)}." if names else ""


def _agreed_cost(found: calls.Receipt) -> list[Detail]:
    """The list cost beside what is paid, where that is something else."""
    listed, difference = found.call.cost.list_cost, found.discount
    if listed is None or not difference:
        return []
    name = "Discount" if difference > 0 else "Above list"
    return [
        Detail(name="List cost", value=formatting.receipt_line(listed)),
        Detail(name=name, value=formatting.receipt_line(abs(difference))),
    ]


def _date(on) -> str:
    return f"{on.day} {formatting.MONTHS[on.month - 1]} {on.year}"


def _details(event: UsageEvent, zone: ZoneInfo) -> list[Detail]:
    pairs = (
        ("Provider", event.provider),
        ("Feature", event.feature or "untagged"),
        ("Latency", _latency(event)),
        ("Charge", _CHARGES[event.charge]),
        ("Tier", "" if event.service_tier == "default" else event.service_tier),
        ("Usage", "estimated" if event.usage_estimated else ""),
        ("User", event.user or ""),
        ("Session", event.session or ""),
        ("Tags", ", ".join(f"{key}: {value}" for key, value in event.tags.items())),
        ("Received", formatting.full_moment(event.received_at.astimezone(zone))),
        ("Call ID", str(event.id)),
    )
    return [Detail(name=name, value=value) for name, value in pairs if value]


def _latency(event: UsageEvent) -> str:
    if event.latency_ms is None:
        return ""
    text = formatting.latency(event.latency_ms)
    if event.time_to_first_token_ms is None:
        return text
    return f"{text}, first token {formatting.latency(event.time_to_first_token_ms)}"
