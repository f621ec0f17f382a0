"""The API's clock: the one place where requests learn what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The instant of arrival, as a dependency, so that tests may set it."""
    return datetime.now(UTC)
