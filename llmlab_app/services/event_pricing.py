"""Give events their money: the step of ingestion that re-pricing repeats."""

from collections.abc import Sequence

from llmlab_app.domain.events import UsageEvent
from llmlab_app.domain.pricing import PriceBook, price_event
from llmlab_app.storage.event_rows import StoredEvent


def priced(
    events: Sequence[UsageEvent], book: PriceBook
) -> tuple[list[StoredEvent], dict[str, object]]:
    """``events`` with their cost, and the content of every price used by its ``price_id``."""
    prices: dict[str, object] = {}
    return [_priced(book, event, prices) for event in events], prices


def _priced(book: PriceBook, event: UsageEvent, prices: dict[str, object]) -> StoredEvent:
    cost, price = price_event(book, event)
    if price is not None and price.price_id not in prices:
        prices[price.price_id] = price.to_json()
    return StoredEvent(event=event, cost=cost)
