import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.domain.errors import Unauthenticated
from llmlab_app.domain.keys import ApiKey, new_key, parse_key

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def a_key(seed: int = 1) -> ApiKey:
    return new_key(random.Random(seed).randbytes)


def test_a_key_has_the_published_format() -> None:
    assert re.fullmatch(r"llmlab_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}", a_key().reveal())


def test_the_format_never_changes_for_the_same_random_bytes() -> None:
    key = new_key(lambda count: bytes(range(count)))
    assert key.reveal() == "llmlab_OGusQGwp_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Du4ZY"


@given(st.integers(0, 2**64))
def test_parsing_gives_back_the_key(seed: int) -> None:
    assert parse_key(a_key(seed).reveal()) == a_key(seed)


@given(st.sampled_from([bytes(32), b"\xff" * 32]))
def test_the_smallest_and_the_largest_secret_fit(secret: bytes) -> None:
    key = new_key(lambda count: secret[:count])
    assert len(key.reveal()) == 65
    assert parse_key(key.reveal()) == key


@given(st.integers(7, 64), st.sampled_from(ALPHABET))
def test_any_single_mistyped_character_is_noticed(position: int, typed: str) -> None:
    right = a_key().reveal()
    wrong = right[:position] + typed + right[position + 1 :]
    if wrong == right:
        return
    with pytest.raises(Unauthenticated):
        parse_key(wrong)


@pytest.mark.parametrize(
    "text",
    ["", "llmlab_", "sk-abc", a_key().reveal()[:-1], a_key().reveal() + "\n", "x" * 1_000_000],
)
def test_what_is_not_a_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        parse_key(text)
    assert refused.value.code == "malformed_key"
    assert len(text) < 8 or text not in refused.value.detail


def test_the_kept_hash_fits_its_own_key_only() -> None:
    assert a_key(1).fits(a_key(1).secret_sha256())
    assert not a_key(2).fits(a_key(1).secret_sha256())


def test_printing_a_key_by_accident_does_not_show_its_secret() -> None:
    key = a_key()
    assert key.secret not in repr(key)
    assert key.secret not in f"{key}"
