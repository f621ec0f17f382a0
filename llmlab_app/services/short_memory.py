"""Remember the answer of a look-up for a few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ShortMemory(Generic[K, V]):
    """Asks ``look_up`` at most once per key and ``lifetime``, however many ask at the same time.

    An answer is at most ``lifetime`` older than the question: it ages from the moment that the
    look-up *began*. Failures aren't remembered.

    Args:
        look_up: Fetches the answer for a key; None means that there is nothing.
        lifetime: How old an answer may be.
        size: How many keys to remember; past it everything is forgotten, which costs one look-up
            each and bounds what strangers can make us hold.
    """

    def __init__(
        self, look_up: Callable[[K], Awaitable[V | None]], *, lifetime: timedelta, size: int
    ) -> None:
        self._look_up = look_up
        self._lifetime = lifetime
        self._size = size
        self._answers: dict[K, tuple[datetime, asyncio.Future[V | None]]] = {}

    async def get(self, key: K, now: datetime) -> V | None:
        """The answer for ``key``, remembered or fetched."""
        asked_at, answer = self._answers.get(key, (None, None))
        # abs: a clock that was set back must not keep an answer alive.
        if asked_at is None or answer is None or abs(now - asked_at) >= self._lifetime:
            answer = self._ask(key, now)
        if answer.done():
            return answer.result()
        # One caller that gives up must not cancel the look-up that others wait for.
        return await asyncio.shield(answer)

    def _ask(self, key: K, now: datetime) -> "asyncio.Future[V | None]":
        if len(self._answers) >= self._size:
            self._answers.clear()
        answer = asyncio.ensure_future(self._look_up(key))
        self._answers[key] = (now, answer)
        answer.add_done_callback(lambda done: self._drop_useless(key, done))
        return answer

    def _drop_useless(self, key: K, done: "asyncio.Future[V | None]") -> None:
        useless = done.cancelled() or done.exception() is not None or done.result() is None
        if useless and self._answers.get(key, (None, None))[1] is done:
            del self._answers[key]

    def forget_all(self) -> None:
        """Ask again for everything, also for what is being looked up right now."""
        self._answers.clear()
