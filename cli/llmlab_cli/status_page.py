"""The page of `llmlab status`: four periods, then a table. It writes figures, it computes none."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from rich.columns import Columns
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
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
_ROOMY = 64  # columns that bar and tokens need beside a name


def status_page(report: Figures, period: str, limit: int, width: int) -> RenderableType:
    """The whole page for one report.

    Args:
        report: The server's answers.
        period: What the table covers, in words.
        limit: Most rows of the table.
        width: Of the terminal; a narrow one keeps names, costs and calls.
    """
    summary, costs, by = report["summary"], report["costs"], report["by"]
    parts: list[RenderableType] = [_heading(report), "", _cards(summary), ""]
    rows = _in_order(costs["data"], by)
    if rows:
        parts += [_caption(report, period), _breakdown(by, rows[:limit], costs["total"], width)]
        parts += _rest(rows, limit)
    else:
        parts.append(text(f"No calls {period}."))
    return Group(*parts, *_unpriced(summary))


def _in_order(rows: Sequence[Figures], by: Sequence[str]) -> Sequence[Figures]:
    """As the server has them, dearest first; days and hours newest first."""
    if by[0] not in ("day", "hour"):
        return rows
    return sorted(rows, key=lambda row: row["key"][by[0]], reverse=True)


def _heading(report: Figures) -> Text:
    scope = f"project {report['project']}" if report["project"] else "all projects"
    where = f" · {report['server']} · {scope} · {report['summary']['timezone']}"
    return text("LLMLab", "bold") + text(where, "dim")


def _cards(summary: Figures) -> Columns:
    """Side by side, on as many lines as the terminal's width asks for."""
    cards = [_card(summary[name], *words) for name, words in PERIODS.items()]
    return Columns(cards, width=_CARD_WIDTH, padding=(0, 1, 0, 0))


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


def _breakdown(by: Sequence[str], rows: Sequence[Figures], whole: Figures, width: int) -> Table:
    if width < _ROOMY:
        grid = table(*map(clean, by), "Cost", "Calls", figures=2)
        for row in rows:
            grid.add_row(*_names(row, by), *_cells(row)[:2])
        add_total(grid, "Total", *[""] * (len(by) - 1), *_cells(whole)[:2])
        return grid
    grid = table(*map(clean, by), "", "Cost", "Calls", "Input", "Output", figures=4)
    grid.columns[len(by)].no_wrap = True
    dearest = max(Decimal(row["cost"]) for row in rows)
    for row in rows:
        grid.add_row(*_names(row, by), _bar(Decimal(row["cost"]), dearest), *_cells(row))
    add_total(grid, "Total", *[""] * len(by), *_cells(whole))
    return grid


def _bar(cost: Decimal, dearest: Decimal) -> Text:
    """A bar as long as the cost is beside the dearest; anything above zero is seen."""
    share = cost / dearest if dearest else Decimal(0)
    eighths = math.ceil(share * _BAR_CELLS * 8)
    return text("█" * (eighths // 8) + _EIGHTHS[eighths % 8], "cyan")


def _names(row: Figures, by: Sequence[str]) -> list[Text]:
    names = (row["key"][dimension] for dimension in by)
    return [text(name) if name else text("not set", "dim") for name in names]


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
