"""Everything that happens by itself: what, how often, and what for.

Each job is one service that is called with the time. A job may be late and may run twice: doing it
again changes nothing. Each also runs soon after the start.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from llmlab_app.services.prices import refresh_price_book
from llmlab_app.services.recommendations import recommend
from llmlab_app.services.upkeep import make_months_ahead


class Service(Protocol):
    """A use case that needs to know nothing but what time it is."""

    def __call__(self, *, now: datetime) -> Awaitable[object]:
        """Do it; what is returned is of no interest."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the schedule."""

    name: str
    every: timedelta
    run: Service
    purpose: str
    on_every_server: bool = False
    """Else on one server of several, the one that leads."""


SCHEDULE = (
    Job(
        "make months",
        timedelta(days=1),
        make_months_ahead,
        "The next three months have their partition before the first call of the month comes.",
    ),
    Job(
        "recommend",
        timedelta(hours=1),
        recommend,
        "Advice is a week old at most, also on a laptop that slept through the night.",
    ),
    Job(
        "refresh prices",
        timedelta(days=1),
        refresh_price_book,
        "New prices count without a restart; each server has a price book of its own.",
        on_every_server=True,
    ),
)
