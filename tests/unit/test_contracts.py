import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmlab_app.api.schemas import UsageIn
from llmlab_app.domain.usage import USAGE_FIELDS
from scripts.write_contracts import FOLDER, contracts
from tests.integration.api.test_events import COMPLETE, MINIMAL

SCHEMA: dict[str, Any] = json.loads((FOLDER / "event.schema.json").read_text())


@pytest.mark.parametrize("name", ["event.schema.json", "openapi.json"])
def test_the_written_contract_is_what_the_code_says(name: str) -> None:
    written = json.loads((FOLDER / name).read_text())
    assert written == contracts()[name], "run `make contracts`, and write an ADR if a field changed"


@pytest.mark.parametrize("event", [MINIMAL, COMPLETE, {"model": "gpt-4", "tokens": 1, "cost": 1}])
def test_the_schema_accepts_the_events_of_the_contract(event: dict[str, Any]) -> None:
    jsonschema.validate(event, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**MINIMAL, "prompt": "hello"}, SCHEMA)


def test_usage_on_the_wire_is_usage_in_the_domain() -> None:
    assert tuple(UsageIn.model_fields) == USAGE_FIELDS


def test_generated_contracts_are_never_written_by_hand() -> None:
    assert {path.name for path in Path(FOLDER).glob("*.json")} == set(contracts())
