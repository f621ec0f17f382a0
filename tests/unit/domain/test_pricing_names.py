"""Who bills, and for which model."""

import pytest

from llmlab_app.domain.pricing import canonical_provider, canonical_tier, infer_provider
from llmlab_app.domain.pricing.names import canonical_model


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("OpenAI", "openai"),
        ("bedrock", "aws.bedrock"),
        ("amazon-bedrock", "aws.bedrock"),
        ("azure.ai.openai", "azure"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google-vertex"),
        ("mistral_ai", "mistral"),
        ("x_ai", "xai"),
        ("somebody-else", "somebody-else"),
    ],
)
def test_every_name_of_a_provider_means_one(said: str, meant: str) -> None:
    assert canonical_provider(said) == meant


def test_a_name_that_only_contains_a_provider_is_not_that_provider() -> None:
    assert canonical_provider("my-openai-proxy") == "my-openai-proxy"


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o-mini", "openai"),
        ("ft:gpt-4o-2024-08-06:acme::x", "openai"),
        ("o3", "openai"),
        ("o4-mini-2025-04-16", "openai"),
        ("text-embedding-3-small", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("gemini-2.5-pro", "google"),
        ("models/gemini-2.5-pro", "google"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock"),
        ("anthropic.claude-v2", "aws.bedrock"),
        ("mistral-large-latest", "mistral"),
        ("codestral-2508", "mistral"),
        ("ministral-8b-2512", "mistral"),
        ("pixtral-large-latest", "mistral"),
        ("mistral:7b", None),
        ("deepseek-r1:8b", None),
        ("deepseek-chat", "deepseek"),
        ("grok-4", "xai"),
        ("command-r-plus", "cohere"),
        ("voyage-3", "voyageai"),
        ("sonar-pro", "perplexity"),
        ("openai/gpt-4o", None),
        ("gpt-oss-120b", None),
        ("llama-3.3-70b", None),
        ("adapter-7", None),
        ("my-model", None),
        ("", None),
    ],
)
def test_a_provider_is_inferred_only_where_the_name_decides(
    model: str, provider: str | None
) -> None:
    assert infer_provider(model) == provider


@pytest.mark.parametrize(
    ("provider", "said", "meant"),
    [
        ("google", "models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google-vertex", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-6",
            "us.anthropic.claude-sonnet-4-6",
        ),
        ("openai", "openai/gpt-4o", "gpt-4o"),
        ("openai", " GPT-4o ", "gpt-4o"),
        ("openrouter", "anthropic/claude-sonnet-4.5:nitro", "anthropic/claude-sonnet-4.5"),
        ("openrouter", "deepseek/deepseek-chat:free", "deepseek/deepseek-chat:free"),
        ("anthropic", "claude-4.6-sonnet-20260217", "claude-sonnet-4-6"),
        ("anthropic", "claude-4-sonnet-20250522", "claude-sonnet-4"),
        ("anthropic", "claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("anthropic", "claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
    ],
)
def test_every_spelling_of_a_model_means_one(provider: str, said: str, meant: str) -> None:
    assert canonical_model(provider, said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, "default"),
        ("standard", "default"),
        ("ON_DEMAND", "default"),
        ("on_demand_flex", "flex"),
        ("flex", "flex"),
        ("auto", "auto"),
    ],
)
def test_every_name_of_a_tier_means_one(said: str | None, meant: str) -> None:
    assert canonical_tier(said) == meant
