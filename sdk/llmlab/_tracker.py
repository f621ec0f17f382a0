"""``LLMLabTracker``: what did the calls in this block of code consume?"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Mapping

from llmlab._client import LLMLabClient
from llmlab._config import is_disabled
from llmlab._event import Event
from llmlab._instrument import watch
from llmlab._late_imports import importing
from llmlab._scope import Scope, current_scope, leave
from llmlab._usage import Usage

if TYPE_CHECKING:
    from decimal import Decimal


def _zero() -> Decimal:
    with importing:
        from decimal import Decimal  # which only trackers need

    return Decimal(0)


class LLMLabTracker:
    """Counts every call made inside ``with``, nested and across threads and tasks.

    >>> with LLMLabTracker(feature="nightly-report") as tracker:
    ...     run_the_report()
    >>> tracker.calls, tracker.usage.output_tokens, tracker.wait(timeout=5)

    ``calls`` and ``usage`` are known at once, ``cost`` when the server has answered. Leaving the
    block never waits.
    """

    def __init__(
        self,
        feature: str | None = None,
        *,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | None = None,
        provider: str | None = None,
        client: LLMLabClient | None = None,
    ) -> None:
        self._says: dict[str, Any] = {
            "feature": feature,
            "user": user,
            "session": session,
            "tags": tags,
            "provider": provider,
        }
        self._client = client
        self._tokens: list[Any] = []
        self._changed = threading.Condition()
        self._calls = 0
        self._awaited = 0
        self._unpriced = 0
        self._cost: Decimal = _zero()
        self._sources: set[str] = set()
        self._counts: dict[str, int] = {}

    # -- what it found

    @property
    def calls(self) -> int:
        """How many provider calls ended inside, failed ones included."""
        return self._calls

    @property
    def usage(self) -> Usage:
        """The token counts of all calls, summed."""
        with self._changed:
            return Usage(**self._counts)

    @property
    def cost(self) -> Decimal | None:
        """What the calls cost in US dollars, exactly; None as long as any of it is unknown.

        Calls that were refused before any work cost nothing.
        """
        with self._changed:
            return None if self._awaited or self._unpriced else self._cost

    @property
    def cost_source(self) -> str | None:
        """Where ``cost`` comes from: ``computed``, ``reported``, ``mixed`` or ``unpriced``.

        None until the server has answered.
        """
        with self._changed:
            if self._awaited or not self._sources:
                return None
            if self._unpriced:
                return "unpriced"
            return next(iter(self._sources)) if len(self._sources) == 1 else "mixed"

    def wait(self, timeout: float = 5.0) -> Decimal | None:
        """``cost``, after waiting for the server's word on every call so far."""
        deadline = time.monotonic() + timeout
        client = self._client or LLMLabClient()
        client.flush(timeout)
        with self._changed:
            while self._awaited:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
        return self.cost

    # -- with

    def __enter__(self) -> LLMLabTracker:
        if not is_disabled():
            watch()
        recorder = self._client.recorder if self._client is not None else None
        scope = Scope(
            current_scope.get(), recorder=recorder, tracker=self, captures=True, **self._says
        )
        self._tokens.append(current_scope.set(scope))
        return self

    def __exit__(self, *_: object) -> None:
        leave(self._tokens.pop())

    async def __aenter__(self) -> LLMLabTracker:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    # -- called by the recorder

    def seen(self, event: Event, usage: Usage | None) -> None:
        """A call inside has ended, and its event is about to be recorded."""
        counts: dict[str, int] = event.get("usage", {})
        with self._changed:
            self._calls += 1
            self._awaited += 1
            for name, count in counts.items():
                self._counts[name] = self._counts.get(name, 0) + count

    def judged(self, charge: str, cost: str | None, source: str | None) -> None:
        """The server has answered for one event; ``cost`` is None if it is not known."""
        from decimal import Decimal

        with self._changed:
            self._awaited -= 1
            if cost is not None and charge == "metered":
                self._cost = self._cost + Decimal(cost)
                self._sources.add(source or "computed")
            elif charge in ("metered", "probable"):  # not known, and not nothing
                self._unpriced += 1
                self._sources.add("unpriced")
            self._changed.notify_all()
