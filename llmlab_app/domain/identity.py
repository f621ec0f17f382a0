"""Which call an event is. The time is part of the identity, so that a retry never counts twice.

A client makes a UUIDv7 (RFC 9562) at the start of its call; the month-partitioned table has the key
``(project_id, id, occurred_at)``, and ``occurred_at`` is read off the id. Any other key of a client
is mapped by hash onto a UUIDv7 of the time that came with it.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from llmlab_app.domain.errors import FieldError, InvalidInput
from llmlab_app.domain.events import RejectionReason

EARLIEST = datetime(2022, 1, 1, tzinfo=UTC)
CLOCK_TOLERANCE = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def uuid7(at: datetime, entropy: bytes) -> UUID:
    """The UUIDv7 of the millisecond of ``at`` with the first ten bytes of ``entropy``."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    tail = int.from_bytes(entropy[:10], "big")
    value = (milliseconds << 80) | tail
    value = value & ~(0xF000 << 64) | (0x7000 << 64)
    value = value & ~(0xC000 << 48) | (0x8000 << 48)
    return UUID(int=value)


def uuid7_time(id: UUID) -> datetime | None:
    """The millisecond a UUIDv7 was made at; None for any other UUID."""
    if id.version != 7:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=id.int >> 80)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def identify(
    *,
    key: str | None,
    occurred_at: datetime | None,
    project_id: UUID,
    now: datetime,
    entropy: bytes,
) -> tuple[UUID, datetime]:
    """The id an event is stored under and the millisecond it occurred at.

    ``key`` is the client's id: a UUIDv7, any other text, or None for an event that can't be
    retried, which takes its id from ``entropy`` (ten random bytes).

    Raises:
        InvalidInput: ``missing_time``, ``id_time_mismatch`` or ``time_out_of_range``.
    """
    told = None if occurred_at is None else _to_millisecond(occurred_at)
    if key is None:
        at = told or _to_millisecond(now)
        return uuid7(at, entropy), _in_range(at, now)
    made = _uuid7_or_none(key)
    if made is None:
        if told is None:
            raise _refused(
                RejectionReason.MISSING_TIME,
                "/occurred_at",
                "An id that isn't a UUIDv7 needs occurred_at beside it.",
            )
        digest = sha256(project_id.bytes + key.encode()).digest()
        return uuid7(_in_range(told, now), digest), told
    at = uuid7_time(made) or now
    if told is not None and told != at:
        raise _refused(
            RejectionReason.ID_TIME_MISMATCH,
            "/occurred_at",
            "occurred_at differs from the time inside the UUIDv7 id. Leave occurred_at out.",
        )
    return made, _in_range(at, now)


def _uuid7_or_none(key: str) -> UUID | None:
    try:
        id = UUID(key)
    except ValueError:
        return None
    return id if id.version == 7 else None


def _to_millisecond(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _in_range(at: datetime, now: datetime) -> datetime:
    if EARLIEST <= at <= now + CLOCK_TOLERANCE:
        return at
    raise _refused(
        RejectionReason.TIME_OUT_OF_RANGE,
        "/occurred_at",
        f"The event's time is {at:%Y-%m-%d %H:%M}Z; accepted are 2022-01-01 to a day from now. "
        "Check the clock of the machine that made it.",
    )


def _refused(reason: RejectionReason, pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, code=reason, errors=(FieldError(pointer, reason, detail),))
