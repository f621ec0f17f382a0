"""What may be kept of a provider's own usage object: never text that could be content."""

from __future__ import annotations

import json
from typing import Any, Mapping, cast

from llmlab._usage.values import fields, items, name

MAX_BYTES = 4_096
_DEEPEST, _LONGEST_LIST, _LONGEST_ENUM, _LONGEST_KEY = 4, 32, 32, 64
_LARGEST_FIELD = 100
"""Bytes of one key and one number or enum name as JSON, at most: 64 + 32 + punctuation."""
_MOST_LABELS = 1_000
_labels: set[str] = set()
_PUNCTUATION = str.maketrans("", "", "-_.")


def raw_numbers(usage: object) -> dict[str, Any]:
    """Numbers, flags and short enum names of ``usage``, empty if they exceed 4 kB as JSON."""
    try:
        kept = _kept_fields(usage, _DEEPEST)
        if _is_surely_small(kept) or len(json.dumps(kept)) <= MAX_BYTES:
            return kept
        return _numbers_only(kept)
    except Exception:
        return {}


def _is_surely_small(kept: Mapping[str, Any]) -> bool:
    """Whether so few fields can't reach the limit: spares the caller's thread an encoding."""
    entries = len(kept)
    for part in kept.values():
        if type(part) is list:
            return False
        if type(part) is dict:
            inner = cast("dict[str, Any]", part)
            if any(type(each) in (dict, list) for each in inner.values()):
                return False
            entries += len(inner)
    return entries * _LARGEST_FIELD <= MAX_BYTES


def _numbers_only(kept: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in kept.items() if isinstance(value, (int, float))}
    return flat if len(json.dumps(flat)) <= MAX_BYTES else {}


def _kept_fields(value: object, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    found = fields(value)
    if not isinstance(found, (dict, Mapping)) or depth == 0:  # dict first: Mapping is slow to ask
        return kept
    for key, part in found.items():
        if key not in _labels and not _learn_label(key):
            continue
        clean = part if type(part) is int and -(2**63) < part < 2**63 else _kept(part, depth)
        if clean is not None:
            kept[key] = clean
    return kept


def _learn_label(key: object) -> bool:
    """Whether ``key`` may be kept. Providers use some dozens of them: each is judged once."""
    label = _enum(key, _LONGEST_KEY)
    if label is None or label != key:
        return False
    if len(_labels) < _MOST_LABELS:
        _labels.add(label)
    return True


def _kept(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else None
    if isinstance(value, float):
        return value if abs(value) < 2.0**63 else None
    if isinstance(value, (list, tuple)):
        return _kept_list(cast("object", value), depth)
    if isinstance(value, str):
        return _enum(value)
    return _kept_fields(value, depth - 1) or _enum(value)  # the latter: a member of an enum


def _kept_list(value: object, depth: int) -> list[Any]:
    kept = [_kept(part, depth - 1) for part in items(value)[:_LONGEST_LIST]]
    return [part for part in kept if part is not None]


def _enum(value: object, longest: int = _LONGEST_ENUM) -> str | None:
    """A short name of letters, digits, ``-``, ``_`` and ``.``: no blanks, so never a sentence."""
    text = name(value, longest)
    if text is None or not text.isascii():
        return None
    return text if text.translate(_PUNCTUATION).isalnum() else None
