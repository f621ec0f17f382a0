"""``since`` and ``until``: a day of the workspace's zone, or an instant."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Query

from llmlab_app.domain.access import Principal
from llmlab_app.domain.calendar import Period, midnight
from llmlab_app.domain.errors import InvalidInput
from llmlab_app.services import cost_reports

Since = Annotated[
    str | None, Query(description="A day (2026-11-01) or an instant (RFC 3339), included")
]
Until = Annotated[
    str | None, Query(description="A day (2026-11-01) or an instant (RFC 3339), not included")
]


async def period_of(
    caller: Principal, since: str | None, until: str | None, now: datetime
) -> Period:
    """The half-open period between ``since`` and ``until``.

    Raises:
        InvalidInput: neither a day nor an instant with an offset, or an empty range.
    """
    return await cost_reports.period(caller, _parsed(since), _parsed(until), now=now)


async def instant_of(caller: Principal, value: str | None) -> datetime | None:
    """One end of a range: a day stands for its midnight in the caller's workspace.

    Raises:
        InvalidInput: neither a day nor an instant with an offset.
    """
    found = _parsed(value)
    if found is None or isinstance(found, datetime):
        return found
    return midnight(found, await cost_reports.workspace_zone(caller))


def _parsed(value: str | None) -> date | datetime | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else _instant(value)
    except ValueError:
        raise InvalidInput(
            "Write since and until as 2026-11-01, or as 2026-11-01T00:00:00Z.",
            code="invalid_time",
        ) from None


def _instant(value: str) -> datetime:
    # A + in a query string arrives as a space.
    instant = datetime.fromisoformat(value.replace(" ", "+"))
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant
