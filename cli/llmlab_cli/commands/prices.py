"""`llmlab prices`: what your workspace pays, what has no price, and pricing calls again."""

import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

import typer
from typing_extensions import Annotated

from llmlab_cli import figures, render
from llmlab_cli.api import Api
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import read_settings
from llmlab_cli.errors import BadUsage, Problem
from llmlab_cli.moments import parse_day
from llmlab_cli.price_tables import day, show_drift, show_months, show_terms, show_unpriced

app = typer.Typer(
    help="Your own prices, discounts and model names; calls without a price; pricing again.",
    invoke_without_command=True,
)
KINDS = ("override", "discount", "mapping")
Model = Annotated[
    str, typer.Argument(metavar="PROVIDER/MODEL", help="As in azure/team-chat; a * ends a prefix.")
]
From = Annotated[
    Optional[str], typer.Option("--from", metavar="DAY", help="From that day on (UTC).")
]
To = Annotated[
    Optional[str], typer.Option("--to", metavar="DAY", help="Until that day, not included.")
]
Note = Annotated[str, typer.Option(help="Stands on receipts.")]


@app.callback()
def prices(ctx: typer.Context) -> None:
    """Without a command, list."""
    if ctx.invoked_subcommand is None:
        list_terms()


@app.command("list", epilog="Example: llmlab prices list")
def list_terms(
    closed: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the prices, discounts and model names that you have agreed."""
    with Api(read_settings()) as api:
        terms = {kind: api.price_terms(kind)["data"] for kind in KINDS}
    if not closed:
        terms = {kind: [t for t in each if not t["closed_at"]] for kind, each in terms.items()}
    if as_json:
        render.print_json({f"{kind}s": each for kind, each in terms.items()})
    elif not any(terms.values()):
        render.note("You pay list prices: there is nothing of your own.")
    else:
        show_terms(terms)


@app.command(epilog="Example: llmlab prices unpriced")
def unpriced(as_json: AsJson = False) -> None:
    """Show the calls that have no cost, by model and reason."""
    with Api(read_settings()) as api:
        found = api.unpriced()
    if as_json:
        render.print_json(found)
    elif not found["data"]:
        render.note("Every call has a cost.")
    else:
        show_unpriced(found["data"])


@app.command(epilog="Example: llmlab prices drift --since 2026-11-01")
def drift(
    since: Annotated[
        Optional[str], typer.Option(metavar="DAY", help="Calls since that day; 31 days at most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show where costs were both reported and computed, and how far apart they are."""
    with Api(read_settings()) as api:
        found = api.price_drift(since)
    if as_json:
        render.print_json(found)
    elif not found["data"]:
        render.note("No call has both a reported and a computed cost.")
    else:
        show_drift(found["data"])


@app.command("map", epilog="Example: llmlab prices map azure/team-chat openai/gpt-4o-mini")
def map_model(
    model: Model,
    target: Annotated[
        str, typer.Argument(metavar="PROVIDER/TARGET", help="The listed model that it is.")
    ],
    as_json: AsJson = False,
) -> None:
    """Price a name that no price list knows as a model that one does."""
    provider, name = _split(model)
    target_provider, target_model = _split(target)
    body = {"target_provider": target_provider, "target_model": target_model}
    _add("mapping", {"provider": provider, "model": name, **body}, as_json=as_json)
    render.note(
        "Calls from now on are priced so. For those before: "
        f"llmlab prices reprice --model {render.clean(name)} --dry-run"
    )


@app.command(
    epilog="Example: llmlab prices override openai/gpt-4o --price input=2 --price output=8"
)
def override(
    model: Model,
    price: Annotated[
        List[str],
        typer.Option(
            metavar="CLASS=DOLLARS",
            help="US dollars per million of a token class or unit; repeat it.",
        ),
    ],
    tier: Annotated[Optional[str], typer.Option(help="For one service tier only.")] = None,
    starts: From = None,
    ends: To = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Replace list prices by prices of your own, from now on or from a day on."""
    provider, name = _split(model)
    body = {
        "provider": provider,
        "model": name,
        "service_tier": tier,
        "unit_prices_per_million": dict(map(_price, price)),
        "note": note,
    }
    _add("override", {**body, **_dates(starts, ends)}, as_json=as_json)


@app.command(epilog="Example: llmlab prices discount 12.5 --provider anthropic")
def discount(
    percent: Annotated[str, typer.Argument(help="How much off the list price, in percent.")],
    provider: Annotated[Optional[str], typer.Option(help="For one provider only.")] = None,
    model: Annotated[Optional[str], typer.Option(help="For one model, or a prefix*.")] = None,
    starts: From = None,
    ends: To = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Take a share off list prices, from now on or from a day on."""
    body = {"percent": percent, "provider": provider, "model": model, "note": note}
    _add("discount", {**body, **_dates(starts, ends)}, as_json=as_json)


@app.command(epilog="Example: llmlab prices close 0d3c1f8a")
def close(
    term: Annotated[
        str, typer.Argument(metavar="ID", help="As `llmlab prices list` shows it, or its start.")
    ],
    until: Annotated[
        Optional[str],
        typer.Option(
            metavar="DAY", help="End it at that day (UTC); before its start: withdraw it."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End a price, a discount or a mapping. Stored costs stay as they are."""
    end = _midnight(until, "--until") if until else None
    with Api(read_settings()) as api:
        kind, id = _found(api, term)
        api.close_price_term(kind, id, end)
    if as_json:
        render.print_json({"id": id, "kind": kind, "closed": True})
    render.done(f"The {kind} {id} is closed.")


@app.command(epilog="Example: llmlab prices reprice --model team-chat --dry-run")
def reprice(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    provider: Annotated[Optional[str], typer.Option(help="Calls of one provider.")] = None,
    model: Annotated[Optional[str], typer.Option(help="Calls of one model.")] = None,
    only_unpriced: Annotated[
        bool, typer.Option("--unpriced", help="Calls that have no cost.")
    ] = False,
    since: Annotated[
        Optional[str], typer.Option(metavar="DAY", help="Calls since that day.")
    ] = None,
    until: Annotated[
        Optional[str], typer.Option(metavar="DAY", help="Calls before that day.")
    ] = None,
    month: Annotated[
        Optional[List[str]],
        typer.Option(metavar="MONTH", help="A closed month that may change: 2026-08; repeat it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Change without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Price stored calls again, after showing month by month what changes."""
    filters = {
        "provider": provider,
        "model": model,
        "cost_source": "unpriced" if only_unpriced else None,
    }
    body = {
        "since": since,
        "until": until,
        "filters": {name: value for name, value in filters.items() if value},
        "months": month or [],
    }
    body = {name: value for name, value in body.items() if value is not None}
    if not (dry_run or yes or sys.stdin.isatty()):
        raise BadUsage("Re-pricing changes stored costs.", "Add --dry-run to look, or --yes.")
    with Api(read_settings()) as api:
        found = api.reprice({**body, "dry_run": True})
        if not as_json:
            show_months(found)
        elif dry_run:
            render.print_json(found)
        if dry_run or (not _may_change(found) and not as_json):
            return
        if not yes and not typer.confirm("Change these costs?", err=True):
            raise typer.Abort
        done = api.reprice({**body, "dry_run": False})
    if as_json:
        render.print_json(done)
    render.done(f"{figures.plural(done['amended'], 'call')} re-priced.")


def _add(kind: str, body: Dict[str, Any], *, as_json: bool) -> None:
    with Api(read_settings()) as api:
        given = {name: value for name, value in body.items() if value is not None}
        added = api.add_price_term(kind, given)
    if as_json:
        render.print_json(added)
    render.done(f"{kind.capitalize()} {added['id']} holds from {day(added['effective_from'])}.")
    for closed in added["closed"]:
        render.note(f"It takes the place of {closed}, which is closed.")


def _found(api: Api, start: str) -> Tuple[str, str]:
    """Kind and id of the one term whose id begins so."""
    found = [
        (kind, term["id"])
        for kind in KINDS
        for term in api.price_terms(kind)["data"]
        if term["id"].startswith(start)
    ]
    if len(found) != 1:
        what = "More than one has" if found else "There is no price, discount or mapping with"
        raise Problem(f"{what} the id {start!r}.", "See `llmlab prices list --all`.")
    return found[0]


def _may_change(found: Dict[str, Any]) -> bool:
    return any(month["may_change"] for month in found["months"])


def _split(name: str) -> Tuple[str, str]:
    provider, _, model = name.partition("/")
    if not provider or not model:
        raise BadUsage(f"{name!r} names no provider and model.", "Write it as openai/gpt-4o-mini.")
    return provider, model


def _price(pair: str) -> Tuple[str, str]:
    name, _, dollars = pair.partition("=")
    if not name or not dollars:
        raise BadUsage(f"--price {pair!r} is no price.", "Write it as input=0.10.")
    return name, dollars


def _dates(starts: Optional[str], ends: Optional[str]) -> Dict[str, Any]:
    return dict(_given_dates(starts, ends))


def _given_dates(starts: Optional[str], ends: Optional[str]) -> Iterator[Tuple[str, str]]:
    if starts:
        yield "effective_from", _midnight(starts, "--from")
    if ends:
        yield "effective_to", _midnight(ends, "--to")


def _midnight(day: str, option: str) -> str:
    return f"{parse_day(day, option, 'Give a day: 2026-11-01.').isoformat()}T00:00:00Z"
