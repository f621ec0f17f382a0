"""Reading numbers, names and fields from whatever a provider or its client hands us.

Nothing here trusts its input: counts may be text, NaN or absent, and objects may raise on any
attribute. What can't be read is 0 or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Tuple, Union, cast

if TYPE_CHECKING:
    from decimal import Decimal

MAX_COUNT = 2**31 - 1
"""The largest count that the server stores; more is not a count but a mistake."""
MAX_DOLLARS = 1_000_000


class Attributes:
    """Reads attributes as if they were a dict's items, for objects that keep no plain ``vars``."""

    __slots__ = ("_object",)

    def __init__(self, value: object) -> None:
        self._object = value

    def get(self, key: str, default: Any = None) -> Any:
        """The attribute ``key``, or ``default`` if it is absent or raises."""
        try:
            return getattr(self._object, key, default)
        except Exception:
            return default

    def items(self) -> list[tuple[str, Any]]:
        """All public attributes."""
        return [(key, self.get(key)) for key in dir(self._object) if key[:1] != "_"]

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


Fields = Union[Mapping[str, Any], Attributes]
"""A provider's object under the names it uses on the wire."""

NONE: Mapping[str, Any] = {}
_NEVER_FIELDS = (str, bytes, int, float, list, tuple)


def fields(value: object) -> Fields:
    """The named parts of a dict or of an SDK object; empty for anything else.

    A model's own ``vars`` are read, not its attributes: asking pydantic for an absent attribute
    costs a microsecond. A provider's newer fields lie in ``__pydantic_extra__``.
    """
    if isinstance(value, dict):
        return cast("Dict[str, Any]", value)
    if value is None or isinstance(value, _NEVER_FIELDS):
        return NONE
    try:
        own: dict[str, Any] = value.__dict__
        for key in own:
            if key[:1] != "_":
                break
        else:
            return Attributes(value)
    except Exception:
        return Attributes(value)
    try:
        extra = value.__pydantic_extra__  # type: ignore[attr-defined]
    except Exception:
        return own
    return {**own, **extra} if extra and isinstance(extra, dict) else own


def items(value: object) -> list[Any]:
    """``value`` if it is a list or a tuple, else no items: an iterator is never consumed."""
    if isinstance(value, list):
        return cast("List[Any]", value)
    return list(cast("Tuple[Any, ...]", value)) if isinstance(value, tuple) else []


def first(value: object) -> Fields:
    """The fields of the first item of a list."""
    found = items(value)
    return fields(found[0]) if found else NONE


def any_of(source: Fields, names: Iterable[str]) -> Any:
    """The value of the first of ``names`` that is there and not null."""
    for key in names:
        value = source.get(key)
        if value is not None:
            return value
    return None


def count(value: object) -> int:
    """A whole number from 0 to ``MAX_COUNT``, else 0: ``12.0`` and ``"12"`` are 12, True is 0."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else 0
    if isinstance(value, float):
        return int(value) if 0 <= value <= MAX_COUNT and value.is_integer() else 0
    if isinstance(value, str):
        is_whole = len(value) <= 10 and value.isascii() and value.isdigit()
        return count(int(value)) if is_whole else 0
    return count(int(value)) if isinstance(value, int) and not isinstance(value, bool) else 0


def quantity(value: object) -> float:
    """A number from 0 to ``MAX_COUNT``, such as seconds of audio, else 0."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if 0 <= value <= MAX_COUNT else 0
    return 0


def dollars(value: object) -> Decimal | None:
    """US dollars from 0 to a million, exactly as they were written, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if len(value) > 40 if isinstance(value, str) else not 0 <= value <= MAX_DOLLARS:
        return None
    from decimal import Decimal, InvalidOperation  # here: its import would cost every program 10 ms

    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= MAX_DOLLARS else None


def name(value: object, longest: int = 256) -> str | None:
    """A short printable text, or None. Enum members are known by their value."""
    if type(value) is not str:
        value = Attributes(value).get("value", value) if value is not None else None
        if not isinstance(value, str):
            return None
        value = str.__str__(value)
    return value if 0 < len(value) <= longest and value.isprintable() else None
