"""Who bills for a call: known from the host it goes to, whatever client makes it."""

from __future__ import annotations

from typing import Any, Mapping

_BY_SUFFIX = (
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("openrouter.ai", "openrouter"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.deepseek.com", "deepseek"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.x.ai", "xai"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.z.ai", "zai"),
    ("router.huggingface.co", "huggingface"),
    ("ai-gateway.vercel.sh", "vercel"),
    ("api.portkey.ai", "portkey"),
    ("aiplatform.googleapis.com", "google-vertex"),
    ("generativelanguage.googleapis.com", "google"),
    ("amazonaws.com", "aws.bedrock"),
    ("api.aws", "aws.bedrock"),
)
_MAX_KNOWN = 512

_named: dict[str, str] = {}
_known: dict[str, str | None] = {}


def name_hosts(hosts: Mapping[str, str]) -> None:
    """Say who bills at hosts of your own: ``{"localhost:11434": "ollama"}``."""
    _named.update(hosts)
    _known.clear()


def provider_at(url: Any) -> str | None:
    """The provider behind ``url`` (a client's URL object), None if its host is not known."""
    host = getattr(url, "netloc", b"")
    return provider_of_host(host.decode("latin-1") if isinstance(host, bytes) else str(host))


def provider_of_host(host: str) -> str | None:
    """The provider behind ``host`` or ``host:port``, None if it is not known."""
    try:
        return _known[host]
    except KeyError:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        found = _known[host] = _named.get(host) or _look_up(host.partition(":")[0])
        return found


def _look_up(host: str) -> str | None:
    for suffix, provider in _BY_SUFFIX:
        # Vertex puts its region in front with a hyphen: europe-west1-aiplatform.googleapis.com
        if host == suffix or host.endswith(("." + suffix, "-" + suffix)):
            return provider
    return _named.get(host)
