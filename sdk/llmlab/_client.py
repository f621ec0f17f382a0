"""``LLMLabClient``: report calls by hand, and ask what became of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Mapping

from llmlab._config import is_disabled, resolve
from llmlab._event import Event, add_usage, clean, clean_tags, new_event
from llmlab._identity import call_site, new_event_id
from llmlab._late_imports import importing
from llmlab._recorder import Recorder, registry
from llmlab._report import remembered, report
from llmlab._scope import NOTHING, Scope, current_scope
from llmlab._stats import Stats
from llmlab._usage import Usage, extract_usage
from llmlab._warn import warn_no_usage, warn_once

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

MAX_COUNT = 2**31 - 1
MAX_COST = 1_000_000
_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "mistralai": "mistral",
}
"""Packages whose response objects tell who made them."""


class LLMLabClient:
    """Reports to one server with one key. As many as you like share one queue and one thread.

    Args:
        api_key, server, project: Instead of ``LLMLAB_API_KEY``, ``LLMLAB_SERVER``,
            ``LLMLAB_PROJECT`` or what ``~/.llmlab/config.json`` says.

    No method raises for what it is given: what can't be reported is counted in ``stats``.
    """

    def __init__(
        self,
        api_key: str | None = None,
        server: str | None = None,
        project: str | None = None,
    ) -> None:
        self._destination = resolve(server=server, api_key=api_key, project=project)

    @property
    def recorder(self) -> Recorder:
        """Where this client's events go."""
        return registry.at(self._destination)

    def track(
        self,
        response: object,
        *,
        provider: str | None = None,
        model: str | None = None,
        operation: str = "chat",
        feature: str | None = None,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | None = None,
        latency_ms: int | None = None,
    ) -> str | None:
        """Report one answer of a provider: an SDK object, a dict, a stream's events, raw text.

        Returns the event's id, None if the response holds no usage. A response that was recorded
        by itself already is not counted again; what is said here is added to its event.
        """
        scope = Scope(
            current_scope.get(),
            feature=feature,
            user=user,
            session=session,
            tags=tags,
            provider=provider,
            model=model,
            recorder=self.recorder,
        )
        told = {"operation": operation, "latency_ms": latency_ms}
        says_more = bool(feature or user or session or tags)
        return track_answer(
            response, scope, name="LLMLabClient.track()", told=told, says_more=says_more
        )

    def track_event(
        self,
        model: str,
        *,
        provider: str | None = None,
        usage: Usage | Mapping[str, int] | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        tokens: int | None = None,
        cost: float | str | Decimal | None = None,
        operation: str = "chat",
        feature: str | None = None,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | None = None,
        latency_ms: int | None = None,
        charge: str | None = None,
        id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> str | None:
        """Report one call by its numbers: ``track_event(model="gpt-4", tokens=1500, cost=0.045)``.

        ``usage`` holds token counts by name, as in the event's ``usage``; or give ``input_tokens``
        and ``output_tokens``, or only the total as ``tokens``. ``cost`` is in US dollars, if you
        know it better than the server. With an ``id`` of yours and ``occurred_at`` (the start of
        the call, with a time zone) reporting the same call again is harmless.

        Returns the event's id, None if the numbers make no sense.
        """
        if is_disabled():
            return None
        try:
            scope = Scope(
                current_scope.get(), feature=feature, user=user, session=session, tags=tags
            )
            moment = time.time() if occurred_at is None else occurred_at.timestamp()
            event = new_event(
                id or new_event_id(int(moment * 1000)),
                scope,
                model=model,
                provider=provider or scope.provider,
                operation=operation,
                feature=scope.feature or call_site(),
            )
            if id is not None and occurred_at is not None:
                event["occurred_at"] = occurred_at.isoformat()
            counts = _counts(usage, input_tokens, output_tokens)
            optional = (
                ("usage", counts),
                ("tokens", tokens),
                ("latency_ms", latency_ms),
                ("charge", charge),
            )
            event.update((name, value) for name, value in optional if value is not None)
            if cost is not None:
                event["cost"] = _dollars(cost)
            _check(event)
            scope.note_call()
            report(event, None, scope, self.recorder)
            return event["id"]
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            self.recorder.drops.add("invalid_event")
            warn_once(
                f"LLMLab could not record track_event({model!r}, …): it needs whole token counts "
                "from 0 to 2147483647, or a cost from 0 to 1000000 dollars."
            )
            return None
        except Exception:
            return self._fault()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything reported so far has reached the server; False if it has not.

        Never needed for safety: what is not delivered waits in the spool.
        """
        try:
            return self.recorder.flush(timeout)
        except Exception:
            return bool(self._fault())

    async def aflush(self, timeout: float = 5.0) -> bool:
        """``flush`` without holding up the event loop."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout)

    @property
    def stats(self) -> Stats:
        """What became of this process's events: written, delivered, spooled, dropped by reason."""
        return self.recorder.stats

    def close(self) -> None:
        """Nothing to give back: the queue belongs to the process and outlives every client."""

    def __enter__(self) -> LLMLabClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> LLMLabClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def _fault(self) -> None:
        self.recorder.drops.add("internal_error")


def track_answer(
    response: object,
    scope: Scope,
    *,
    name: str,
    told: Mapping[str, object] | None = None,
    says_more: bool = False,
) -> str | None:
    """Report ``response`` as ``scope`` says; the event's id, or None if it holds no usage.

    A response that was recorded already is not counted again: what ``scope`` says is added to its
    event if it ``says_more``. ``name`` is who asks, for the warning.
    """
    recorder = scope.recorder or registry.default()
    try:
        if is_disabled():
            return None
        usage = extract_usage(response, scope.provider)
        if usage is None:
            recorder.drops.add("no_usage")
            warn_no_usage(name)
            return None
        scope.note_call()
        known = remembered(usage.response_id)
        if known is not None:
            return _amend(known, scope, recorder) if says_more else known["id"]
        event = new_event(
            new_event_id(time.time_ns() // 1_000_000),
            scope,
            model=scope.model or usage.model,
            provider=scope.provider or _maker_of(response),
            feature=scope.feature or call_site(),
        )
        event.update((name, value) for name, value in (told or {}).items() if value is not None)
        add_usage(event, usage)
        report(event, usage, scope, recorder)
    except Exception:
        recorder.drops.add("internal_error")
        return None
    return event["id"]


def _amend(event: Event, scope: Scope, recorder: Recorder) -> str:
    """Say more about an event that is on its way: a higher revision replaces it."""
    newer = dict(event, revision=event.get("revision", 0) + 1)
    for name, told in (
        ("feature", scope.feature),
        ("user", scope.user),
        ("session", scope.session),
    ):
        if told:
            newer[name] = clean(told)
    if scope.tags:
        newer["tags"] = {**event.get("tags", {}), **clean_tags(scope.tags)}
    report(newer, None, NOTHING, recorder)
    return event["id"]


def _maker_of(response: object) -> str | None:
    return _PROVIDERS.get(type(response).__module__.partition(".")[0])


def _counts(usage: Any, input_tokens: Any, output_tokens: Any) -> Mapping[str, int] | None:
    if isinstance(usage, Usage):
        return usage.as_dict()
    if usage is not None:
        return dict(usage)
    if input_tokens is None and output_tokens is None:
        return None
    return {"input_tokens": input_tokens or 0, "output_tokens": output_tokens or 0}


def _dollars(cost: Any) -> str:
    with importing:
        from decimal import Decimal

    # By way of text: Decimal(0.045) would be 0.04499999999999999833466546306.
    amount = Decimal(str(cost))
    if not amount.is_finite() or not 0 <= amount <= MAX_COST:
        raise ValueError("cost")
    return format(amount, "f")


def _check(event: Event) -> None:
    """Refuse what the server would refuse.

    Raises:
        ValueError: a count is not a whole number in range, or there is nothing to count.
    """
    counts: list[object] = [*event.get("usage", {}).values()]
    counts += [event[name] for name in ("tokens", "latency_ms") if name in event]
    if not all(type(count) is int and 0 <= count <= MAX_COUNT for count in counts):
        raise ValueError("counts")
    if not ("usage" in event or "tokens" in event or "cost" in event):
        raise ValueError("nothing")
