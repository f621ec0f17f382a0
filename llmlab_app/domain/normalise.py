"""From an event as reported to an event as stored: identity, provider, tier, charge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmlab_app.domain.errors import FieldError, InvalidInput
from llmlab_app.domain.events import AdditionalUsage, Charge, RejectionReason, Status, UsageEvent
from llmlab_app.domain.identity import identify
from llmlab_app.domain.pricing import canonical_tier, infer_provider
from llmlab_app.domain.usage import TokenUsage

UNKNOWN_PROVIDER = "unknown"


@dataclass(slots=True, kw_only=True)
class ReportedEvent:
    """One call as a client reports it; the fields of ``contracts/event.schema.json``.

    ``says_nothing`` is true when neither usage nor cost was mentioned at all, which differs from
    a call that answered without usage (``"usage": null``).
    """

    model: str
    id: str | None = None
    occurred_at: datetime | None = None
    provider: str | None = None
    request_model: str | None = None
    operation: str = "chat"
    usage: TokenUsage | None = None
    total_tokens: int | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    additional_usage: tuple[AdditionalUsage, ...] = ()
    raw_usage: Mapping[str, object] = field(default_factory=dict[str, object])
    usage_estimated: bool = False
    charge: Charge = Charge.METERED
    service_tier: str | None = None
    speed: str | None = None
    region: str | None = None
    cost: Decimal | None = None
    feature: str | None = None
    user: str | None = None
    session: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None
    stream: bool = False
    status: Status = Status.OK
    error: str | None = None
    finish_reason: str | None = None
    retries: int = 0
    response_id: str | None = None
    prompt_hash: str | None = None
    prefix_hashes: tuple[str, ...] = ()
    revision: int = 0
    sdk: str | None = None
    says_nothing: bool = False


def normalise(
    reported: ReportedEvent, *, project_id: UUID, now: datetime, entropy: bytes
) -> UsageEvent:
    """The event to store.

    Raises:
        InvalidInput: with the code of a ``RejectionReason``.
    """
    if reported.says_nothing and reported.status is Status.OK:
        detail = "Send usage, or cost, or tokens; for a call that told none, send usage: null."
        raise InvalidInput(
            detail,
            code=RejectionReason.MISSING_USAGE,
            errors=(FieldError("/usage", RejectionReason.MISSING_USAGE, detail),),
        )
    id, occurred_at = identify(
        key=reported.id,
        occurred_at=reported.occurred_at,
        project_id=project_id,
        now=now,
        entropy=entropy,
    )
    return UsageEvent(
        project_id=project_id,
        id=id,
        occurred_at=occurred_at,
        received_at=now,
        provider=reported.provider or infer_provider(reported.model) or UNKNOWN_PROVIDER,
        model=reported.model,
        request_model=reported.request_model,
        operation=reported.operation,
        usage=reported.usage,
        total_tokens=reported.total_tokens,
        units=reported.units,
        additional_usage=reported.additional_usage,
        raw_usage=reported.raw_usage,
        usage_estimated=reported.usage_estimated,
        charge=reported.charge,
        service_tier=canonical_tier(reported.service_tier),
        speed=reported.speed,
        region=reported.region,
        reported_cost=reported.cost,
        feature=reported.feature or "",
        user=reported.user,
        session=reported.session,
        tags=reported.tags,
        latency_ms=reported.latency_ms,
        time_to_first_token_ms=reported.time_to_first_token_ms,
        stream=reported.stream,
        status=reported.status,
        error=reported.error,
        finish_reason=reported.finish_reason,
        retries=reported.retries,
        response_id=reported.response_id,
        prompt_hash=reported.prompt_hash,
        prefix_hashes=reported.prefix_hashes,
        revision=reported.revision,
        sdk=reported.sdk,
    )
