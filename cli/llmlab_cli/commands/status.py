"""`llmlab status`: what was spent, in one screen. All figures are the server's."""

import sys
import time
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

import typer
from typing_extensions import Annotated

from llmlab_cli import render
from llmlab_cli.api import Api
from llmlab_cli.commands.options import AsJson, ProjectName
from llmlab_cli.config import Settings, read_settings
from llmlab_cli.errors import BadUsage, Unreachable
from llmlab_cli.moments import Since, parse_since

if TYPE_CHECKING:
    from rich.console import RenderableType

WATCH_SECONDS = 2.0


def status(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Start of the table: 24h, 30d, 4w or 2026-11-01.")
    ] = "30d",
    by: Annotated[
        Optional[List[str]],
        typer.Option(
            metavar="DIMENSION",
            help="provider, model, feature, project, user, day, hour or tag:KEY; twice at most.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="ROWS", help="Rows of the table.")] = 20,
    project: ProjectName = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it up to date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was spent: today, this week, this month, ever, and by model."""
    settings, period = read_settings({"project": project}), parse_since(since)
    dimensions = by or ["model"]
    with Api(settings) as api:

        def page() -> "RenderableType":
            from llmlab_cli.status_page import status_page

            report = _report(api, settings, period, dimensions)
            return status_page(report, period.words, limit, render.screen().width)

        if watch:
            _watch(page, as_json=as_json)
        elif as_json:
            render.print_json(_report(api, settings, period, dimensions))
        else:
            render.show(page())


def _report(api: Api, settings: Settings, period: Since, by: List[str]) -> Dict[str, Any]:
    """The server's answers, as they came."""
    summary = api.summary()
    today = date(*map(int, summary["today"]["first_day"].split("-")))
    start = period.start(now=datetime.now(timezone.utc), today=today)
    return {
        "server": settings.server.value,
        "project": settings.project.value,
        "since": start,
        "by": by,
        "summary": summary,
        "costs": api.costs(by, since=start),
    }


def _watch(page: "Callable[[], RenderableType]", *, as_json: bool) -> None:
    """Redraw every two seconds until Ctrl-C; a server that goes away is waited for."""
    if as_json or not sys.stdout.isatty():
        raise BadUsage("--watch draws on a terminal.", "Leave it out for JSON and in pipes.")
    from rich.live import Live

    latest = page()
    with Live(latest, console=render.screen(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_SECONDS)
            try:
                latest = page()
                live.update(latest, refresh=True)
            except Unreachable as problem:
                live.update(_stale(latest, problem), refresh=True)


def _stale(page: "RenderableType", problem: Unreachable) -> "RenderableType":
    from rich.console import Group

    return Group(page, "", render.text(f"△ {problem.what} Trying again.", "yellow"))
