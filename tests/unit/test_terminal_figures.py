"""Terminal and dashboard are different distributions, so each writes figures itself: alike."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmlab_cli import figures

from llmlab_app.dashboard import formatting

costs = st.decimals("-1e7", "1e7", places=12, allow_nan=False) | st.decimals(
    "-0.01", "0.01", places=12, allow_nan=False
)
counts = st.integers(0, 10**13)


@pytest.mark.parametrize("name", ["total", "call_cost", "receipt_line"])
@given(amount=costs)
def test_money_looks_the_same_in_terminal_and_dashboard(name: str, amount: Decimal):
    written = getattr(figures, name)(format(amount, "f"))
    assert written == getattr(formatting, name)(amount)


@given(price=st.decimals(0, 10**6, places=9, allow_nan=False))
def test_unit_prices_look_the_same_in_terminal_and_dashboard(price: Decimal):
    assert figures.unit_price(format(price, "f")) == formatting.unit_price(price)


@given(count=counts)
def test_counts_look_the_same_in_terminal_and_dashboard(count: int):
    assert figures.tokens(count) == formatting.tokens(count)
    assert figures.count(count) == formatting.calls(count)
    assert figures.plural(count, "call") == formatting.plural(count, "call")
