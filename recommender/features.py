"""The usage frame: one row a call, and the segments that calls are compared in.

===================== ===================== ====================================================
column                dtype                 meaning
===================== ===================== ====================================================
``project_id``        category              UUID of the project, as text
``provider``          category              who bills
``model``             category              the model that answered
``operation``         category              ``chat``, ``embeddings``, …
``feature``           category              what the call was for; "" where nobody said
``service_tier``      category              ``default``, ``batch``, ``flex``, …
``region``, ``speed`` category              "" where the call names none
``occurred_at``       datetime64[ms, UTC]   start of the call
``cost``              int64                 pico-dollars that count for the call; 0 where unknown
``is_repriceable``    bool                  ``cost`` follows from the token counts alone, so that
                                            another model's price can be put in its place
``failed``            bool                  the call ended in an error
14 counts             int32                 the fields of ``TokenUsage``; tokens, and pieces for
                                            ``web_search_requests``; 0 where unknown
===================== ===================== ====================================================

Rows are metered calls only, in any order. ``with_segments`` adds:

===================== ===================== ====================================================
``segment``           int32                 number of the segment: project × provider × model ×
                                            operation × feature
``output_third``      int8                  0, 1, 2: short, middling, long answers of the segment
                                            by ``output_tokens``; 0 in segments below 200 calls
===================== ===================== ====================================================
"""

from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmlab_app.domain.usage import USAGE_FIELDS

NAMES = (
    "project_id",
    "provider",
    "model",
    "operation",
    "feature",
    "service_tier",
    "region",
    "speed",
)
FLAGS = ("is_repriceable", "failed")
DTYPES: Mapping[str, str] = {
    **dict.fromkeys(NAMES, "category"),
    "occurred_at": "datetime64[ms, UTC]",
    "cost": "int64",
    **dict.fromkeys(FLAGS, "bool"),
    **dict.fromkeys(USAGE_FIELDS, "int32"),
}
"""Every column of the usage frame."""

SEGMENT_KEY = ["project_id", "provider", "model", "operation", "feature"]
SMALL_FEATURES = "\0"
"""Stands for all features of a model with too few calls of their own; no feature is named so."""
MIN_CALLS_FOR_THIRDS = 200


def usage_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """The usage frame of plain columns; ``occurred_at`` may be milliseconds since 1970.

    Raises:
        ValueError: a column is missing.
    """
    if missing := DTYPES.keys() - columns.keys():
        raise ValueError(f"the usage frame lacks {sorted(missing)}")
    frame = pd.DataFrame({name: columns[name] for name in DTYPES})
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], unit="ms", utc=True)
    return frame.astype(dict(DTYPES))


def read_usage(csv: IO[bytes]) -> pd.DataFrame:
    """The usage frame of CSV in memory: a header, flags as 0 and 1, instants in milliseconds."""
    numbers = {"occurred_at": "int64", **dict.fromkeys(FLAGS, "int8")}
    columns = pd.read_csv(csv, dtype={**DTYPES, **numbers}, keep_default_na=False, na_filter=False)
    return usage_frame({name: columns[name] for name in DTYPES})


def with_segments(calls: pd.DataFrame, *, min_calls: int) -> pd.DataFrame:
    """``calls`` with their ``segment`` and ``output_third``.

    Features with fewer than ``min_calls`` calls of a model are taken together.
    """
    calls = calls.assign(feature=_without_small_features(calls, min_calls))
    segment = calls.groupby(SEGMENT_KEY, observed=True, sort=False).ngroup().astype("int32")
    calls = calls.assign(segment=segment)
    return calls.assign(output_third=_output_thirds(calls))


def _without_small_features(calls: pd.DataFrame, min_calls: int) -> pd.Series:
    sizes = calls.groupby(SEGMENT_KEY, observed=True, sort=False)["cost"].transform("size")
    feature = calls["feature"].cat.add_categories([SMALL_FEATURES])
    return feature.mask(sizes < min_calls, SMALL_FEATURES)


def _output_thirds(calls: pd.DataFrame) -> NDArray[np.int8]:
    """Equal thirds by rank; calls of equal length stay together."""
    by_segment = calls.groupby("segment", sort=False)["output_tokens"]
    rank = by_segment.rank(method="average", pct=True).to_numpy()
    thirds = np.clip(np.ceil(rank * 3) - 1, 0, 2).astype("int8")
    return np.where(by_segment.transform("size") < MIN_CALLS_FOR_THIRDS, 0, thirds).astype("int8")
