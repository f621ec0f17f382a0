"""The tables. Rows never leave ``storage``.

Event-scale tables (``event`` and the rollups) carry ``project_id`` in every key and no foreign
key, so that the same SQL runs on Citus. Money is whole pico-dollars: ``bigint`` for one event,
``numeric`` where it is summed.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from llmlab_app.domain.usage import USAGE_FIELDS

Timestamp = DateTime(timezone=True)


class _Table(SQLModel):
    """Names the table of ``PriceUsedRow`` ``price_used``, and so on."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # pyright: ignore[reportIncompatibleVariableOverride]  # SQLAlchemy's form
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Row")).lower()


def _now() -> datetime:
    return datetime.now(UTC)


class WorkspaceRow(_Table, table=True):
    """A tenant: one calendar, one set of prices, its people and its projects.

    ``price_version`` counts the changes of its own prices: see ``storage.price_terms``.
    """

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(sa_type=Text)
    timezone: str = Field(sa_type=Text)
    price_version: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)


class RoleRow(_Table, table=True):
    """What a member may do: owner, admin, member, viewer."""

    name: str = Field(sa_type=Text, primary_key=True)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class MemberRow(_Table, table=True):
    """A person in a workspace. ``password_hash`` is argon2id, or None in local mode."""

    __table_args__ = (UniqueConstraint("workspace_id", "name"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=Text)
    role: str = Field(sa_column=Column(Text, ForeignKey("role.name"), nullable=False))
    password_hash: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)


