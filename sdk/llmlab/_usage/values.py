"""Reading numbers, names and fields from whatever a provider or its client hands us.

Nothing here trusts its input: counts may be text, NaN or absent, and objects may raise on any
attribute. What can't be read is 0 or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Tuple, Union, cast

if TYPE_CHECKING:
    from decimal import Decimal

MAX_COUNT = 2**31 - 1
"""The largest count that the server stores; more is not a count but a mistake."""


class Attributes:
    """Reads an object's attributes as if it were a dict, for objects that keep no plain ``vars``."""

    __slots__ = ("_object",)

    def __init__(self, value: object) -> None:
        self._object = value

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return getattr(self._object, name, default)
        except Exception:
            return default

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None


Fields = Union[Mapping[str, Any], Attributes]
"""A provider's object under the names it uses on the wire."""

NONE: Mapping[str, Any] = {}


def fields(value: object) -> Fields:
    """The named parts of a dict or of an SDK object; empty for anything else.

    A model's own ``vars`` are read, not its attributes: asking pydantic for an absent attribute
    costs a microsecond, and a provider's new field lies in ``__pydantic_extra__``.
    """
    if isinstance(value, dict):
        return cast("Mapping[str, Any]", value)
    if value is None or isinstance(value, (str, bytes, int, float, list, tuple)):
        return NONE
    own = Attributes(value).get("__dict__")
    if not isinstance(own, dict):
        return Attributes(value)
    for name in cast("Mapping[str, Any]", own):
        if name[:1] != "_":
            extra = Attributes(value).get("__pydantic_extra__")
            return {**own, **extra} if extra else cast("Mapping[str, Any]", own)
    return Attributes(value)


def items(value: object) -> List[Any]:
    """``value`` if it is a list or a tuple, else no items: an iterator is never consumed."""
    if isinstance(value, list):
        return cast("List[Any]", value)
    return list(cast("Tuple[Any, ...]", value)) if isinstance(value, tuple) else []


def first(value: object) -> Fields:
    """The fields of the first item of a list."""
    found = items(value)
    return fields(found[0]) if found else NONE


def count(value: object) -> int:
    """A whole number from 0 to ``MAX_COUNT``, else 0. ``12.0`` and ``"12"`` are 12; True is not 1."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else 0
    if isinstance(value, float):
        return int(value) if 0 <= value <= MAX_COUNT and value == int(value) else 0
    if isinstance(value, str):
        return int(value) if len(value) <= 10 and value.isdecimal() and value.isascii() else 0
    if isinstance(value, int) and not isinstance(value, bool):
        return count(int(value))
    return 0


def quantity(value: object) -> float:
    """A finite number from 0 to ``MAX_COUNT``, such as seconds of audio, else 0."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if 0 <= value <= MAX_COUNT else 0
    return 0


def dollars(value: object) -> Optional[Decimal]:
    """US dollars from 0 to a million as an exact Decimal of what was written, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    from decimal import Decimal, InvalidOperation  # here: importing it costs every program 10 ms

    try:
        amount = Decimal(str(value)) if len(str(value)) <= 40 else Decimal("NaN")
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() and 0 <= amount <= 1_000_000 else None


def name(value: object, longest: int = 256) -> Optional[str]:
    """A short printable name, or None. Enum members are known by their value."""
    if not isinstance(value, str):
        value = Attributes(value).get("value") if value is not None else None
    elif type(value) is not str:
        value = str.__str__(value)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        return None
    return value


def any_of(source: Fields, names: Iterable[str]) -> Any:
    """The first of ``names`` that is there and not null."""
    for candidate in names:
        value = source.get(candidate)
        if value is not None:
            return value
    return None
