"""One call's receipt, in words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from llmlab_app.dashboard.views.receipt import Receipt, receipt_of
from llmlab_app.domain.events import Charge, CostSource, EventCost, Status, UsageEvent
from llmlab_app.domain.pricing import ModelPrice, TokenClass, Unpriced, cost_of
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services import calls
from tests.factories import cost, event

BERLIN = ZoneInfo("Europe/Berlin")
USAGE = TokenUsage(
    input_tokens=8_498, cache_read_tokens=6_144, cache_write_tokens=512, output_tokens=812
)
PRICE = ModelPrice(
    provider="anthropic",
    model="claude-sonnet-4-5",
    unit_prices={
        TokenClass.INPUT: Decimal(3),
        TokenClass.CACHE_READ: Decimal("0.3"),
        TokenClass.CACHE_WRITE: Decimal("3.75"),
        TokenClass.OUTPUT: Decimal(15),
        TokenClass.WEB_SEARCH: Decimal(10_000),
        "images": Decimal(40_000),
    },
    effective_from=datetime(2025, 9, 29, tzinfo=UTC),
    verified_on=date(2026, 11, 19),
    source="Anthropic price list",
)


def computed(call: UsageEvent) -> Receipt:
    breakdown = cost_of(call.usage or TokenUsage(), call.units, PRICE)
    assert not isinstance(breakdown, Unpriced)
    money = cost(str(breakdown.total))
    return receipt_of(calls.Receipt(calls.Call(call, money), PRICE, breakdown), zone=BERLIN)


def bare(call: UsageEvent, money: EventCost) -> Receipt:
    return receipt_of(calls.Receipt(calls.Call(call, money), None, None), zone=BERLIN)


def test_each_token_class_is_quantity_times_price() -> None:
    found = computed(event(model="claude-sonnet-4-5", usage=USAGE))
    assert [(line.name, line.calculation, line.cost) for line in found.lines] == [
        ("Input, uncached", "1,842 × $3.00 per 1M", "$0.0055260"),
        ("Cache read", "6,144 × $0.30 per 1M", "$0.0018432"),
        ("Cache write, 5 min", "512 × $3.75 per 1M", "$0.0019200"),
        ("Output", "812 × $15.00 per 1M", "$0.0121800"),
    ]
    assert found.total == "$0.0214692"


def test_pieces_are_priced_each() -> None:
    call = event(
        model="claude-sonnet-4-5",
        usage=TokenUsage(web_search_requests=3),
        units={"images": Decimal(2)},
    )
    assert [(line.name, line.calculation) for line in computed(call).lines] == [
        ("Web search", "3 × $0.01 each"),
        ("images", "2 × $0.04 each"),
    ]


def test_the_price_says_where_it_is_from_and_since_when() -> None:
    found = computed(event(model="claude-sonnet-4-5", usage=USAGE))
    assert found.price_source == (
        "anthropic / claude-sonnet-4-5, Anthropic price list, valid from 29 Sep 2025, "
        "checked 19 Nov 2026."
    )


def test_times_are_those_of_the_workspace() -> None:
    at = datetime(2026, 11, 19, 13, 31, 49, tzinfo=UTC)
    assert bare(event(occurred_at=at), cost("1")).moment == "19 Nov 2026, 14:31:49"


def test_a_reported_cost_says_so() -> None:
    money = EventCost(
        list_cost=None,
        effective_cost=None,
        reported_cost=Decimal("0.045"),
        cost=Decimal("0.045"),
        source=CostSource.REPORTED,
    )
    found = bare(event(), money)
    assert found.total == "$0.0450000"
    assert found.note.startswith("Reported by the caller")


def test_an_unpriced_call_gives_the_reason_and_no_amount() -> None:
    found = bare(event(), cost(None))
    assert found.total == "unpriced"
    assert found.note == "No cost could be computed: unknown model. It is in no total."


def test_a_refused_call_is_not_billed() -> None:
    refused = event(status=Status.ERROR, error="429", charge=Charge.UNBILLED, usage=None)
    found = bare(refused, cost(None))
    assert (found.status, found.status_css, found.total) == ("429", "badge bad", "not billed")


def test_only_what_is_known_is_listed() -> None:
    details = {d.name: d.value for d in bare(event(), cost("1")).details}
    assert "User" not in details
    assert details["Feature"] == "untagged"
    call = event(user="dana", tags={"env": "prod"}, latency_ms=14_200, time_to_first_token_ms=900)
    details = {d.name: d.value for d in bare(call, cost("1")).details}
    assert details["User"] == "dana"
    assert details["Tags"] == "env: prod"
    assert details["Latency"] == "14.2s, first token 0.9s"


def agreed(percent: int) -> Receipt:
    """The receipt of a call at ``percent`` of the list price."""
    share = Decimal(percent) / 100
    paid = replace(
        PRICE,
        unit_prices={name: price * share for name, price in PRICE.unit_prices.items()},
        factors={"spring deal": share},
        is_list=False,
    )
    price = replace(PRICE, agreed=paid)
    breakdown = cost_of(USAGE, {}, paid)
    assert not isinstance(breakdown, Unpriced)
    money = replace(cost(str(breakdown.total)), list_cost=breakdown.total / share)
    call = calls.Call(event(model="claude-sonnet-4-5", usage=USAGE), money)
    return receipt_of(calls.Receipt(call, price, breakdown), zone=BERLIN)


def test_a_discount_stands_beside_the_list_cost() -> None:
    found = agreed(90)
    assert [(each.name, each.value) for each in found.details[:2]] == [
        ("List cost", "$0.0214692"),
        ("Discount", "$0.0021469"),
    ]
    assert found.total == "$0.0193223"
    assert found.price_source.endswith("You pay: spring deal.")


def test_a_price_above_the_list_is_called_that() -> None:
    assert [each.name for each in agreed(110).details[:2]] == ["List cost", "Above list"]


def test_at_list_price_there_is_no_discount_to_show() -> None:
    found = computed(event(model="claude-sonnet-4-5", usage=USAGE))
    assert not {"List cost", "Discount"} & {each.name for each in found.details}
    assert "You pay" not in found.price_source
