"""The API's clock: the one place where requests learn what time it is."""

from datetime import UTC, datetime


async def now() -> datetime:
    """The instant of arrival, as a dependency; async, since a plain one costs a thread."""
    return datetime.now(UTC)
