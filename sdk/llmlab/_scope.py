"""What the code around a call says about it: feature, user, tags, and who wants to know.

One context variable holds the innermost scope. Tasks inherit it by themselves; threads and thread
pools are handed it by ``_instrument/threads.py``.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Mapping

if TYPE_CHECKING:
    from llmlab._recorder import Recorder
    from llmlab._tracker import LLMLabTracker


class Scope:
    """One layer of attribution. What it does not say, the layer around it says.

    ``captures``: calls made inside are recorded even where ``instrument()`` was never called.
    ``calls``: how many were made inside so far, to know whether a return value must be read.
    """

    __slots__ = (
        "calls",
        "captures",
        "feature",
        "model",
        "parent",
        "provider",
        "recorder",
        "session",
        "tags",
        "trackers",
        "user",
    )

    def __init__(
        self,
        parent: Scope | None,
        *,
        feature: str | None = None,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | None = None,
        provider: str | None = None,
        model: str | None = None,
        recorder: Recorder | None = None,
        tracker: LLMLabTracker | None = None,
        captures: bool = False,
    ) -> None:
        around = parent or NOTHING
        self.parent = parent
        self.calls = 0
        self.feature = feature or around.feature
        self.user = user or around.user
        self.session = session or around.session
        self.tags: dict[str, object] = {**around.tags, **tags} if tags else around.tags
        self.provider = provider or around.provider
        self.model = model or around.model
        self.recorder = recorder or around.recorder
        self.trackers: tuple[LLMLabTracker, ...] = around.trackers
        if tracker is not None:
            self.trackers = (*around.trackers, tracker)
        self.captures = captures or around.captures

    def note_call(self) -> None:
        """A call was made inside this scope, and so inside all around it."""
        scope: Scope | None = self
        while scope is not None:
            scope.calls += 1
            scope = scope.parent


class Nothing:
    """Outside of every scope: nothing is said."""

    feature = user = session = provider = model = recorder = None
    trackers: tuple[LLMLabTracker, ...] = ()
    captures = False

    def __init__(self) -> None:
        self.tags: dict[str, object] = {}


NOTHING = Nothing()
"""Outside of every scope."""

current_scope: ContextVar[Scope | None] = ContextVar("llmlab_scope", default=None)


class context:  # noqa: N801  # reads as a statement: `with llmlab.context(...)`
    """Says what the calls inside are for: ``with llmlab.context(feature="search", user="u_42"):``.

    Contexts nest: the inner one wins, tags are merged. Nothing else changes, so a context alone
    records nothing.
    """

    def __init__(
        self,
        *,
        feature: str | None = None,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | None = None,
    ) -> None:
        self._says: dict[str, Any] = {
            "feature": feature,
            "user": user,
            "session": session,
            "tags": tags,
        }
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        self._tokens.append(current_scope.set(Scope(current_scope.get(), **self._says)))

    def __exit__(self, *_: object) -> None:
        leave(self._tokens.pop())

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()


def leave(token: Any) -> None:
    """Back to the scope before ``token``; where another context took over, it has its own."""
    try:
        current_scope.reset(token)
    except ValueError:  # entered in one task, left in another: that task's scope is not ours
        return
