"""What the totals leave out, and what they cannot place."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from llmlab_app.dashboard import formatting
from llmlab_app.domain.spend import Dimension, SpendRow
from llmlab_app.services.overview import OverviewReport, SpendHistory

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap in the numbers and the models it comes from. ``kind`` is unpriced or untagged."""

    kind: str
    headline: str
    text: str
    names_label: str
    names: list[str]
    more: str


def gaps(report: OverviewReport, history: SpendHistory) -> list[Gap]:
    """Calls without a price, ever; spend without a feature, this month."""
    found = (_unpriced(report, history), _untagged(report))
    return [gap for gap in found if gap is not None]


def _unpriced(report: OverviewReport, history: SpendHistory) -> Gap | None:
    count = report.summary.all_time.spend.unpriced_events
    if not count:
        return None
    models = _unpriced_models([*history.models, *report.days])
    has, they, are = ("has", "It", "is") if count == 1 else ("have", "They", "are")
    return Gap(
        kind="unpriced",
        headline=f"{formatting.plural(count, 'call')} {has} no price",
        text=f"{they} {are} left out of every total until you set one.",
        names_label="From",
        names=models[:_MOST_NAMES],
        more=f"and {len(models) - _MOST_NAMES} more" if len(models) > _MOST_NAMES else "",
    )


def _unpriced_models(rows: Sequence[SpendRow]) -> list[str]:
    """Names once each, in order: the history lags a minute behind, so recent days are asked too."""
    unpriced = (str(row.key[Dimension.MODEL]) for row in rows if row.spend.unpriced_events)
    return list(dict.fromkeys(unpriced))


def _untagged(report: OverviewReport) -> Gap | None:
    spent = sum((row.spend.cost for row in report.untagged), Decimal(0))
    month = report.summary.month.spend.cost
    if not spent or not month:
        return None
    return Gap(
        kind="untagged",
        headline=f"{formatting.total(spent)} has no feature tag",
        text=f"{formatting.percent(spent / month)} of this month. Name a feature where you call, "
        "and it shows what the money was for.",
        names_label="Most of it from",
        names=[str(report.untagged[0].key[Dimension.MODEL])],
        more="",
    )
