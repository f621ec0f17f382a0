"""Where the price feed is wrong or silent, and what we say instead.

The comments hold the arithmetic; prices are US dollars per million tokens.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import bundled_price_overlay
from llmlab_app.domain.events import AdditionalUsage
from llmlab_app.domain.money import plain
from llmlab_app.domain.pricing import (
    ModelPrice,
    PriceBook,
    Unpriced,
    UnpricedReason,
    cost_of,
    price_event,
)
from llmlab_app.domain.usage import TokenUsage
from tests.factories import event


@cache
def book() -> PriceBook:
    return PriceBook([bundled_price_overlay(), bundled_price_feed()])


def found(provider: str, model: str, at: str, **question: Any) -> ModelPrice | Unpriced:
    instant = datetime.fromisoformat(at)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return book().price_at(provider=provider, model=model, at=instant, **question)


def price(provider: str, model: str, at: str, **question: Any) -> ModelPrice:
    answer = found(provider, model, at, **question)
    assert isinstance(answer, ModelPrice), answer
    return answer


def in_out(provider: str, model: str, at: str, **question: Any) -> tuple[str, str]:
    prices = price(provider, model, at, **question).unit_prices
    return plain(prices["input"]), plain(prices["output"])


def reason(provider: str, model: str, at: str, **question: Any) -> UnpricedReason:
    answer = found(provider, model, at, **question)
    assert isinstance(answer, Unpriced), answer
    return answer.reason


def amounts(provider: str, model: str, at: str, *names: str, **question: Any) -> list[Decimal]:
    prices = price(provider, model, at, **question).unit_prices
    return [prices[name] for name in names]


def dollars(text: str) -> list[Decimal]:
    return [Decimal(part) for part in text.split()]


# 1. Tiers before the feed's history begins


@pytest.mark.parametrize(
    ("provider", "model", "at", "tier", "expected"),
    [
        ("openai", "gpt-5-mini", "2026-09-15", "flex", "0.125 0.0125 1"),
        ("openai", "gpt-4.1", "2026-08-15", "priority", "3.5 0.875 14"),
        ("openai", "gpt-4o-mini", "2026-08-15", "priority", "0.25 0.125 1"),
        ("openai", "gpt-4.1", "2026-08-15", "batch", "1 0.5 4"),
        ("openai", "gpt-5", "2026-08-15", "batch", "0.625 0.0625 5"),
        ("anthropic", "claude-sonnet-4-5", "2025-11-15", "batch", "1.5 0.15 7.5"),
        ("google", "gemini-2.5-pro", "2026-08-15", "batch", "0.625 0.125 5"),
        ("mistral", "mistral-large-2512", "2026-08-15", "batch", "0.25 0.025 0.75"),
    ],
)
def test_a_tier_has_its_price_from_its_first_day(
    provider: str, model: str, at: str, tier: str, expected: str
) -> None:
    names = ("input", "cache_read", "output")
    assert amounts(provider, model, at, *names, service_tier=tier) == dollars(expected)


@pytest.mark.parametrize(
    ("tier", "names"),
    [("flex", ("input", "cache_read", "output")), ("batch", ("input", "output"))],
)
def test_our_tiers_meet_the_feeds_without_a_jump(tier: str, names: tuple[str, ...]) -> None:
    for model in ("o3", "gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.6-sol"):
        before = amounts("openai", model, "2026-10-11", *names, service_tier=tier)
        after = amounts("openai", model, "2026-10-14", *names, service_tier=tier)
        assert before == after, model


def test_before_a_tier_existed_it_has_no_price() -> None:
    assert reason("anthropic", "claude-3-opus-20240229", "2024-10-07", service_tier="batch") == (
        UnpricedReason.UNKNOWN_TIER
    )


# 2. Unknown tiers


@pytest.mark.parametrize("tier", ["zzz", "auto", "scale", "provisioned"])
def test_an_unknown_tier_is_unpriced(tier: str) -> None:
    assert reason("openai", "gpt-4o", "2026-11-01", service_tier=tier) == (
        UnpricedReason.UNKNOWN_TIER
    )


# 3. Regions


def test_inference_kept_in_the_us_costs_a_tenth_more_from_opus_4_6_on() -> None:
    assert in_out("anthropic", "claude-opus-4-6", "2026-04-15", region="us") == ("5.5", "27.5")
    assert in_out("anthropic", "claude-opus-4-6", "2026-04-15", region="global") == ("5", "25")
    assert in_out("anthropic", "claude-sonnet-4-5", "2026-04-15", region="us") == ("3", "15")


def test_claude_costs_a_tenth_more_on_a_regional_endpoint_of_vertex() -> None:
    model = "claude-sonnet-4-6"
    assert in_out("google-vertex", model, "2026-04-15", region="us-east5") == ("3.3", "16.5")
    assert in_out("google-vertex", model, "2026-04-15", region="global") == ("3", "15")


def test_bedrock_profiles_of_a_region_cost_a_tenth_more_than_the_global_one() -> None:
    model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert in_out("bedrock", f"us.{model}", "2026-04-15") == ("3.3", "16.5")
    assert in_out("bedrock", f"global.{model}", "2026-04-15") == ("3", "15")


# 4. A price that was cut


def test_gemini_3_6_flash_was_twice_as_dear_before_its_introductory_price() -> None:
    assert in_out("google", "gemini-3.6-flash", "2026-08-12") == ("1.5", "7.5")
    assert in_out("google", "gemini-3.6-flash", "2026-08-13") == ("0.75", "3.75")
    assert in_out("google", "gemini-3.6-flash", "2027-01-01") == ("1.5", "7.5")


# 5. The silent $0


def test_tokens_of_a_model_billed_by_the_second_are_not_free() -> None:
    whisper = price("openai", "whisper-1", "2026-11-01")
    tokens = cost_of(TokenUsage(input_tokens=100), {}, whisper)
    assert isinstance(tokens, Unpriced)
    minute = cost_of(TokenUsage(), {"audio_seconds": Decimal(60)}, whisper)
    assert not isinstance(minute, Unpriced)
    assert minute.total == Decimal("0.006")


def test_a_price_of_zero_in_the_feed_is_not_believed() -> None:
    nothing_listed = price("github-copilot", "gpt-4o", "2026-11-01")
    assert isinstance(cost_of(TokenUsage(input_tokens=1), {}, nothing_listed), Unpriced)


@pytest.mark.parametrize("provider", ["ollama", "vllm", "lmstudio", "llamacpp"])
def test_local_models_are_free_by_their_provider_alone(provider: str) -> None:
    cost, _ = price_event(book(), event(provider=provider, model="llama3.3:70b"))
    assert cost.cost == 0
    assert reason("openai", "llama3.3:70b", "2026-11-01") == UnpricedReason.UNKNOWN_MODEL


# 6. Names that came to stand for another model


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2024-08-01", ("3", "9")),
        ("2024-10-01", ("2", "6")),
        ("2025-11-01", ("2", "6")),
        ("2025-12-02", ("0.5", "1.5")),
        ("2026-11-01", ("0.5", "1.5")),
    ],
)
def test_mistral_large_latest_is_the_large_model_of_its_day(
    at: str, expected: tuple[str, str]
) -> None:
    assert in_out("mistral", "mistral-large-latest", at) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-01-01", "0.14 0.014 0.28"),
        ("2025-02-20T20:00", "0.27 0.07 1.1"),  # no night discount yet
        ("2025-06-01T12:00", "0.27 0.07 1.1"),
        ("2025-06-01T20:00", "0.135 0.035 0.55"),
        ("2025-09-05T15:59", "0.27 0.07 1.1"),
        ("2025-09-05T20:00", "0.56 0.07 1.68"),  # the night discount has ended
        ("2025-10-01", "0.28 0.028 0.42"),
        ("2026-05-01", "0.14 0.0028 0.28"),  # served by V4 Flash
    ],
)
def test_deepseek_chat_costs_what_it_cost_then(at: str, expected: str) -> None:
    names = ("input", "cache_read", "output")
    assert amounts("deepseek", "deepseek-chat", at, *names) == dollars(expected)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-07-01T02:00", ("0.435", "0.87")),  # before there were peak hours
        ("2026-08-18T02:00", ("1.32", "3.96")),
        ("2026-08-18T05:00", ("0.66", "1.98")),
        ("2026-08-22T02:00", ("1.32", "3.96")),  # a Saturday, while weekends had peaks
        ("2026-08-29T02:00", ("0.66", "1.98")),  # a Saturday since
        ("2026-08-31T02:00", ("1.32", "3.96")),  # a Monday
        ("2026-10-02T02:00", ("0.66", "1.98")),  # a Friday, and a public holiday in China
    ],
)
def test_deepseek_has_peak_hours_by_date_hour_and_weekday(
    at: str, expected: tuple[str, str]
) -> None:
    assert in_out("deepseek", "deepseek-v4-pro", at) == expected


def test_gpt_4o_was_the_may_model_until_october_2024() -> None:
    assert in_out("openai", "gpt-4o", "2024-10-01") == ("5", "15")
    assert in_out("openai", "gpt-4o", "2024-10-02") == ("2.5", "10")


# 7. Cached input


def test_cached_input_of_gemini_2_5_pro_was_a_quarter_and_is_a_tenth() -> None:
    long = {"input_tokens": 200_001}
    assert amounts("google", "gemini-2.5-pro", "2025-08-01", "cache_read") == dollars("0.3125")
    assert amounts("google", "gemini-2.5-pro", "2025-08-01", "cache_read", **long) == dollars(
        "0.625"
    )
    assert amounts("google", "gemini-2.5-pro", "2026-08-01", "cache_read") == dollars("0.125")
    assert amounts("google", "gemini-2.5-pro", "2026-08-01", "cache_read", **long) == dollars(
        "0.25"
    )


def test_cached_input_of_codestral_latest_is_a_tenth() -> None:
    assert amounts("mistral", "codestral-latest", "2026-11-01", "cache_read") == dollars("0.03")


# 8. Azure


def test_azure_is_priced_by_the_model_that_the_answer_names() -> None:
    assert in_out("azure", "gpt-4.1-mini-2025-04-14", "2026-11-01") == ("0.4", "1.6")
    assert in_out("azure", "gpt-35-turbo", "2024-06-01") == ("0.5", "1.5")
    assert reason("azure", "openllmetry-testing", "2026-11-01") == UnpricedReason.UNKNOWN_MODEL


# 9. Names that the feed can't place


def test_names_with_a_prefix_or_a_snapshot_are_understood() -> None:
    assert in_out("google", "models/gemini-2.5-pro", "2026-11-01") == ("1.25", "10")
    assert in_out("openai", "davinci:2023-07-21-v2", "2024-01-01") == ("2", "2")


def test_a_system_of_several_models_has_no_price_of_its_own() -> None:
    assert reason("groq", "groq/compound", "2026-11-01") == UnpricedReason.UNKNOWN_MODEL


# 10. Steps belong to one call


def test_two_long_calls_are_not_one_longer_call() -> None:
    usage = TokenUsage(input_tokens=150_000)
    short = price("google", "gemini-2.5-pro", "2026-11-01", input_tokens=usage.input_tokens)
    assert short.context_step == 0
    summed = price("google", "gemini-2.5-pro", "2026-11-01", input_tokens=300_000)
    assert summed.context_step == 200_000


# 11. What is billed outside the top-level counts


def test_an_iteration_of_another_model_is_billed_at_that_models_price() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    compaction = AdditionalUsage(
        model="claude-haiku-4-5", usage=TokenUsage(input_tokens=55_196, output_tokens=100)
    )
    cost, _ = price_event(
        book(),
        event(
            provider="anthropic",
            model="claude-opus-5",
            occurred_at=at,
            usage=TokenUsage(input_tokens=220, output_tokens=10),
            additional_usage=(compaction,),
        ),
    )
    # 220 × 5 + 10 × 25 + 55,196 × 1 + 100 × 5, all per million
    assert cost.cost == Decimal("0.057046")


@pytest.mark.parametrize("unit", ["cache_write_12h_tokens", "cache_storage_token_hours"])
def test_what_nobody_has_a_price_for_leaves_the_call_unpriced(unit: str) -> None:
    cost, _ = price_event(book(), event(units={unit: Decimal(1000)}))
    assert (cost.cost, cost.unpriced_reason) == (None, UnpricedReason.MISSING_UNIT_PRICE)


# What else the feed has wrong


def test_gemini_1_5_flash_8b_costs_half_of_flash() -> None:
    assert in_out("google", "gemini-1.5-flash-8b", "2025-01-01") == ("0.0375", "0.15")
    assert in_out("google", "gemini-1.5-flash", "2025-01-01") == ("0.075", "0.3")


def test_embeddings_have_no_output_price() -> None:
    assert "output" not in price("mistral", "mistral-embed", "2026-11-01").unit_prices


def test_audio_of_the_audio_models_is_not_billed_as_text() -> None:
    names = ("input_audio", "output_audio")
    assert amounts("openai", "gpt-4o-audio-preview", "2025-06-01", *names) == dollars("40 80")


def test_grounding_is_billed_by_the_prompt_before_gemini_3_and_by_the_query_since() -> None:
    usage = TokenUsage(web_search_requests=3)
    before = cost_of(usage, {}, price("google", "gemini-2.5-flash", "2026-03-01"))
    since = cost_of(usage, {}, price("google", "gemini-3-flash-preview", "2026-03-01"))
    assert not isinstance(before, Unpriced)
    assert not isinstance(since, Unpriced)
    assert (before.total, since.total) == (Decimal("0.035"), Decimal("0.042"))


def test_fast_mode_of_opus_4_6_costs_six_times_as_much() -> None:
    assert in_out("anthropic", "claude-opus-4-6", "2026-04-01", speed="fast") == ("30", "150")


def test_claude_sonnet_4_had_a_long_context_price_while_its_beta_ran() -> None:
    long = {"input_tokens": 200_001}
    model = "claude-sonnet-4-20250514"
    assert in_out("anthropic", model, "2025-09-01", **long) == ("6", "22.5")
    assert in_out("anthropic", model, "2025-08-01", **long) == ("3", "15")


# Gateways


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("anthropic/claude-4.6-sonnet-20260217", ("3", "15")),
        ("anthropic/claude-sonnet-4.5", ("3", "15")),
        ("openai/gpt-5-mini-2025-08-07", ("0.25", "2")),
        ("google/gemini-2.5-flash", ("0.3", "2.5")),
    ],
)
def test_openrouter_passes_on_the_price_of_a_models_only_vendor(
    model: str, expected: tuple[str, str]
) -> None:
    assert in_out("openrouter", model, "2026-05-01") == expected


@pytest.mark.parametrize(
    "model", ["openai/gpt-oss-120b", "deepseek/deepseek-chat", "qwen/qwen3-30b-a3b", "x/y:online"]
)
def test_openrouter_has_no_one_price_for_open_weights(model: str) -> None:
    assert reason("openrouter", model, "2026-07-01") == UnpricedReason.VARYING_UPSTREAM


def test_a_search_through_openrouter_has_a_fee_nobody_knows() -> None:
    gpt = price("openrouter", "openai/gpt-5-mini", "2026-05-01")
    assert isinstance(cost_of(TokenUsage(web_search_requests=1), {}, gpt), Unpriced)


def test_a_free_variant_of_openrouter_is_free() -> None:
    cost, _ = price_event(book(), event(provider="openrouter", model="deepseek/deepseek-r1:free"))
    assert cost.cost == 0


# Every model that the product names, on a day in its life


@pytest.mark.parametrize(
    ("provider", "model", "at", "expected"),
    [
        ("openai", "gpt-3.5-turbo", "2023-04-01", ("2", "2")),
        ("openai", "gpt-3.5-turbo", "2023-09-01", ("1.5", "2")),
        ("openai", "gpt-3.5-turbo", "2024-06-01", ("0.5", "1.5")),
        ("openai", "gpt-3.5-turbo-16k", "2023-09-01", ("3", "4")),
        ("openai", "gpt-3.5-turbo-1106", "2024-01-01", ("1", "2")),
        ("openai", "gpt-4", "2023-06-01", ("30", "60")),
        ("openai", "gpt-4-32k", "2023-06-01", ("60", "120")),
        ("openai", "gpt-4-turbo", "2024-06-01", ("10", "30")),
        ("openai", "gpt-4-1106-preview", "2023-12-01", ("10", "30")),
        ("openai", "davinci", "2022-06-01", ("60", "60")),
        ("openai", "davinci", "2022-10-01", ("20", "20")),
        ("openai", "o1-mini", "2024-11-01", ("3", "12")),
        ("openai", "o1-mini", "2025-03-01", ("1.1", "4.4")),
        ("openai", "o3", "2025-05-01", ("10", "40")),
        ("openai", "gpt-6.1-sol", "2026-11-01", ("2", "10")),
        ("anthropic", "claude-2.0", "2023-09-01", ("11.02", "32.68")),
        ("anthropic", "claude-2.1", "2024-01-01", ("8", "24")),
        ("anthropic", "claude-instant-1.2", "2023-09-01", ("1.63", "5.51")),
        ("anthropic", "claude-instant-1.2", "2024-01-01", ("0.8", "2.4")),
        ("anthropic", "claude-3-haiku-20240307", "2024-06-01", ("0.25", "1.25")),
        ("anthropic", "claude-3-sonnet-20240229", "2024-06-01", ("3", "15")),
        ("anthropic", "claude-3-opus-20240229", "2024-06-01", ("15", "75")),
        ("anthropic", "claude-3-5-haiku-20241022", "2024-11-15", ("1", "5")),
        ("anthropic", "claude-3-5-haiku-20241022", "2025-01-15", ("0.8", "4")),
        ("anthropic", "claude-opus-5-5", "2026-11-01", ("4", "20")),
        ("google", "gemini-pro", "2024-06-01", ("0.5", "1.5")),
        ("google", "gemini-1.0-pro", "2024-06-01", ("0.5", "1.5")),
        ("google", "gemini-1.0-ultra", "2024-06-01", ("0.5", "1.5")),
        ("google", "gemini-1.5-pro", "2024-06-01", ("3.5", "10.5")),
        ("google", "gemini-1.5-pro", "2024-11-01", ("1.25", "5")),
        ("google", "gemini-1.5-flash", "2024-06-01", ("0.35", "1.05")),
    ],
)
def test_every_model_has_the_price_of_its_day(
    provider: str, model: str, at: str, expected: tuple[str, str]
) -> None:
    assert in_out(provider, model, at) == expected


@pytest.mark.parametrize(
    ("model", "at", "expected"),
    [
        ("text-embedding-ada-002", "2023-03-01", "0.4"),
        ("text-embedding-ada-002", "2024-03-01", "0.1"),
        ("text-embedding-3-small", "2024-03-01", "0.02"),
        ("text-embedding-3-large", "2024-03-01", "0.13"),
    ],
)
def test_every_embedding_has_the_price_of_its_day(model: str, at: str, expected: str) -> None:
    assert amounts("openai", model, at, "input") == dollars(expected)


def test_a_price_without_a_public_source_says_so() -> None:
    assert price("google", "gemini-1.0-ultra", "2024-06-01").confidence == "low"
