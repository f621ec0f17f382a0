"""``Usage``: what one call consumed, in the terms of an LLMLab event."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Mapping, NoReturn, Sequence

from llmlab._usage.raw import raw_numbers

if TYPE_CHECKING:
    from decimal import Decimal

COUNTS: tuple[str, ...] = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "cache_read_audio_tokens",
    "tool_use_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "web_search_requests",
)
"""Names of the counts, as in the event's ``usage``."""
_COUNTS = frozenset(COUNTS)

ABOUT: tuple[str, ...] = (
    "units",
    "additional_usage",
    "service_tier",
    "reported_cost",
    "speed",
    "inference_geo",
    "model",
    "response_id",
    "finish_reason",
)
"""Everything else that equality and ``repr`` look at."""


class Frozen:
    """A value: made once by keyword, equal to its equals, never changed.

    Only what differs from the class's defaults is kept in an instance, which makes one cheap to
    build on a caller's thread. (A dataclass would add 10 ms or more to ``import llmlab``.)
    """

    _names: tuple[str, ...] = ()

    def __init__(self, **values: object) -> None:
        unknown = values.keys() - set(self._names)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} can't be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} can't be changed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names)

    __hash__ = None  # type: ignore[assignment]  # units is a dict

    def __getitem__(self, name: str) -> Any:
        """The same by key, as in the event's JSON."""
        if name not in self._names:
            raise KeyError(name)
        return getattr(self, name)

    def __repr__(self) -> str:
        default = type(self)
        told = [
            f"{name}={getattr(self, name)!r}"
            for name in self._names
            if getattr(self, name) != getattr(default, name)
        ]
        return f"{type(self).__name__}({', '.join(told)})"


class Usage(Frozen):
    """Token and fee counts of one call. A count that the provider does not name is 0.

    ``input_tokens`` is everything that went in, cached or not; ``output_tokens`` everything that
    came out, reasoning included; the other token counts are subsets of those two. ``units`` are
    billables beside the tokens. ``reported_cost`` is in US dollars, None if nobody said.
    """

    _names = COUNTS + ABOUT

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    """All lifetimes."""
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    input_video_tokens: int = 0
    cache_read_audio_tokens: int = 0
    tool_use_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    web_search_requests: int = 0
    """Searches, not tokens."""

    units: Mapping[str, float] = MappingProxyType({})
    additional_usage: tuple[AdditionalUsage, ...] = ()
    """Billed beside the counts above, perhaps at another model's price."""
    service_tier: str | None = None
    """The tier that served the call; None if the response does not say."""
    reported_cost: Decimal | None = None
    speed: str | None = None
    inference_geo: str | None = None

    model: str | None = None
    """The model that answered, as the response names it."""
    response_id: str | None = None
    finish_reason: str | None = None

    _raw: object = None

    def as_dict(self) -> dict[str, int]:
        """The event's ``usage`` object: input, output and every other count that is not 0."""
        counts = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        for name, value in vars(self).items():
            if value and name in _COUNTS:
                counts[name] = value
        return counts

    @property
    def raw_usage(self) -> dict[str, Any]:
        """The provider's own usage object: numbers and short enum names only, at most 4 kB."""
        return raw_numbers(self._raw)


class AdditionalUsage(Frozen):
    """Usage billed beside the top level. ``model`` is None where the response names none."""

    _names = ("model", "usage")

    model: str | None = None
    usage: Usage = Usage()


_new, _set = object.__new__, object.__setattr__


def usage_of(values: dict[str, Any]) -> Usage:
    """A Usage that keeps ``values``, whose names are known to be right."""
    usage = _new(Usage)
    _set(usage, "__dict__", values)
    return usage


def storable(usage: Usage) -> Usage:
    """``usage`` with every part cut to its whole, as the server demands.

    Providers contradict themselves now and then (OpenRouter says 11 reasoning tokens of 10 output
    tokens; its cached and written tokens may overlap). Totals are what is billed, so they stand.
    """
    if _is_consistent(usage):
        return usage
    told = vars(usage)
    input_tokens, output_tokens = usage.input_tokens, usage.output_tokens
    read = min(usage.cache_read_tokens, input_tokens)
    written = min(usage.cache_write_tokens, input_tokens - read)
    audio_in = min(usage.input_audio_tokens, input_tokens)
    image_in = min(usage.input_image_tokens, input_tokens - audio_in)
    audio_out = min(usage.output_audio_tokens, output_tokens)
    parts: dict[str, Any] = {
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": min(usage.cache_write_1h_tokens, written),
        "input_audio_tokens": audio_in,
        "input_image_tokens": image_in,
        "input_video_tokens": min(usage.input_video_tokens, input_tokens - audio_in - image_in),
        "cache_read_audio_tokens": min(usage.cache_read_audio_tokens, read, audio_in),
        "tool_use_input_tokens": min(usage.tool_use_input_tokens, input_tokens),
        "reasoning_tokens": min(usage.reasoning_tokens, output_tokens),
        "output_audio_tokens": audio_out,
        "output_image_tokens": min(usage.output_image_tokens, output_tokens - audio_out),
        "additional_usage": tuple(
            AdditionalUsage(model=more.model, usage=storable(more.usage))
            for more in usage.additional_usage
        ),
    }
    return usage_of({**told, **parts})


def _is_consistent(usage: Usage) -> bool:
    """Whether nothing needs cutting, which is nearly always so."""
    given, made = usage.input_tokens, usage.output_tokens
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    heard, seen = usage.input_audio_tokens, usage.input_image_tokens
    return (
        read + written <= given
        and usage.cache_write_1h_tokens <= written
        and heard + seen + usage.input_video_tokens <= given
        and usage.cache_read_audio_tokens <= min(read, heard)
        and usage.tool_use_input_tokens <= given
        and usage.reasoning_tokens <= made
        and usage.output_audio_tokens + usage.output_image_tokens <= made
        and not usage.additional_usage
    )


def total_of(turns: Sequence[Usage]) -> Usage:
    """All ``turns`` as one usage; names and tier are those of the last."""
    values: dict[str, Any] = dict(vars(turns[-1]))
    for name in COUNTS:
        values[name] = sum(getattr(turn, name) for turn in turns)
    values["additional_usage"] = tuple(more for turn in turns for more in turn.additional_usage)
    units: dict[str, float] = {}
    for turn in turns:
        for name, amount in turn.units.items():
            units[name] = units.get(name, 0) + amount
    values["units"] = units
    return usage_of(values)
