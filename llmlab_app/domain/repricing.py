"""What re-pricing changes: which calls, in which months, by how much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from llmlab_app.domain.calendar import Unit, first_day
from llmlab_app.domain.errors import FieldError, InvalidInput
from llmlab_app.domain.events import Charge, EventCost, UsageEvent
from llmlab_app.domain.money import EXACT

_MONTH = "%Y-%m"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthChange:
    """What re-pricing does to one month of the workspace's zone.

    ``events`` are the calls whose cost changes or becomes known; the costs, in US dollars, are
    sums over those of them that are spend (``metered``), where an unknown cost adds nothing.
    ``is_closed`` months are left alone unless ``is_ticked``.
    """

    month: date
    is_closed: bool
    is_ticked: bool
    events: int = 0
    old_cost: Decimal = Decimal(0)
    new_cost: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0

    @property
    def difference(self) -> Decimal:
        """How much the month's spend rises; negative if it falls."""
        return EXACT.subtract(self.new_cost, self.old_cost)

    @property
    def may_change(self) -> bool:
        """Whether an applied re-pricing touches it."""
        return self.is_ticked or not self.is_closed

    def plus(self, event: UsageEvent, old: EventCost, new: EventCost) -> "MonthChange":
        """The same with one changed call more."""
        counts = event.charge is Charge.METERED
        return replace(
            self,
            events=self.events + 1,
            old_cost=EXACT.add(self.old_cost, _known(old) if counts else Decimal(0)),
            new_cost=EXACT.add(self.new_cost, _known(new) if counts else Decimal(0)),
            unpriced_before=self.unpriced_before + (old.cost is None),
            unpriced_after=self.unpriced_after + (new.cost is None),
        )


@dataclass(frozen=True, slots=True)
class MonthRule:
    """Which months re-pricing may touch: this one, the one before it, and those that are ticked.

    Earlier ones are closed: somebody may have reported on them.
    """

    zone: ZoneInfo
    first_open: date
    ticked: frozenset[date]

    def month_of(self, at: datetime) -> date:
        """The first day of the month of ``at``, where the workspace lives."""
        return first_day(Unit.MONTH, at.astimezone(self.zone).date())

    def unchanged(self, month: date) -> MonthChange:
        """``month`` before anything was found to change in it."""
        return MonthChange(
            month=month, is_closed=month < self.first_open, is_ticked=month in self.ticked
        )


def month_rule(now: datetime, zone: ZoneInfo, ticked: Sequence[str]) -> MonthRule:
    """The rule at ``now``, with ``ticked`` months as ``2026-08``.

    Raises:
        InvalidInput: a ticked month is none.
    """
    this_month = first_day(Unit.MONTH, now.astimezone(zone).date())
    one_before = first_day(Unit.MONTH, date.fromordinal(this_month.toordinal() - 1))
    return MonthRule(zone, one_before, frozenset(map(_parsed, ticked)))


def month_name(month: date) -> str:
    """``2026-08``."""
    return month.strftime(_MONTH)


def costs_differ(old: EventCost, new: EventCost) -> bool:
    """Whether a call's money is not the same; a new name for the same price is no difference."""
    return _money(old) != _money(new)


def _money(cost: EventCost) -> tuple[object, ...]:
    return cost.list_cost, cost.effective_cost, cost.cost, cost.source, cost.unpriced_reason


def _known(cost: EventCost) -> Decimal:
    return Decimal(0) if cost.cost is None else cost.cost


def _parsed(month: str) -> date:
    try:
        return datetime.strptime(month, _MONTH).date()  # noqa: DTZ007  # a month has no zone
    except ValueError:
        detail = "Write months as 2026-08."
        raise InvalidInput(
            detail, code="invalid_month", errors=(FieldError("/months", "invalid_month", detail),)
        ) from None
