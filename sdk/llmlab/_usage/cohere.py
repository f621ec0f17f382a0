"""Cohere: what it bills (``billed_units``), not what it counts (``tokens``)."""

from __future__ import annotations

from typing import Any

from llmlab._usage.values import Fields, count, fields, quantity

_UNITS = ("search_units", "images", "classifications")


def read_cohere(usage: Fields) -> dict[str, Any]:
    """Counts of v1's ``meta`` or v2's ``usage``; searches, and images without tokens, are units.

    ``cached_tokens`` is left out: it tells of ``tokens``, and nothing of it is billed.
    """
    billed = fields(usage.get("billed_units") or usage.get("tokens"))
    image_tokens = count(billed.get("image_tokens"))
    counts: dict[str, Any] = {
        "input_tokens": count(billed.get("input_tokens")) + image_tokens,
        "input_image_tokens": image_tokens,
        "output_tokens": count(billed.get("output_tokens")),
    }
    units = {name: quantity(billed.get(name)) for name in _UNITS if quantity(billed.get(name))}
    if image_tokens:  # billed by these, not once more by the image
        units.pop("images", None)
    if units:
        counts["units"] = units
    return counts
