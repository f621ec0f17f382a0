"""One provider call, from its start to the one event that tells of it."""

from __future__ import annotations

import time
import weakref
from typing import Any, Callable

from llmlab._event import Event, add_error, add_usage, new_event
from llmlab._identity import call_site, new_event_id
from llmlab._recorder import Recorder, registry
from llmlab._report import report
from llmlab._scope import NOTHING, current_scope
from llmlab._usage import Usage, UsageStream, extract_usage


class Call:
    """A call under way. Made when it starts; ``answered`` or ``failed`` when it ends, once.

    No method raises: the caller is in the middle of the user's own call.
    """

    __slots__ = (
        "_feature",
        "_scope",
        "_started",
        "api",
        "ended",
        "first_at",
        "id",
        "model",
        "operation",
        "provider",
        "retries",
        "streamed",
        "units",
    )

    def __init__(self, provider: str, model: str | None, operation: str, api: str) -> None:
        self.id = new_event_id(time.time_ns() // 1_000_000)
        self._started = time.perf_counter()
        scope = current_scope.get()
        if scope is not None:
            scope.note_call()
        self._scope = scope or NOTHING
        self._feature = self._scope.feature or call_site()
        self.provider = provider
        self.model = model
        self.operation = operation
        self.api = api
        self.streamed = False
        self.first_at: float | None = None
        self.retries = 0
        self.units: dict[str, float] | None = None
        self.ended = False

    def settle(self, response: Any) -> Any:
        """``response``, having read what it consumed."""
        self.answered(response)
        return response

    def goes_on_after(self, error: BaseException) -> bool:
        """False: the call is over."""
        self.failed(error)
        return False

    def began(self) -> None:
        """The first piece of the answer is here."""
        self.first_at = time.perf_counter()

    def answered(
        self, response: object, headers: object = None, *, is_partial: bool = False
    ) -> None:
        """The provider answered with ``response``, or with that much of it."""
        try:
            usage = extract_usage(response, self.provider, self.api, headers)
            self._record(usage, is_partial=is_partial)
        except Exception:
            self._recorder.drops.add("internal_error")

    def end_later(self, finish: Callable[[], None]) -> None:
        """Have ``finish`` end the call from a place where that is safe."""
        if not self.ended:
            self._recorder.record_later(finish)

    def failed(self, error: BaseException, usage: Usage | None = None) -> None:
        """The call ended with ``error``. ``usage`` is what was consumed until then, if known."""
        try:
            self._record(usage, error=error)
        except Exception:
            self._recorder.drops.add("internal_error")

    def _record(
        self,
        usage: Usage | None,
        *,
        error: BaseException | None = None,
        is_partial: bool = False,
    ) -> None:
        if self.ended:
            return
        self.ended = True
        event = self._event()
        if usage is not None:
            add_usage(event, usage)
        if error is not None:
            add_error(event, error)
        if is_partial:
            event["usage_estimated"] = True
            event.setdefault("charge", "probable")
        report(event, usage, self._scope, self._recorder)

    def _event(self) -> Event:
        event = new_event(
            self.id,
            self._scope,
            model=self.model,
            provider=self.provider,
            operation=self.operation,
            feature=self._feature,
        )
        if self.model:
            event["request_model"] = event["model"]
        event["latency_ms"] = self._milliseconds_to(time.perf_counter())
        if self.first_at is not None:
            event["time_to_first_token_ms"] = self._milliseconds_to(self.first_at)
        if self.streamed:
            event["stream"] = True
        if self.retries:
            event["retries"] = self.retries
        if self.units:
            event["units"] = self.units
        return event

    def _milliseconds_to(self, moment: float) -> int:
        return round((moment - self._started) * 1000)

    @property
    def _recorder(self) -> Recorder:
        return self._scope.recorder or registry.default()


class StreamedCall(Call):
    """A call whose answer comes in pieces; it ends when they do, or are closed, or are dropped."""

    __slots__ = ("__weakref__", "pieces")

    def __init__(self, provider: str, model: str | None, operation: str, api: str) -> None:
        super().__init__(provider, model, operation, api)
        self.streamed = True
        self.pieces = UsageStream()
        self._recorder.expect_late()
        _open_streams.add(self)

    def completed(self) -> None:
        """The stream ran to its end."""
        self._end(is_partial=False)

    def closed(self) -> None:
        """The user had enough: what the provider would have said at the end is not known."""
        if not self.ended:
            self._end(is_partial=True)

    def failed(self, error: BaseException, usage: Usage | None = None) -> None:
        try:
            usage = usage or self.pieces.usage(provider=self.provider)
            self._record(usage, error=error, is_partial=True)
        except Exception:
            self._recorder.drops.add("internal_error")

    def _end(self, *, is_partial: bool) -> None:
        try:
            usage = self.pieces.usage(provider=self.provider)
            self._record(usage, is_partial=is_partial)
        except Exception:
            self._recorder.drops.add("internal_error")

    def __del__(self) -> None:
        if not self.ended:
            try:
                self.end_later(self.closed)
            except Exception:  # the interpreter is leaving and has taken our modules apart
                return


_open_streams: weakref.WeakSet[StreamedCall] = weakref.WeakSet()


def close_open_streams() -> None:
    """The process ends with streams half read."""
    for call in list(_open_streams):
        call.closed()


registry.before_exit.append(close_open_streams)
