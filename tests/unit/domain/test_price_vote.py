"""Two lists that agree make a proposal, anything else is reported, nothing is changed."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.domain.price_vote import Name, PriceDifference, PriceTable, Verdict, compare

NAME: Name = ("openai", "gpt-4o")


def table(**prices: str) -> PriceTable:
    return {NAME: {name: Decimal(price) for name, price in prices.items()}}


def compared(ours: PriceTable, *others: PriceTable) -> list[PriceDifference]:
    return compare(ours, {f"list {number}": each for number, each in enumerate(others)})


def test_two_lists_against_ours_make_a_proposal() -> None:
    [found] = compared(table(input="2"), table(input="1"), table(input="1"), table(input="3"))
    assert (found.verdict, found.proposed, found.ours) == (
        Verdict.PROPOSAL,
        Decimal(1),
        Decimal(2),
    )
    assert (found.provider, found.model, found.token_class) == (*NAME, "input")


def test_lists_that_all_differ_are_reported_without_a_proposal() -> None:
    [found] = compared(table(input="2"), table(input="1"), table(input="3"))
    assert (found.verdict, found.proposed) == (Verdict.DISAGREEMENT, None)
    assert set(found.others.values()) == {Decimal(1), Decimal(3)}


def test_one_list_alone_is_never_enough_for_a_proposal() -> None:
    [found] = compared(table(input="2"), table(input="1"), table(output="1"))[:1]
    assert found.verdict is Verdict.DISAGREEMENT


def test_ours_is_left_in_peace_where_two_lists_agree_with_it() -> None:
    assert compared(table(input="2"), table(input="2.0"), table(input="2"), table(input="9")) == []


def test_a_price_that_we_lack_is_proposed() -> None:
    [found] = compared(table(input="2"), table(cache_read="1"), table(cache_read="1"))
    assert (found.token_class, found.ours, found.proposed) == ("cache_read", None, Decimal(1))


def test_zero_and_silence_are_no_votes() -> None:
    assert compared(table(input="2"), table(input="0"), table(output="0"), {}) == []


prices = st.dictionaries(
    st.sampled_from(["input", "output"]), st.sampled_from(["1", "2", "3"]).map(Decimal)
)


@given(st.lists(prices, min_size=1, max_size=3), prices)
def test_a_proposal_always_has_two_lists_behind_it_and_never_says_what_we_have(
    lists: list[dict[str, Decimal]], ours: dict[str, Decimal]
) -> None:
    for found in compared({NAME: ours}, *({NAME: each} for each in lists)):
        if found.proposed is not None:
            assert list(found.others.values()).count(found.proposed) > 1
            assert found.proposed != found.ours
