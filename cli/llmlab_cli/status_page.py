"""The page of `llmlab status`: four periods, then a table. It writes figures, it computes none."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from llmlab_cli import figures
from llmlab_cli.render import add_total, clean, table, text

if TYPE_CHECKING:
    from rich.console import RenderableType

Figures = Mapping[str, Any]

# Period → its heading, and the words for the same stretch of the period before.
PERIODS = {
    "today": ("Today", "yesterday by now"),
    "week": ("This week", "last week by now"),
    "month": ("This month", "last month by now"),
    "all_time": ("All time", ""),
}
_CARD_WIDTH = 19
_BAR_CELLS = 10


def status_page(report: Figures, period: str, limit: int) -> RenderableType:
    """The whole page for one report.

    Args:
        report: The server's answers.
        period: What the table covers, in words.
        limit: Most rows of the table.
    """
    summary, costs = report["summary"], report["costs"]
    parts: list[RenderableType] = [_heading(report), "", _cards(summary), ""]
    if costs["data"]:
        parts += [_caption(report, period), _breakdown(report["by"], costs, limit)]
        parts += _rest(costs["data"], limit)
    else:
        parts.append(text(f"No calls {period}."))
    return Group(*parts, *_unpriced(summary))


def _heading(report: Figures) -> Text:
    scope = f"project {report['project']}" if report["project"] else "all projects"
    where = f" · {report['server']} · {scope} · {report['summary']['timezone']}"
    return text("LLMLab", "bold") + text(where, "dim")


def _cards(summary: Figures) -> Table:
    cards = Table.grid(padding=(0, 1, 0, 0))
    for _ in PERIODS:
        cards.add_column(width=_CARD_WIDTH, overflow="fold")
    cards.add_row(*(_card(summary[name], *words) for name, words in PERIODS.items()))
    return cards


def _card(period: Figures, heading: str, before: str) -> Group:
    calls = figures.plural(period["events"], "call")
    return Group(
        text(heading, "dim"),
        text(_cost(period), "bold"),
        *(text(line, "dim") for line in (*_change(period, before), calls)),
    )


def _change(period: Figures, before: str) -> tuple[str, str]:
    """How it compares with the period before, cut at the same moment; neutral, as on the page."""
    previous = period["previous_cost"]
    if previous is None:
        return ("", "")
    now, then = Decimal(period["cost"]), Decimal(previous)
    if not then:
        return ("▲ from nothing", before) if now else ("= nothing", before)
    glyph = "▲" if now > then else "▼" if now < then else "="
    return (f"{glyph} from {figures.total(previous)}", before)


def _cost(spend: Figures) -> str:
    """The cost, unless nothing in it has a price."""
    only_unpriced = spend["events"] and spend["unpriced_events"] == spend["events"]
    return figures.NO_PRICE if only_unpriced else figures.total(spend["cost"])


def _caption(report: Figures, period: str) -> Text:
    calls = ", computed from calls" if report["costs"]["source"] == "calls" else ""
    return text(f"By {' and '.join(report['by'])} {period}{calls}", "bold")


def _breakdown(by: Sequence[str], costs: Figures, limit: int) -> Table:
    grid = table(*map(clean, by), "", "Cost", "Calls", "Input", "Output", figures=4)
    rows = costs["data"][:limit]
    longest = max(Decimal(row["cost"] or 0) for row in rows)
    for row in rows:
        names = [_name(row["key"][dimension]) for dimension in by]
        grid.add_row(*names, _bar(row["cost"], longest), *_cells(row))
    add_total(grid, "Total", *([""] * len(by)), *_cells(costs["total"]))
    return grid


def _bar(cost: str | None, longest: Decimal) -> Text:
    """A bar as long as the cost is beside the longest; anything above zero is seen."""
    share = Decimal(cost or 0) / longest if longest else Decimal(0)
    eighths = math.ceil(share * _BAR_CELLS * 8)
    return text("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip(), "cyan")


def _name(name: str | None) -> Text:
    return text(name) if name else text("not set", "dim")


def _cells(spend: Figures) -> list[str]:
    tokens = (spend["input_tokens"], spend["output_tokens"])
    return [_cost(spend), figures.count(spend["events"]), *map(figures.tokens, tokens)]


def _rest(rows: Sequence[Figures], limit: int) -> list[Text]:
    hidden = rows[limit:]
    return [text(f"{len(hidden)} more: --limit {len(rows)}", "dim")] if hidden else []


def _unpriced(summary: Figures) -> list[RenderableType]:
    calls = summary["all_time"]["unpriced_events"]
    if not calls:
        return []
    have, they = ("has", "It is") if calls == 1 else ("have", "They are")
    gap = f"{figures.plural(calls, 'call')} {have} no price. {they} left out of every total."
    return ["", text("△ ", "yellow") + text(gap)]
