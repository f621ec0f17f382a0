"""The golden files of contracts/usage: one trap a case, read by SDK, CLI and server alike."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmlab._usage import Usage, extract_usage, storable

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts" / "usage"
CASES = [
    pytest.param(case, id=f"{path.stem}-{case['name']}")
    for path in sorted(CONTRACTS.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]


def read(case: dict[str, Any]) -> Usage | None:
    return extract_usage(
        case["response"], case.get("provider"), case.get("api"), case.get("headers")
    )


def as_json(usage: Usage) -> dict[str, Any]:
    """``usage`` in the words of an event, without what is not told."""
    named = ("service_tier", "speed", "inference_geo", "model", "response_id", "finish_reason")
    more = [{"model": each.model, "usage": each.usage.as_dict()} for each in usage.additional_usage]
    told: dict[str, Any] = {name: getattr(usage, name) for name in named if getattr(usage, name)}
    if usage.units:
        told["units"] = dict(usage.units)
    if more:
        told["additional_usage"] = more
    if usage.reported_cost is not None:
        told["reported_cost"] = usage.reported_cost
    return {"usage": usage.as_dict(), **told}


@pytest.mark.parametrize("case", CASES)
def test_contract(case: dict[str, Any]) -> None:
    usage = read(case)
    expected = case["expected"]
    if expected is not None and "reported_cost" in expected:
        expected = {**expected, "reported_cost": Decimal(expected["reported_cost"])}
    assert (None if usage is None else as_json(usage)) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_contract_is_storable_as_it_is(case: dict[str, Any]) -> None:
    usage = read(case)
    assert usage is None or storable(usage) == usage


def test_every_case_has_a_name_of_its_own() -> None:
    names = [param.id for param in CASES]
    assert len(names) == len(set(names)) > 90
