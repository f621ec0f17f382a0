"""The recorded traffic beside the repository: real answers and what is expected of them.

Its buckets are disjoint; an event's input is all of them together (corpora/README.md).
"""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Iterator

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "recorded.jsonl.gz"

_SAME_NAME = (
    "input_audio",
    "input_image",
    "input_video",
    "cache_read",
    "cache_read_audio",
    "reasoning",
    "output",
    "output_audio",
    "output_image",
    "cache_write_1h",
)
_UNITS = ("search_units", "audio_seconds", "file_search_call", "image_generation_call")
_TIERS = {"standard": "default", "on_demand": "default", "on_demand_flex": "flex"}


def records() -> Iterator[dict[str, Any]]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def is_strict(record: dict[str, Any]) -> bool:
    """Whether the answer is whole and its usage beyond doubt."""
    expected = record["expected"] or {}
    return not record["response_trimmed"] and not expected.get("ambiguous")


def expected_of(record: dict[str, Any]) -> dict[str, Any]:
    """What ``told`` must say of this record's usage."""
    told = record["expected"]
    writes = ("cache_write", "cache_write_5m", "cache_write_1h")
    tier = (told.get("service_tier") or "default").lower()
    return {
        **{f"{name}_tokens": told.get(name, 0) for name in _SAME_NAME},
        "input_tokens": told["total_input"],
        "cache_write_tokens": sum(told[name] for name in writes),
        "tool_use_input_tokens": told.get("tool_use_prompt", 0),
        "web_search_requests": told.get("web_search_requests", 0),
        "service_tier": _TIERS.get(tier, tier),
        "reported_cost": Decimal(str(told.get("reported_cost_usd", 0))),
        "units": {name: told[name] for name in _UNITS if told.get(name)},
        "additional_usage": [
            (more["model"] or record["response_model"], more["input"], more["output"])
            for more in told.get("extra_billed", ())
        ],
    }


def told(usage: Any) -> dict[str, Any]:
    """The same of a Usage."""
    counts = [f"{name}_tokens" for name in _SAME_NAME]
    counts += ["input_tokens", "cache_write_tokens", "tool_use_input_tokens", "web_search_requests"]
    return {
        **{name: getattr(usage, name) for name in counts},
        "service_tier": usage.service_tier or "default",
        "reported_cost": usage.reported_cost or Decimal(0),
        "units": {name: usage.units[name] for name in _UNITS if name in usage.units},
        "additional_usage": [
            (more.model, more.usage.input_tokens, more.usage.output_tokens)
            for more in usage.additional_usage
        ],
    }
