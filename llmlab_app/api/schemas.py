"""What goes over the wire: strict on the way in, explicit on the way out.

The event's fields are those of ``contracts/event.schema.json``; a test keeps the two equal.
"""

import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from llmlab_app.domain.access import Scope
from llmlab_app.domain.events import AdditionalUsage, Charge, Status
from llmlab_app.domain.money import MAX_EVENT_COST
from llmlab_app.domain.normalise import ReportedEvent
from llmlab_app.domain.usage import MAX_COUNT, TokenUsage

MAX_BATCH = 1000
MAX_RAW_USAGE_BYTES = 4096
_NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Tier = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=_NO_CONTROLS)]
Label = Annotated[str, StringConstraints(max_length=200, pattern=_NO_CONTROLS)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Milliseconds = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Dollars = Annotated[Decimal, Field(ge=0, le=MAX_EVENT_COST, max_digits=40, allow_inf_nan=False)]
Quantity = Annotated[Decimal, Field(ge=0, le=10**12, max_digits=40, allow_inf_nan=False)]

Units = Annotated[dict[Word, Quantity], Field(max_length=32)]


def _content_free(raw: dict[str, Any]) -> dict[str, Any]:
    """Numbers and short words only: raw usage must never carry a prompt or an answer."""
    _check_content_free(raw)
    if len(json.dumps(raw)) > MAX_RAW_USAGE_BYTES:
        raise ValueError(f"raw_usage must be at most {MAX_RAW_USAGE_BYTES} bytes of JSON")
    return raw


def _check_content_free(value: object, depth: int = 0) -> None:
    match value:
        case None | bool() | int():
            return
        case float() if value == value and abs(value) != float("inf"):
            return
        case str() if len(value) <= 64 and value.isprintable():
            return
        case list() if depth < 6:
            for each in value:
                _check_content_free(each, depth + 1)
        case dict() if depth < 6 and all(len(key) <= 64 and key.isprintable() for key in value):
            for each in value.values():
                _check_content_free(each, depth + 1)
        case _:
            raise ValueError("raw_usage takes numbers and words of at most 64 characters only")


RawUsage = Annotated[dict[str, Any], AfterValidator(_content_free)]


class Strict(BaseModel):
    """A request body: unknown fields, coerced types, NaN and infinities are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class UsageIn(Strict):
    """What the call consumed; see ``domain.usage.TokenUsage`` for which count includes which."""

    input_tokens: Count = 0
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    cache_write_1h_tokens: Count = 0
    input_audio_tokens: Count = 0
    input_image_tokens: Count = 0
    input_video_tokens: Count = 0
    cache_read_audio_tokens: Count = 0
    tool_use_input_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0
    output_audio_tokens: Count = 0
    output_image_tokens: Count = 0
    web_search_requests: Count = 0


class AdditionalUsageIn(Strict):
    """Usage billed beside the top level, at the price of its own model."""

    model: Name
    usage: UsageIn


class EventIn(Strict):
    """One provider call. Only ``model`` and either ``usage`` or ``cost`` are required."""

    model: Name
    id: Name | None = None
    occurred_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    provider: Word | None = None
    request_model: Name | None = None
    operation: Word = "chat"
    usage: UsageIn | None = None
    tokens: Count | None = None
    units: Units = Field(default_factory=dict[str, Decimal])
    additional_usage: Annotated[list[AdditionalUsageIn], Field(max_length=16)] = Field(
        default_factory=list[AdditionalUsageIn]
    )
    raw_usage: RawUsage | None = None
    usage_estimated: bool = False
    charge: Annotated[Charge, Field(strict=False)] = Charge.METERED
    service_tier: Tier | None = None
    speed: Tier | None = None
    region: Word | None = None
    cost: Dollars | None = None
    feature: Label | None = None
    user: Name | None = None
    session: Name | None = None
    tags: Annotated[dict[Word, Label], Field(max_length=32)] = Field(default_factory=dict[str, str])
    latency_ms: Milliseconds | None = None
    time_to_first_token_ms: Milliseconds | None = None
    stream: bool = False
    status: Annotated[Status, Field(strict=False)] = Status.OK
    error: Name | None = None
    finish_reason: Word | None = None
    retries: Annotated[int, Field(ge=0, le=1000)] = 0
    response_id: Name | None = None
    prompt_hash: Word | None = None
    prefix_hashes: Annotated[list[Word], Field(max_length=64)] = Field(default_factory=list[str])
    revision: Count = 0
    sdk: Word | None = None


class BatchIn(Strict):
    """1 to 1,000 events; one that is wrong rejects itself alone."""

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_BATCH)]


class ProjectIn(Strict):
    """A project to create; the domain says which names will do."""

    name: str


class KeyIn(Strict):
    """A key to create: for one project, or without ``project`` for the whole workspace."""

    name: str
    scopes: list[Scope]
    project: Name | None = None


class PasswordIn(Strict):
    """The owner's password, as typed."""

    password: str


EVENT_FIELDS: tuple[str, ...] = tuple(EventIn.model_fields)


def reported(event: EventIn) -> ReportedEvent:
    """The domain's form of a parsed event.

    Raises:
        ContradictoryUsage: counts that can't all be true.
    """
    said = event.model_fields_set
    return ReportedEvent(
        model=event.model,
        id=event.id,
        occurred_at=event.occurred_at,
        provider=event.provider,
        request_model=event.request_model,
        operation=event.operation,
        usage=None if event.usage is None else usage_of(event.usage),
        total_tokens=event.tokens,
        units=event.units,
        additional_usage=tuple(
            AdditionalUsage(model=each.model, usage=usage_of(each.usage))
            for each in event.additional_usage
        ),
        raw_usage=event.raw_usage or {},
        usage_estimated=event.usage_estimated,
        charge=event.charge,
        service_tier=event.service_tier,
        speed=event.speed,
        region=event.region,
        cost=event.cost,
        feature=event.feature,
        user=event.user,
        session=event.session,
        tags=event.tags,
        latency_ms=event.latency_ms,
        time_to_first_token_ms=event.time_to_first_token_ms,
        stream=event.stream,
        status=event.status,
        error=event.error,
        finish_reason=event.finish_reason,
        retries=event.retries,
        response_id=event.response_id,
        prompt_hash=event.prompt_hash,
        prefix_hashes=tuple(event.prefix_hashes),
        revision=event.revision,
        sdk=event.sdk,
        says_nothing=not {"usage", "cost", "tokens"} & said,
    )


def usage_of(usage: BaseModel) -> TokenUsage:
    """The domain's form of a parsed ``usage``.

    Raises:
        ContradictoryUsage: counts that can't all be true.
    """
    # __dict__ holds the validated fields; model_dump would copy them once more.
    return TokenUsage(**usage.__dict__)