class SessionRow(_Table, table=True):
    """A signed-in browser; only the hash of its cookie is kept."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    token_sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    member_id: UUID = Field(foreign_key="member.id", index=True)
    user_agent: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    last_used_at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    expires_at: datetime = Field(sa_type=Timestamp)
    revoked_at: datetime | None = Field(default=None, sa_type=Timestamp)


class SetupTokenRow(_Table, table=True):
    """A single-use link that signs a browser in."""

    token_sha256: bytes = Field(sa_type=LargeBinary, primary_key=True)
    member_id: UUID = Field(foreign_key="member.id")
    expires_at: datetime = Field(sa_type=Timestamp)
    used_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ProjectRow(_Table, table=True):
    """What calls are booked to; its name is unique in the workspace."""

    __table_args__ = (UniqueConstraint("workspace_id", "name"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    archived_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ApiKeyRow(_Table, table=True):
    """A key's public half; of the secret only the SHA-256 is kept."""

    public_id: str = Field(sa_type=Text, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    project_id: UUID | None = Field(default=None, foreign_key="project.id")
    name: str = Field(sa_type=Text)
    secret_sha256: bytes = Field(sa_type=LargeBinary)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    last_used_at: datetime | None = Field(default=None, sa_type=Timestamp)
    revoked_at: datetime | None = Field(default=None, sa_type=Timestamp)


class PriceUsedRow(_Table, table=True):
    """All unit prices, factors and sources behind a cost; the key is the hash of the content."""

    price_id: str = Field(sa_type=Text, primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    first_used_at: datetime = Field(default_factory=_now, sa_type=Timestamp)


class PriceTermRow(_Table, table=True):
    """What a workspace pays instead of the list price: closed, never edited, never deleted."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    kind: str = Field(sa_type=Text)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    effective_from: datetime = Field(sa_type=Timestamp)
    effective_to: datetime | None = Field(default=None, sa_type=Timestamp)
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    created_by: str = Field(sa_type=Text)
    closed_at: datetime | None = Field(default=None, sa_type=Timestamp)
    closed_by: str | None = Field(default=None, sa_type=Text)


class AuditRow(_Table, table=True):
    """Who changed what; append-only."""

    __table_args__ = (Index("audit_workspace_at", "workspace_id", "at"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    at: datetime = Field(default_factory=_now, sa_type=Timestamp)
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    detail: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class AnalysisRow(_Table, table=True):
    """The newest run of advice over a workspace: what it looked at and found."""

    workspace_id: UUID = Field(primary_key=True, foreign_key="workspace.id")
    computed_at: datetime = Field(sa_type=Timestamp)
    window_start: datetime = Field(sa_type=Timestamp)
    window_end: datetime = Field(sa_type=Timestamp)
    calls: int = Field(sa_type=BigInteger)
    findings: list[Any] = Field(sa_column=Column(JSONB, nullable=False))


class RecommendationRow(_Table, table=True):
    """One piece of advice with its evidence; replaced by the next weekly run while open."""

    __table_args__ = (Index("recommendation_workspace", "workspace_id", "created_at"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    project_id: UUID = Field(foreign_key="project.id")
    rule: str = Field(sa_type=Text)
    status: str = Field(default="open", sa_type=Text)
    expected_saving: Decimal = Field(sa_type=Numeric)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(default_factory=_now, sa_type=Timestamp)


def _count(*, nullable: bool = False) -> Any:
    """A whole number that defaults to 0, or to unknown."""
    return Field(
        default=None if nullable else 0,
        sa_column_kwargs={"server_default": None if nullable else text("0")},
        sa_type=Integer,
        nullable=nullable,
    )


def _json(empty: str) -> Any:
    return Field(sa_type=JSONB, sa_column_kwargs={"server_default": text(f"'{empty}'")})


class EventRow(_Table, table=True):
    """One provider call; a partition a month. Fixed-width columns first: less padding."""

    __table_args__: ClassVar[Any] = (
        Index("event_ts", "ts", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
        Index(
            "event_received_at",
            "received_at",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32},
        ),
        Index(
            "event_unpriced",
            "project_id",
            "provider",
            "model",
            postgresql_where=text("cost_source = 'unpriced'"),
        ),
        {"postgresql_partition_by": "RANGE (ts)"},
    )
    project_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ts: datetime = Field(sa_type=Timestamp, primary_key=True)
    received_at: datetime = Field(sa_type=Timestamp)
    list_cost: int | None = Field(default=None, sa_type=BigInteger)
    effective_cost: int | None = Field(default=None, sa_type=BigInteger)
    reported_cost: int | None = Field(default=None, sa_type=BigInteger)
    cost: int | None = Field(default=None, sa_type=BigInteger)
    input_tokens: int = _count()
    cache_read_tokens: int = _count()
    cache_write_tokens: int = _count()
    cache_write_1h_tokens: int = _count()
    input_audio_tokens: int = _count()
    input_image_tokens: int = _count()
    input_video_tokens: int = _count()
    cache_read_audio_tokens: int = _count()
    tool_use_input_tokens: int = _count()
    output_tokens: int = _count()
    reasoning_tokens: int = _count()
    output_audio_tokens: int = _count()
    output_image_tokens: int = _count()
    web_search_requests: int = _count()
    total_tokens: int | None = _count(nullable=True)
    latency_ms: int | None = _count(nullable=True)
    time_to_first_token_ms: int | None = _count(nullable=True)
    revision: int = _count()
    retries: int = Field(default=0, sa_type=SmallInteger)
    has_usage: bool
    usage_estimated: bool
    stream: bool
    charge: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    cost_source: str = Field(sa_type=Text)
    unpriced_reason: str | None = Field(default=None, sa_type=Text)
    price_id: str | None = Field(default=None, sa_type=Text)
    provider: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    request_model: str | None = Field(default=None, sa_type=Text)
    operation: str = Field(sa_type=Text)
    service_tier: str = Field(sa_type=Text)
    speed: str | None = Field(default=None, sa_type=Text)
    region: str | None = Field(default=None, sa_type=Text)
    feature: str = Field(sa_type=Text)
    end_user: str | None = Field(default=None, sa_type=Text)
    session: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    finish_reason: str | None = Field(default=None, sa_type=Text)
    response_id: str | None = Field(default=None, sa_type=Text)
    prompt_hash: str | None = Field(default=None, sa_type=Text)
    sdk: str | None = Field(default=None, sa_type=Text)
    prefix_hashes: list[str] = _json("[]")
    tags: dict[str, Any] = _json("{}")
    units: dict[str, Any] = _json("{}")
    additional_usage: list[Any] = _json("[]")
    raw_usage: dict[str, Any] = _json("{}")


class _Measures(_Table):
    """What both rollups add up; ``unpriced_events`` are in events and tokens, not in cost."""

    events: int = Field(sa_type=BigInteger)
    unpriced_events: int = Field(sa_type=BigInteger)
    errors: int = Field(sa_type=BigInteger)
    input_tokens: int = Field(sa_type=BigInteger)
    cache_read_tokens: int = Field(sa_type=BigInteger)
    cache_write_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    reasoning_tokens: int = Field(sa_type=BigInteger)
    latency_ms: int = Field(sa_type=BigInteger)
    cost: Decimal = Field(sa_type=Numeric)


class RollupHourRow(_Measures, table=True):
    """Spend by hour of the workspace's zone; no feature, so that it stays small."""

    __table_args__: ClassVar[Any] = {"postgresql_with": {"fillfactor": 70}}
    project_id: UUID = Field(primary_key=True)
    hour: datetime = Field(sa_type=Timestamp, primary_key=True)
    provider: str = Field(sa_type=Text, primary_key=True)
    model: str = Field(sa_type=Text, primary_key=True)
    charge: str = Field(sa_type=Text, primary_key=True)
    slot: int = Field(sa_type=SmallInteger, primary_key=True)


class RollupDayRow(_Measures, table=True):
    """Spend by day of the workspace's zone, with feature."""

    __table_args__: ClassVar[Any] = {"postgresql_with": {"fillfactor": 70}}
    project_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    provider: str = Field(sa_type=Text, primary_key=True)
    model: str = Field(sa_type=Text, primary_key=True)
    feature: str = Field(sa_type=Text, primary_key=True)
    charge: str = Field(sa_type=Text, primary_key=True)
    slot: int = Field(sa_type=SmallInteger, primary_key=True)


MEASURES: tuple[str, ...] = tuple(_Measures.model_fields)
EVENT_COLUMNS: tuple[str, ...] = tuple(EventRow.model_fields)
if not set(USAGE_FIELDS) <= set(EVENT_COLUMNS):
    raise TypeError("every count of TokenUsage needs a column in the event table")
