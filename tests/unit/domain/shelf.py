"""A price list that fits in a test."""

from decimal import Decimal

from llmlab_app.domain.pricing import Alias, PriceFactor, PriceFee, PriceRow, Source, Step


class Shelf:
    """One price for a few models: input $1, output $2, for a million; ``big-model`` tenfold."""

    version = "1"

    def rows_for(self, provider: str, model: str) -> list[PriceRow]:
        tenfold = {"gpt-4o-mini": 1, "big-model": 10}.get(model)
        if tenfold is None:
            return []
        prices = {"input": Decimal(tenfold), "output": Decimal(2 * tenfold)}
        step = Step(200_000, {name: 2 * price for name, price in prices.items()})
        source = Source(text="a page")
        return [
            PriceRow(provider=provider, model=model, steps=(Step(0, prices), step), source=source)
        ]

    def factors_for(self, provider: str, model: str) -> list[PriceFactor]:
        return []

    def fees_for(self, provider: str, model: str) -> list[PriceFee]:
        return []

    def aliases_for(self, provider: str, model: str) -> list[Alias]:
        return []
