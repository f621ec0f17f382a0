"""Write ``contracts/`` from the code: the event's JSON Schema and the OpenAPI document.

Run it after a deliberate change (``make contracts``); ``tests/unit/test_contracts.py`` fails until
the files agree with the code, so that no field changes by accident.
"""

import json
from pathlib import Path
from typing import Any

from llmlab_app.api.app import create_api
from llmlab_app.api.schemas import EventIn

FOLDER = Path(__file__).resolve().parent.parent / "contracts"


def contracts() -> dict[str, Any]:
    """Content of each generated file by its name."""
    event = EventIn.model_json_schema()
    return {
        "event.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **event,
            "title": "LLMLab event",
        },
        "openapi.json": create_api().openapi(),
    }


def main() -> None:
    for name, content in contracts().items():
        (FOLDER / name).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
        print(f"wrote contracts/{name}")


if __name__ == "__main__":
    main()
