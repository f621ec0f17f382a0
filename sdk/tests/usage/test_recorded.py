from __future__ import annotations

import json
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest

from llmlab._usage import UsageStream, extract_usage
from sdk.tests.usage.recorded import RECORDED, expected_of, is_strict, records, told

Group = "list[dict[str, Any]]"

if not RECORDED.exists():
    pytest.skip(
        "The recorded traffic is not beside this repository (../shared/corpora); "
        "the golden contracts are still tested.",
        allow_module_level=True,
    )

BY_API: dict[str, Group] = defaultdict(list)
SILENT: dict[str, Group] = defaultdict(list)
for _record in filter(is_strict, records()):
    _key = "{provider}-{api}-{response_format}".format(**_record)
    (BY_API if _record["expected_status"] == "usage" else SILENT)[_key].append(_record)


def read(record: dict[str, Any], response: object = None) -> Any:
    return extract_usage(
        record["response"] if response is None else response,
        provider=record["provider"],
        api=record["api"],
        headers=record.get("usage_headers"),
    )


def as_object(value: object) -> object:
    """``value`` with every dict made an object of attributes, as SDKs hand them out."""
    return json.loads(json.dumps(value), object_hook=lambda parts: SimpleNamespace(**parts))


@pytest.mark.parametrize("api", sorted(BY_API))
def test_every_recorded_answer_is_read_exactly(api: str) -> None:
    for record in BY_API[api]:
        assert told(read(record)) == expected_of(record), record["id"]


@pytest.mark.parametrize("api", sorted(SILENT))
def test_answers_without_usage_and_errors_tell_nothing(api: str) -> None:
    for record in SILENT[api]:
        assert read(record) is None, record["id"]


def test_the_model_is_the_one_that_answered() -> None:
    for record in (record for group in BY_API.values() for record in group):
        assert read(record).model == (record["response_model"] or None), record["id"]


def test_no_hint_is_needed_but_headers() -> None:
    for record in (record for group in BY_API.values() for record in group):
        usage = extract_usage(record["response"], headers=record.get("usage_headers"))
        assert usage == read(record), record["id"]


@pytest.mark.parametrize("api", sorted(BY_API))
def test_objects_and_text_are_read_like_dicts(api: str) -> None:
    for record in BY_API[api]:
        if isinstance(record["response"], str):
            assert read(record, record["response"].encode()) == read(record), record["id"]
        else:
            assert read(record, as_object(record["response"])) == read(record), record["id"]
            assert read(record, json.dumps(record["response"])) == read(record), record["id"]


def test_a_stream_fed_event_by_event_tells_the_same() -> None:
    for record in (record for group in BY_API.values() for record in group):
        if isinstance(record["response"], list):
            stream = UsageStream()
            for event in record["response"]:
                stream.add(event)
            assert stream.usage() == read(record), record["id"]


def test_raw_usage_holds_no_text() -> None:
    for record in (record for group in BY_API.values() for record in group):
        raw = json.dumps(read(record).raw_usage)
        assert len(raw) <= 4_096, record["id"]
        assert " " not in raw.replace(": ", ":").replace(", ", ","), record["id"]
