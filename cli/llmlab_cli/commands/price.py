from typing import Any, Dict, Optional

import typer
from typing_extensions import Annotated

from llmlab_cli import figures, render
from llmlab_cli.api import Api
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import read_settings
from llmlab_cli.moments import parse_day


def _tokens(flag: str, meaning: str) -> Any:
    return typer.Option(flag, min=0, metavar="TOKENS", help=meaning)


def price(
    model: Annotated[str, typer.Argument(help="Model, as the provider names it.")],
    input_tokens: Annotated[int, _tokens("--input", "All input tokens, cached ones included.")] = 0,
    output_tokens: Annotated[
        int, _tokens("--output", "All output tokens, reasoning included.")
    ] = 0,
    cache_read: Annotated[int, _tokens("--cache-read", "Of the input: read from the cache.")] = 0,
    cache_write: Annotated[
        int, _tokens("--cache-write", "Of the input: written to the cache.")
    ] = 0,
    provider: Annotated[
        Optional[str], typer.Option(help="Who bills; found by the model's name if left out.")
    ] = None,
    tier: Annotated[str, typer.Option(help="default, batch, flex or priority.")] = "default",
    at: Annotated[
        Optional[str], typer.Option(metavar="DAY", help="At the price of that day: 2026-11-01.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what one call costs, line by line, at the price of its day."""
    usage = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
    }
    question = {
        "model": model,
        "usage": usage,
        "service_tier": tier,
        "provider": provider,
        "at": _midnight(at) if at else None,
    }
    with Api(read_settings()) as api:
        quote = api.quote({name: value for name, value in question.items() if value is not None})
    if as_json:
        render.print_json(quote)
    elif quote["cost"] is None:
        _say_unpriced(model, quote)
    else:
        _print_receipt(model, quote)


def _midnight(day: str) -> str:
    return f"{parse_day(day, '--at', 'Give a day: 2026-11-01.').isoformat()}T00:00:00Z"


def _say_unpriced(model: str, quote: Dict[str, Any]) -> None:
    render.show(render.text(f"{model}: {figures.NO_PRICE}"))
    why = quote.get("detail") or "No price is known for this call."
    render.warn(f"{why} That is not $0: it is unknown.")


def _print_receipt(model: str, quote: Dict[str, Any]) -> None:
    receipt = render.table("", "Quantity", "Per 1M", "Cost", figures=3)
    for line in quote["lines"]:
        receipt.add_row(
            render.text(line["token_class"].replace("_", " ")),
            render.text(figures.quantity(line["quantity"])),
            render.text(figures.unit_price(line["unit_price_per_million"])),
            render.text(figures.receipt_line(line["cost"])),
        )
    render.add_total(receipt, model, "", "", f"${quote['cost']}")
    render.show(receipt)
    render.note(_source(quote))
    if quote.get("agreed"):
        render.note(_agreed(quote["agreed"]))


def _agreed(agreed: Dict[str, Any]) -> str:
    names = list(agreed["factors"]) or [agreed["price_source"]]
    return f"At your own terms ({', '.join(names)}), see `llmlab prices list`."


def _source(quote: Dict[str, Any]) -> str:
    source = f"Source: {quote.get('price_source_url') or quote.get('price_source')}"
    since = str(quote.get("effective_from") or "").split("T")[0]
    return f"Price in force since {since}. {source}" if since else source
