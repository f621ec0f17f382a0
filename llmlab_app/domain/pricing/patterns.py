"""Names of models in a price list: a whole name, a prefix (``gpt-5*``) or a suffix (``*:free``).

Never two stars, so the longest pattern is the most exact one and equal length means equal pattern.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

_EXACT = 1_000_000
_SUFFIX = 10_000

E = TypeVar("E")


def rank(pattern: str) -> int:
    """How exactly a pattern names a model: a whole name, then suffixes, then prefixes."""
    if "*" not in pattern:
        return _EXACT
    return len(pattern) + (_SUFFIX if pattern.startswith("*") and len(pattern) > 1 else 0)


def matches(pattern: str, model: str) -> bool:
    """Whether ``pattern`` names ``model``."""
    if pattern.endswith("*"):
        return model.startswith(pattern[:-1])
    return model.endswith(pattern[1:]) if pattern.startswith("*") else model == pattern


def starred(pattern: str, model: str) -> str:
    """What the star of a matching ``pattern`` stands for in ``model``."""
    return model[len(pattern) - 1 :] if pattern.endswith("*") else model[: 1 - len(pattern)]


class Patterns(Generic[E]):
    """Entries found by the name of a model."""

    def __init__(self, entries: Iterable[tuple[str, E]]) -> None:
        self.all: tuple[tuple[str, E], ...] = tuple(entries)
        self._exact: dict[str, list[tuple[str, E]]] = defaultdict(list)
        for pattern, entry in self.all:
            if "*" not in pattern:
                self._exact[pattern].append((pattern, entry))
        self._starred = [pair for pair in self.all if "*" in pair[0]]

    def matching(self, model: str) -> Sequence[tuple[str, E]]:
        """Every (pattern, entry) that names ``model``."""
        starred_pairs = [pair for pair in self._starred if matches(pair[0], model)]
        return [*self._exact.get(model, ()), *starred_pairs]
