"""What a workspace pays instead of the list price."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llmlab_app.domain.events import AdditionalUsage, CostSource, EventCost
from llmlab_app.domain.pricing import (
    CostBreakdown,
    Discount,
    MappedModel,
    ModelPrice,
    PriceBook,
    PriceOverride,
    PriceScope,
    Terms,
    Validity,
    price_event,
    receipt_of,
)
from llmlab_app.domain.usage import TokenUsage
from tests.factories import event
from tests.unit.domain.shelf import Shelf

LIST = Decimal("0.0012")  # 1,000 in at $1 and 100 out at $2 a million
USAGE = TokenUsage(input_tokens=1_000, output_tokens=100)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


def dollars(**prices: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in prices.items()}


def priced(terms: Terms, **fields: Any) -> tuple[EventCost, ModelPrice | None]:
    return price_event(PriceBook([Shelf()]).with_terms(terms), event(usage=USAGE, **fields))


def cost(terms: Terms, **fields: Any) -> Decimal | None:
    return priced(terms, **fields)[0].cost


def ten_percent(scope: PriceScope | None = None, **fields: Any) -> Discount:
    return Discount(scope=scope or PriceScope(), percent=Decimal(10), **fields)


def test_a_discount_lowers_the_effective_cost_and_leaves_the_list_cost() -> None:
    found, _ = priced(Terms(version="1", discounts=(ten_percent(),)))
    assert (found.list_cost, found.effective_cost) == (LIST, Decimal("0.00108"))
    assert (found.cost, found.source) == (Decimal("0.00108"), CostSource.COMPUTED)


def test_the_most_exact_discount_counts_and_they_never_add_up() -> None:
    terms = Terms(
        version="1",
        discounts=(
            ten_percent(),
            Discount(scope=PriceScope(provider="openai"), percent=Decimal(20)),
            Discount(scope=PriceScope(provider="openai", model="gpt-4o*"), percent=Decimal(50)),
        ),
    )
    assert cost(terms) == LIST / 2


def test_a_discount_holds_between_its_dates() -> None:
    terms = Terms(version="1", discounts=(ten_percent(validity=Validity(SUMMER, None)),))
    assert cost(terms, occurred_at=SUMMER) == Decimal("0.00108")
    assert cost(terms, occurred_at=datetime(2026, 6, 30, tzinfo=UTC)) == LIST


def test_a_discount_can_be_on_some_classes_only() -> None:
    terms = Terms(version="1", discounts=(ten_percent(classes=frozenset({"output"})),))
    assert cost(terms) == Decimal("0.00118")


def test_a_discount_of_another_provider_does_nothing() -> None:
    terms = Terms(version="1", discounts=(ten_percent(PriceScope(provider="anthropic")),))
    found, price = priced(terms)
    assert found.cost == LIST
    assert price is not None
    assert price.agreed is None


def test_an_override_replaces_what_it_names_and_goes_before_any_discount() -> None:
    own = PriceOverride(
        scope=PriceScope(provider="openai", model="gpt-4o-mini"), unit_prices=dollars(input="0.5")
    )
    found, _ = priced(Terms(version="1", overrides=(own,), discounts=(ten_percent(),)))
    assert found.list_cost == LIST
    assert found.cost == Decimal("0.0007")  # 1,000 × 0.5 + 100 × 2


def test_an_override_prices_a_model_that_no_list_knows() -> None:
    own = PriceOverride(
        scope=PriceScope(provider="openai", model="in-house"),
        unit_prices=dollars(input="1", output="1"),
    )
    found, price = priced(Terms(version="1", overrides=(own,)), model="in-house")
    assert (found.list_cost, found.cost) == (None, Decimal("0.0011"))
    assert price is not None
    assert not price.is_list


def test_an_override_of_zero_makes_a_model_free() -> None:
    free = PriceOverride(
        scope=PriceScope(provider="openai", model="in-house"),
        unit_prices=dollars(input="0", output="0"),
    )
    assert cost(Terms(version="1", overrides=(free,)), model="in-house") == 0


def test_an_override_can_be_for_one_tier() -> None:
    own = PriceOverride(
        scope=PriceScope(service_tier="reserved"), unit_prices=dollars(input="0.1", output="0.1")
    )
    terms = Terms(version="1", overrides=(own,))
    assert cost(terms, service_tier="reserved") == Decimal("0.00011")
    assert cost(terms) == LIST
    assert cost(terms, service_tier="zzz") is None


def test_an_override_can_price_a_unit_that_the_list_lacks() -> None:
    own = PriceOverride(scope=PriceScope(), unit_prices=dollars(images="40000"))
    found, _ = priced(Terms(version="1", overrides=(own,)), units={"images": Decimal(2)})
    assert (found.list_cost, found.cost) == (None, LIST + Decimal("0.08"))


def test_a_mapped_model_is_priced_as_the_one_it_stands_for() -> None:
    mapped = MappedModel(
        provider="azure",
        model="team-*",
        target_provider="openai",
        target_model="gpt-4o-mini",
    )
    terms = Terms(version="1", mapped=(mapped,))
    found, price = priced(terms, provider="azure", model="team-chat")
    assert (found.list_cost, found.cost) == (LIST, LIST)
    assert price is not None
    assert "mapped from azure/team-chat" in price.source
    assert cost(terms, provider="azure", model="other") is None


def test_terms_reach_the_usage_beside_the_top_level() -> None:
    extra = AdditionalUsage(model="big-model", usage=USAGE)
    halved = Discount(scope=PriceScope(model="big-model"), percent=Decimal(50))
    found, _ = priced(Terms(version="1", discounts=(halved,)), additional_usage=(extra,))
    assert (found.list_cost, found.cost) == (LIST * 11, LIST * 6)


def test_a_stored_price_with_terms_gives_the_same_receipt_again() -> None:
    found, price = priced(Terms(version="1", discounts=(ten_percent(note="spring deal"),)))
    assert price is not None
    stored = ModelPrice.from_json(price.to_json())
    assert stored.price_id == found.price_id
    assert stored.agreed is not None
    assert stored.agreed.factors == {"spring deal": Decimal("0.9")}
    receipt = receipt_of(USAGE, {}, (), stored.agreed)
    assert isinstance(receipt, CostBreakdown)
    assert receipt.total == found.cost


def test_terms_change_the_version_of_the_book() -> None:
    book = PriceBook([Shelf()])
    assert (
        book.with_terms(Terms(version="a")).version != book.with_terms(Terms(version="b")).version
    )
