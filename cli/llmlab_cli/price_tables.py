"""The tables of `llmlab prices`."""

from typing import Any, Dict, List, Optional

from llmlab_cli import figures, render


def show_terms(terms: Dict[str, List[Dict[str, Any]]]) -> None:
    """What was agreed, by kind, with its dates."""
    grid = render.table("For", "What", "From", "To", "ID")
    for kind, each in terms.items():
        for term in each:
            grid.add_row(
                render.text(_subject(term)),
                render.text(_agreed(kind, term)),
                day(term["effective_from"]),
                day(term["effective_to"]),
                render.text(term["id"], "dim"),
            )
    render.show(grid)


def _subject(term: Dict[str, Any]) -> str:
    tier = f" ({term['service_tier']})" if term.get("service_tier") else ""
    if term["provider"] == term["model"] == "*":
        return f"everything{tier}"
    return f"{term['provider']}/{term['model']}{tier}"


def _agreed(kind: str, term: Dict[str, Any]) -> str:
    if kind == "mapping":
        return f"priced as {term['target_provider']}/{term['target_model']}"
    if kind == "discount":
        classes = f" of {', '.join(term['token_classes'])}" if term["token_classes"] else ""
        return f"{term['percent']} % off{classes}"
    prices = term["unit_prices_per_million"].items()
    return ", ".join(f"{name} {figures.unit_price(price)}" for name, price in prices) + " per 1M"


def show_unpriced(groups: List[Dict[str, Any]]) -> None:
    """Calls without a cost, and what to do about them."""
    grid = render.table("Model", "Reason", "Last seen", "Calls", "Tokens in", "Out", figures=3)
    for group in groups:
        grid.add_row(
            render.text(f"{group['provider']}/{group['model']}"),
            render.text(group["reason"].replace("_", " ")),
            day(group["last_seen"]),
            figures.count(group["calls"]),
            figures.tokens(group["input_tokens"]),
            figures.tokens(group["output_tokens"]),
        )
    render.show(grid)
    unknown = [group for group in groups if group["mappable"]]
    if unknown:
        name = f"{unknown[0]['provider']}/{unknown[0]['model']}"
        render.note(f"Say what it is: llmlab prices map {render.clean(name)} PROVIDER/MODEL")


def show_drift(models: List[Dict[str, Any]]) -> None:
    """Reported beside computed cost."""
    grid = render.table("Model", "Calls", "Reported", "Computed", "Difference", figures=4)
    for each in models:
        grid.add_row(
            render.text(f"{each['provider']}/{each['model']}"),
            figures.count(each["calls"]),
            figures.total(each["reported_cost"]),
            figures.total(each["computed_cost"]),
            figures.total(each["difference"]),
        )
    render.show(grid)


def show_months(found: Dict[str, Any]) -> None:
    """What re-pricing changes, month by month."""
    if not found["months"]:
        render.note("No cost would change.")
        return
    grid = render.table("Month", "", "Calls", "Cost now", "Then", "Change", figures=4)
    for month in found["months"]:
        grid.add_row(
            month["month"],
            "" if month["may_change"] else "closed",
            figures.count(month["events"]),
            figures.total(month["old_cost"]),
            figures.total(month["new_cost"]),
            figures.total(month["difference"]),
        )
    render.show(grid)
    closed = [month["month"] for month in found["months"] if not month["may_change"]]
    if closed:
        render.note(f"Closed months stay as they are. To change one: --month {closed[0]}")


def day(instant: Optional[str]) -> str:
    """The day of an instant; a dash where there is none."""
    return render.clean(instant).split("T")[0] if instant else "–"
