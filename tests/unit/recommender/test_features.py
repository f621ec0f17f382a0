"""The usage frame and its segments."""

import csv
from io import BytesIO, StringIO

import pytest

from llmlab_app.domain.usage import TokenUsage
from recommender.features import DTYPES, SMALL_FEATURES, read_usage, usage_frame, with_segments
from tests.unit.recommender.frames import NOON, call, frame


def test_a_frame_has_the_documented_columns_and_dtypes() -> None:
    found = frame([call(), call(feature="g")])
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == dict(DTYPES)
    assert found["occurred_at"].iloc[0] == NOON


def test_a_frame_that_lacks_a_column_is_refused() -> None:
    columns = {name: [value] for name, value in call().items() if name != "cost"}
    with pytest.raises(ValueError, match="cost"):
        usage_frame(columns)


def test_csv_is_read_as_it_was_written() -> None:
    rows = [
        call(TokenUsage(input_tokens=3), feature='a "quoted", one', region="", cost=2**60 + 1),
        call(feature="NA", is_repriceable=False, failed=True),
    ]
    text = StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(
        {**row, **{k: int(row[k]) for k in ("is_repriceable", "failed")}} for row in rows
    )
    found = read_usage(BytesIO(text.getvalue().encode()))
    assert found.equals(frame(rows)[list(found.columns)])


def test_calls_are_segmented_by_feature_model_and_operation() -> None:
    rows = [
        *(call(feature="f") for _ in range(3)),
        *(call(feature="g") for _ in range(3)),
        *(call(feature="f", model="gpt-b") for _ in range(3)),
        *(call(feature="f", operation="embeddings") for _ in range(3)),
        *(call(feature="f", project_id="other") for _ in range(3)),
    ]
    found = with_segments(frame(rows), min_calls=3)
    assert found.groupby("segment").size().tolist() == [3] * 5


def test_small_features_of_a_model_are_taken_together() -> None:
    rows = [
        *(call(feature="big") for _ in range(10)),
        *(call(feature="a") for _ in range(4)),
        *(call(feature="b") for _ in range(3)),
    ]
    found = with_segments(frame(rows), min_calls=10)
    sizes = found.groupby("feature", observed=True).size().to_dict()
    assert sizes == {"big": 10, SMALL_FEATURES: 7}
    assert found["segment"].nunique() == 2


def test_thirds_by_output_length_are_equal_and_keep_ties_together() -> None:
    rows = [call(TokenUsage(output_tokens=n)) for n in range(300)]
    found = with_segments(frame(rows), min_calls=10)
    assert found["output_third"].tolist() == [0] * 100 + [1] * 100 + [2] * 100
    alike = with_segments(frame([call(TokenUsage(output_tokens=7))] * 300), min_calls=10)
    assert alike["output_third"].nunique() == 1


def test_few_calls_are_not_split_into_thirds() -> None:
    rows = [call(TokenUsage(output_tokens=n)) for n in range(199)]
    assert set(with_segments(frame(rows), min_calls=10)["output_third"]) == {0}
