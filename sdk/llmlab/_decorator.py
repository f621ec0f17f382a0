"""``@track_cost``: what a function's calls cost, whatever the function is and returns."""

from __future__ import annotations

import functools
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import (
    Any,
    AsyncGenerator,
    Callable,
    Generator,
    Mapping,
    TypeVar,
    overload,
)

from llmlab._client import LLMLabClient, track_answer
from llmlab._identity import name_of
from llmlab._instrument import watch
from llmlab._scope import Scope, current_scope, leave

F = TypeVar("F", bound=Callable[..., Any])
MAX_KEPT_ITEMS = 1000


@overload
def track_cost(function: F) -> F: ...
@overload
def track_cost(
    *,
    provider: str | None = ...,
    model: str | None = ...,
    feature: str | None = ...,
    user: str | None = ...,
    session: str | None = ...,
    tags: Mapping[str, object] | None = ...,
    client: LLMLabClient | None = ...,
) -> Callable[[F], F]: ...
def track_cost(
    function: F | None = None,
    *,
    provider: str | None = None,
    model: str | None = None,
    feature: str | None = None,
    user: str | None = None,
    session: str | None = None,
    tags: Mapping[str, object] | None = None,
    client: LLMLabClient | None = None,
) -> F | Callable[[F], F]:
    """Record every LLM call made inside a function: ``@track_cost`` or ``@track_cost(feature=…)``.

    Works on plain and async functions and generators. Calls of supported clients are seen
    whatever the function returns. Only if none was seen is the returned value looked at, for
    usage that another client may have put there.

    ``provider`` and ``model`` say who answers, where neither the client nor the answer does.
    ``feature`` is what the calls are for, by default ``module:function``; ``user``, ``session`` and
    ``tags`` say more. ``client`` reports elsewhere than the environment says.
    """

    def decorate(wrapped: F) -> F:
        says: dict[str, Any] = {
            "provider": provider,
            "model": model,
            "feature": feature or name_of(wrapped),
            "user": user,
            "session": session,
            "tags": tags,
        }
        return _wrap(wrapped, _Visit(says, client))

    return decorate if function is None else decorate(function)


class _Visit:
    """Makes a scope for each run of the function, and judges the run when it is over."""

    def __init__(self, says: dict[str, Any], client: LLMLabClient | None) -> None:
        self._says = says
        self._client = client

    def begin(self) -> Scope:
        """A scope for one run."""
        watch()
        recorder = self._client.recorder if self._client is not None else None
        return Scope(current_scope.get(), recorder=recorder, captures=True, **self._says)

    def end(self, scope: Scope, result: object) -> None:
        """If no call was seen inside, look for usage in ``result``."""
        if not scope.calls:
            track_answer(result, scope, name=self._says["feature"])


def _wrap(function: Any, visit: _Visit) -> Any:
    import inspect

    if inspect.isasyncgenfunction(function):
        kind = _asyncgen
    elif inspect.iscoroutinefunction(function):
        kind = _coroutine
    elif inspect.isgeneratorfunction(function):
        kind = _generator
    else:
        kind = _plain
    return functools.wraps(function)(kind(function, visit))


def _plain(function: Any, visit: _Visit) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        scope = visit.begin()
        token = current_scope.set(scope)
        try:
            result = function(*args, **kwargs)
        finally:
            leave(token)
        later = _later(result)
        if later is not None:  # the work itself is still to come
            return later(lambda: result, visit)()
        visit.end(scope, result)
        return result

    return run


def _coroutine(function: Any, visit: _Visit) -> Any:
    async def run(*args: Any, **kwargs: Any) -> Any:
        scope = visit.begin()
        token = current_scope.set(scope)
        try:
            result = await function(*args, **kwargs)
        finally:
            leave(token)
        visit.end(scope, result)
        return result

    return run


def _generator(function: Any, visit: _Visit) -> Any:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope, items = visit.begin(), _Items()
        inner = function(*args, **kwargs)
        step = functools.partial(next, inner)
        while True:
            # Between two steps the consumer's code runs, which is not inside this scope.
            token = current_scope.set(scope)
            try:
                item = step()
            except StopIteration as stop:
                visit.end(scope, items.kept)
                return stop.value
            finally:
                leave(token)
            items.keep(item)
            try:
                sent = yield item
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:
                step = functools.partial(inner.throw, error)
            else:
                step = functools.partial(inner.send, sent)

    return run


def _asyncgen(function: Any, visit: _Visit) -> Any:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope, items = visit.begin(), _Items()
        inner = function(*args, **kwargs)
        step = functools.partial(inner.asend, None)
        while True:
            token = current_scope.set(scope)
            try:
                item = await step()
            except StopAsyncIteration:
                visit.end(scope, items.kept)
                return
            finally:
                leave(token)
            items.keep(item)
            try:
                sent = yield item
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as error:
                step = functools.partial(inner.athrow, error)
            else:
                step = functools.partial(inner.asend, sent)

    return run


_LATER: dict[type, Any] = {
    CoroutineType: _coroutine,
    GeneratorType: _generator,
    AsyncGeneratorType: _asyncgen,
}
"""Results that are only promises of the function's work, and how to see them kept."""


def _later(result: object) -> Any:
    return _LATER.get(type(result))


class _Items:
    """What a generator gave out that may hold usage: not text, and not without bound."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def keep(self, item: object) -> None:
        if not isinstance(item, (str, bytes)) and len(self.kept) < MAX_KEPT_ITEMS:
            self.kept.append(item)
