"""Cohere: what it bills (``billed_units``), not what it counts (``tokens``)."""

from __future__ import annotations

from typing import Any

from llmlab._usage.values import Fields, count, fields, quantity


def read_cohere(usage: Fields) -> dict[str, Any]:
    """Counts of v1's ``meta`` or v2's ``usage``; images and searches are units.

    ``cached_tokens`` is left out: it tells of ``tokens``, and nothing of it is billed.
    """
    billed = fields(usage.get("billed_units") or usage.get("tokens"))
    counts: dict[str, Any] = {
        "input_tokens": count(billed.get("input_tokens")),
        "output_tokens": count(billed.get("output_tokens")),
    }
    units = {
        name: quantity(billed.get(name))
        for name in ("search_units", "images", "classifications")
        if quantity(billed.get(name))
    }
    if units:
        counts["units"] = units
    return counts
