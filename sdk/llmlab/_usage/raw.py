"""What may be kept of a provider's own usage object: never text that could be content."""

from __future__ import annotations

import json
from typing import Any, Mapping, cast

from llmlab._usage.values import fields, items, name

MAX_BYTES = 4_096
_DEEPEST, _LONGEST_LIST, _LONGEST_ENUM, _LONGEST_KEY = 4, 32, 32, 64
_PUNCTUATION = str.maketrans("", "", "-_.")


def raw_numbers(usage: object) -> dict[str, Any]:
    """Numbers, flags and short enum names of ``usage``, empty if they exceed 4 kB as JSON."""
    try:
        kept = _kept_fields(usage, _DEEPEST)
        return kept if len(json.dumps(kept)) <= MAX_BYTES else _numbers_only(kept)
    except Exception:
        return {}


def _numbers_only(kept: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in kept.items() if isinstance(value, (int, float))}
    return flat if len(json.dumps(flat)) <= MAX_BYTES else {}


def _kept_fields(value: object, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    found = fields(value)
    if not isinstance(found, Mapping) or depth == 0:
        return kept
    for key, part in found.items():
        label = _enum(key, _LONGEST_KEY)
        clean = None if label is None else _kept(part, depth)
        if label is not None and clean is not None:
            kept[label] = clean
    return kept


def _kept(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else None
    if isinstance(value, float):
        return value if abs(value) < 2.0**63 else None
    if isinstance(value, (list, tuple)):
        return _kept_list(cast("object", value), depth)
    return _enum(value) or _kept_fields(value, depth - 1) or None


def _kept_list(value: object, depth: int) -> list[Any]:
    kept = [_kept(part, depth - 1) for part in items(value)[:_LONGEST_LIST]]
    return [part for part in kept if part is not None]


def _enum(value: object, longest: int = _LONGEST_ENUM) -> str | None:
    """A short name of letters, digits, ``-``, ``_`` and ``.``: no blanks, so never a sentence."""
    text = name(value, longest)
    if text is None or not text.isascii():
        return None
    return text if text.translate(_PUNCTUATION).isalnum() else None
