"""Reports as the services give them; a test names only what it is about."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from llmlab_app.domain.calendar import Unit, first_day
from llmlab_app.domain.spend import PeriodSpend, Spend, SpendRow, Summary
from llmlab_app.services.overview import OverviewReport, SpendHistory

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 19, 14, 32, tzinfo=BERLIN)  # a Thursday
TODAY = NOW.date()


def row(cost: str, *, unpriced: int = 0, **key: str) -> SpendRow:
    """Spend of one combination of values."""
    return SpendRow(key, Spend(cost=Decimal(cost), events=1 + unpriced, unpriced_events=unpriced))


def days(amounts: Mapping[str, Mapping[str, str]]) -> list[SpendRow]:
    """Rows by day and model, from ``{day: {model: cost}}``."""
    return [
        row(cost, day=day, model=model)
        for day, models in amounts.items()
        for model, cost in models.items()
    ]


def period(cost: str, first: date, previous: str | None, **measures: int) -> PeriodSpend:
    """One figure of the summary."""
    before = None if previous is None else Decimal(previous)
    return PeriodSpend(Spend(cost=Decimal(cost), **measures), first, before)


def report(**fields: Any) -> OverviewReport:
    """A report of Thursday 19 November 2026, 14:32 in Berlin, without spend."""
    summary = {
        "today": period("0", TODAY, "0"),
        "week": period("0", first_day(Unit.WEEK, TODAY), "0"),
        "month": period("0", TODAY.replace(day=1), "0"),
        "all_time": period("0", TODAY, None),
        **{name: fields.pop(name) for name in list(fields) if name in _FIGURES},
    }
    defaults: dict[str, Any] = {"now": NOW, "hours": [], "days": [], "untagged": []}
    return OverviewReport(
        summary=Summary(**summary, timezone="Europe/Berlin"), **(defaults | fields)
    )


_FIGURES = ("today", "week", "month", "all_time")


def history(models: Mapping[str, str] | None = None, **fields: Any) -> SpendHistory:
    """All-time spend by model."""
    rows = [row(cost, model=model) for model, cost in (models or {}).items()]
    return SpendHistory(models=rows, days=fields.get("days", []))
