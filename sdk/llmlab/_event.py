"""An event as the server takes it (contracts/event.schema.json): counts, times and names only."""

from __future__ import annotations

import unicodedata
from typing import Any, Dict, Mapping, Optional, Tuple, cast

from llmlab._usage import Usage, storable
from llmlab._version import SDK

Event = Dict[str, Any]

MAX_NAME = 200
MAX_TAGS = 32
MAX_HEADS = 1_000
_UNBILLED_STATUSES = frozenset((400, 401, 403, 404, 429))
_NEVER_SENT = frozenset(
    (
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
        "ConnectionRefusedError",
        "ClientConnectorError",
        "EndpointConnectionError",
        "gaierror",
    )
)


_TOLD = (
    ("model", "model", MAX_NAME),
    ("service_tier", "service_tier", 32),
    ("speed", "speed", 32),
    ("inference_geo", "region", 64),
    ("response_id", "response_id", MAX_NAME),
    ("finish_reason", "finish_reason", 64),
)
"""What a usage says beside its counts, what the event calls it, and how long it may be."""


def clean(value: object, limit: int = MAX_NAME) -> str | None:
    """``value`` as a name that can be stored: no control characters, not empty, not too long."""
    text = value if isinstance(value, str) else str(value)
    if not text.isprintable():
        text = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cs"))
    return text[:limit] or None


def clean_tags(tags: Mapping[Any, object]) -> dict[str, str]:
    """The first tags that fit, as text."""
    kept: dict[str, str] = {}
    for key, value in list(tags.items())[:MAX_TAGS]:
        name, text = clean(key, 64), None if value is None else clean(value)
        if name and text:
            kept[name] = text
    return kept


def new_event(
    identity: str,
    scope: Any,
    *,
    model: str | None,
    provider: str | None = None,
    operation: str = "chat",
    feature: str | None = None,
) -> Event:
    """An event that knows who called whom and what for, but not yet what it consumed."""
    names = (model or scope.model, provider, operation, feature)
    event: Event = {"id": identity, **(_heads.get(names) or _learn_head(names))}
    if scope.user:
        event["user"] = clean(scope.user)
    if scope.session:
        event["session"] = clean(scope.session)
    if scope.tags:
        event["tags"] = clean_tags(scope.tags)
    return event


_Names = Tuple[Optional[str], Optional[str], str, Optional[str]]
_heads: dict[_Names, Event] = {}
"""What events of the same model, provider, operation and feature have in common."""


def _learn_head(names: _Names) -> Event:
    model, provider, operation, feature = names
    head = {
        "model": clean(model or "") or "unknown",
        "provider": clean(provider or "", 64),
        "operation": clean(operation, 64),
        "feature": clean(feature or ""),
        "sdk": SDK,
    }
    if len(_heads) >= MAX_HEADS:  # features made of user input would otherwise be kept for ever
        _heads.clear()
    _heads[names] = head = {name: value for name, value in head.items() if value}
    return head


def add_usage(event: Event, usage: Usage) -> None:
    """Put what ``usage`` tells into ``event``; what it does not tell stays as it was."""
    usage = storable(usage)
    event["usage"] = usage.as_dict()
    if usage.units:
        event["units"] = dict(usage.units)
    if usage.additional_usage:
        event["additional_usage"] = [
            {"model": more.model or event["model"], "usage": more.usage.as_dict()}
            for more in usage.additional_usage
        ]
    if usage.reported_cost is not None:
        event["cost"] = format(usage.reported_cost, "f")
    told = vars(usage)
    for name, field, limit in _TOLD:
        value = told.get(name)
        if value:
            event[field] = clean(value, limit)
    raw = usage.raw_usage
    if raw:
        event["raw_usage"] = raw


def add_error(event: Event, error: BaseException) -> None:
    """Mark ``event`` as failed: the kind of error, never its message, and who pays."""
    status = status_code_of(error)
    kind = type(error).__name__
    event["status"] = "error"
    event["error"] = f"{kind} ({status})" if status else kind
    event["charge"] = "unbilled" if _is_unbilled(error, status) else "probable"


def status_code_of(error: BaseException) -> int | None:
    """The HTTP status in ``error``, under the name that its client gives it."""
    for name in ("status_code", "http_status", "code"):
        status = getattr(error, name, None)
        if isinstance(status, int) and 100 <= status <= 599:
            return status
    answer: object = getattr(error, "response", None)
    if isinstance(answer, dict):  # botocore
        about: Any = cast("dict[str, Any]", answer).get("ResponseMetadata")
        return about.get("HTTPStatusCode") if about else None
    return None


def _is_unbilled(error: BaseException, status: int | None) -> bool:
    if status is not None:
        return status in _UNBILLED_STATUSES
    cause: BaseException | None = error
    for _ in range(5):
        if cause is None:
            return False
        if type(cause).__name__ in _NEVER_SENT:
            return True
        cause = cause.__cause__
    return False
