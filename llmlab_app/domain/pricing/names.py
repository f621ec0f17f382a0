"""Who bills, and for which model: from the names that clients and hosts use to one name each."""

import re

_PROVIDERS = {
    "amazon": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "azure-openai": "azure",
    "azure_openai": "azure",
    "azure_ai": "azure",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "claude": "anthropic",
    "deep_seek": "deepseek",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gemini": "google",
    "google-gla": "google",
    "google_genai": "google",
    "google-genai": "google",
    "google_ai_studio": "google",
    "gcp.vertex_ai": "google-vertex",
    "google_vertexai": "google-vertex",
    "google.vertex": "google-vertex",
    "vertex": "google-vertex",
    "vertex_ai": "google-vertex",
    "vertexai": "google-vertex",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "x-ai": "xai",
    "x_ai": "xai",
    "grok": "xai",
    "voyage": "voyageai",
    "together_ai": "together",
    "together-ai": "together",
    "togetherai": "together",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "z.ai": "zai",
    "open_router": "openrouter",
    "litellm_proxy": "litellm",
    "lm_studio": "lmstudio",
    "lm-studio": "lmstudio",
    "llama.cpp": "llamacpp",
    "llama_cpp": "llamacpp",
    "hosted_vllm": "vllm",
}

# Names that only one biller uses. Open weights have many hosts, so nothing follows from theirs:
# not from ``mistral:7b``, ``deepseek-r1:8b`` or ``gemma3``.
_BY_MODEL: tuple[tuple[str, str], ...] = (
    (r"(?:[a-z-]+\.)?(?:anthropic|amazon|meta|cohere|mistral|ai21|openai)\.", "aws.bedrock"),
    (r"accounts/fireworks/", "fireworks"),
    (r"@cf/", "cloudflare"),
    (r"(?:models/|tunedModels/)?(?:gemini|imagen|veo)-", "google"),
    (r"claude", "anthropic"),
    (r"(?:ft:)?(?:gpt-(?!oss)|chatgpt-|o[134](?:-|$)|text-embedding-(?:3|ada))", "openai"),
    (r"(?:ft:)?(?:davinci|babbage|curie|ada)(?:-|:|$)", "openai"),
    (r"(?:whisper-1|tts-1|dall-e-|text-davinci|codex-|omni-moderation|computer-use-)", "openai"),
    (
        r"(?!.*instruct)(?:mi|code|dev|magi|mini|pix|vox)s?tral-[a-z0-9-]*(?:latest|2\d{3}|embed)$",
        "mistral",
    ),
    (r"open-mi[sx]tral-", "mistral"),
    (r"deepseek-(?:chat|reasoner|flash|v4-pro|v4-flash)$", "deepseek"),
    (r"grok-", "xai"),
    (r"(?:c4ai-)?command-|command$|embed-(?:english|multilingual|v4)|rerank-v", "cohere"),
    (r"voyage-", "voyageai"),
    (r"sonar(?:-|$)", "perplexity"),
    (r"moonshot-", "moonshotai"),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), who) for pattern, who in _BY_MODEL)

_TIERS = {
    "": "default",
    "standard": "default",
    "on_demand": "default",
    "on-demand": "default",
    "standard_only": "default",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}

_ROUTING = re.compile(r":(?:nitro|floor|exacto|beta|thinking)$")
"""Wishes that OpenRouter takes in a model's name and that leave its price alone."""


_CLAUDE_VERSION_FIRST = re.compile(r"^claude-([4-9](?:-\d)?)-(opus|sonnet|haiku)(?:-\d{8})?$")
_DOT_IN_VERSION = re.compile(r"(?<=\d)\.(?=\d)")


def canonical_provider(provider: str) -> str:
    """The one name of a provider: ``bedrock``, ``aws`` and ``amazon`` are ``aws.bedrock``."""
    name = provider.strip().lower()
    return _PROVIDERS.get(name, name)


def canonical_tier(service_tier: str | None) -> str:
    """The one name of a service tier: ``standard`` and ``on_demand`` are ``default``."""
    name = (service_tier or "").strip().lower()
    return _TIERS.get(name, name)


def infer_provider(model: str) -> str | None:
    """Who bills for ``model`` if its name alone says so, else None.

    A name with a vendor and a slash (``openai/gpt-4o``) is what gateways use: the vendor is not
    the biller, so nothing is inferred. Open-weight models have many hosts: nothing either.
    """
    return next((who for pattern, who in _COMPILED if pattern.match(model)), None)


def canonical_model(provider: str, model: str) -> str:
    """The bare model of a provider's identifier, in lower case.

    ``models/gemini-2.5-pro`` → ``gemini-2.5-pro``; a Bedrock ARN → the profile or model it ends
    in, with its region (``us.anthropic.claude-…``), because regions have prices of their own;
    ``openai/gpt-4o`` at OpenAI itself → ``gpt-4o``.
    """
    name = model.strip().lower()
    if provider in ("google", "google-vertex", "aws.bedrock"):
        return name.rsplit("/", 1)[-1]
    if provider == "openrouter":
        return _ROUTING.sub("", name)
    name = name.removeprefix(f"{provider}/")
    return _claude(name) if provider == "anthropic" else name


def _claude(name: str) -> str:
    """Anthropic's spelling of gateways' ``claude-sonnet-4.6`` and ``claude-4.6-sonnet-20260217``.

    The day in the latter is the gateway's, so it goes.
    """
    name = _DOT_IN_VERSION.sub("-", name)
    return _CLAUDE_VERSION_FIRST.sub(r"claude-\2-\1", name)
