from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.domain.errors import InvalidInput
from llmlab_app.domain.identity import EARLIEST, identify, uuid7, uuid7_time

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PROJECT = UUID(int=7)
milliseconds = st.integers(0, 1_800_000_000_000).map(
    lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)
)


def of(key: str | None, occurred_at: datetime | None = None, project: UUID = PROJECT):
    return identify(
        key=key, occurred_at=occurred_at, project_id=project, now=NOW, entropy=b"0123456789"
    )


@given(at=milliseconds, entropy=st.binary(min_size=10, max_size=10))
def test_a_uuid7_carries_its_millisecond(at: datetime, entropy: bytes) -> None:
    made = uuid7(at, entropy)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert uuid7_time(made) == at


@given(first=milliseconds, second=milliseconds)
def test_uuid7s_sort_by_time(first: datetime, second: datetime) -> None:
    if first < second:
        assert uuid7(first, b"\xff" * 10) < uuid7(second, b"\x00" * 10)


def test_the_time_of_a_uuid7_is_read_off_the_id() -> None:
    id = uuid7(NOW, b"abcdefghij")
    assert of(str(id)) == (id, NOW)
    assert of(str(id), NOW + timedelta(microseconds=400)) == (id, NOW)


def test_a_uuid7_with_another_time_beside_it_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        of(str(uuid7(NOW, b"abcdefghij")), NOW - timedelta(seconds=1))
    assert error.value.code == "id_time_mismatch"


@pytest.mark.parametrize(
    "key", ["order-17", "30ad95e8-5236-44c4-a4c6-46fdb3a67b1b", "x" * 200, "0192f0c1"]
)
def test_another_key_needs_a_time_and_then_always_maps_to_the_same_id(key: str) -> None:
    with pytest.raises(InvalidInput) as error:
        of(key)
    assert error.value.code == "missing_time"
    first, again = of(key, NOW), of(key, NOW)
    assert first == again
    assert uuid7_time(first[0]) == NOW


def test_the_same_key_of_two_projects_maps_to_two_ids() -> None:
    assert of("k", NOW)[0] != of("k", NOW, project=UUID(int=8))[0]


@pytest.mark.parametrize(
    "at", [EARLIEST - timedelta(milliseconds=1), NOW + timedelta(hours=24, seconds=1)]
)
def test_a_time_out_of_range_is_refused(at: datetime) -> None:
    for key in (None, "k", str(uuid7(at, b"abcdefghij"))):
        with pytest.raises(InvalidInput) as error:
            of(key, None if key and len(key) == 36 else at)
        assert error.value.code == "time_out_of_range"


def test_the_largest_uuid7_is_refused_and_does_not_overflow() -> None:
    with pytest.raises(InvalidInput) as error:
        of("ffffffff-ffff-7fff-bfff-ffffffffffff")
    assert error.value.code == "time_out_of_range"


def test_an_event_without_a_key_happens_now() -> None:
    id, at = of(None)
    assert at == NOW
    assert uuid7_time(id) == NOW
