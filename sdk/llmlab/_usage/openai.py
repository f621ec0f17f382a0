"""OpenAI's shapes, and those of everybody who copied them.

Cached, written, audio and image tokens lie *inside* the input; reasoning, audio and rejected
predictions inside the output.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from llmlab._usage.usage import AdditionalUsage, usage_of
from llmlab._usage.values import Fields, count, fields, name, quantity

Counts = Dict[str, Any]
"""Values of ``Usage``'s attributes; what is not there is 0."""

INPUT_DETAILS: Mapping[str, str] = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_creation_tokens": "cache_write_tokens",  # LiteLLM
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
    "video_tokens": "input_video_tokens",
    "cache_read": "cache_read_tokens",  # LangChain, to the end
    "cache_creation": "cache_write_tokens",
    "ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "audio": "input_audio_tokens",
}
OUTPUT_DETAILS: Mapping[str, str] = {
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
    "reasoning": "reasoning_tokens",  # LangChain, to the end
    "audio": "output_audio_tokens",
}
BESIDE_DETAILS: Mapping[str, str] = {
    "cached_tokens": "cache_read_tokens",  # Together, Hugging Face, Moonshot
    "num_cached_tokens": "cache_read_tokens",  # Mistral
    "prompt_cache_hit_tokens": "cache_read_tokens",  # DeepSeek
    "cache_read_input_tokens": "cache_read_tokens",  # LiteLLM
    "cache_creation_input_tokens": "cache_write_tokens",  # LiteLLM
    "reasoning_tokens": "reasoning_tokens",
}
"""What some hosts write into the usage object itself; the details go first."""


def read_chat(usage: Fields) -> Counts:
    """Chat completions, completions, embeddings: ``prompt_tokens`` and ``completion_tokens``."""
    counts = _inclusive(
        usage,
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        usage.get("prompt_tokens_details") or usage.get("prompt_token_details"),
        usage.get("completion_tokens_details") or usage.get("completion_token_details"),
    )
    if "citation_tokens" in usage:
        _add_perplexity_research(counts, usage)
    if "prompt_audio_seconds" in usage:
        _add_unit(counts, "audio_seconds", quantity(usage.get("prompt_audio_seconds")))
    return counts


def read_responses(usage: Fields) -> Counts:
    """Responses, images, speech, realtime: ``input_tokens`` and ``output_tokens``."""
    return _inclusive(
        usage,
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        usage.get("input_tokens_details") or usage.get("input_token_details"),
        usage.get("output_tokens_details") or usage.get("output_token_details"),
    )


def read_duration(usage: Fields) -> Counts:
    """Speech billed by the second: ``{"type": "duration", "seconds": 12.5}``."""
    counts: Counts = {}
    _add_unit(counts, "audio_seconds", quantity(usage.get("seconds")))
    return counts


def add_image_facts(counts: Counts, usage: Fields, answer: Fields) -> None:
    """An answer of images has image output, where the usage does not split it.

    An SVG is billed beside its picture, at the rates of the model that wrote it.
    """
    if not usage.get("output_tokens_details"):
        counts["output_image_tokens"] = counts["output_tokens"]
    author = fields(answer.get("svg_usage"))
    written = usage_of(read_responses(author))
    if written.output_tokens:
        model = name(author.get("model"))
        counts["additional_usage"] = (AdditionalUsage(model=model, usage=written),)


def _inclusive(usage: Fields, prompt: Any, completion: Any, inside: Any, within: Any) -> Counts:
    counts: Counts = {"input_tokens": count(prompt), "output_tokens": count(completion)}
    if inside:
        details = fields(inside)
        for wire, told in details.items():
            if told and wire in INPUT_DETAILS:
                counts[INPUT_DETAILS[wire]] = count(told)
        if "cached_tokens_details" in details or "cache_write_tokens_details" in details:
            _add_cache_details(counts, details)
    if within:
        for wire, told in fields(within).items():
            if told and wire in OUTPUT_DETAILS:
                counts[OUTPUT_DETAILS[wire]] = count(told)
    for wire, told in usage.items():
        if told and wire in BESIDE_DETAILS:
            counts.setdefault(BESIDE_DETAILS[wire], count(told))
    total = usage.get("total_tokens")
    if total and total != counts["input_tokens"] + counts["output_tokens"]:
        _add_missing(counts, count(total), prompt, completion)
    return counts


def _add_missing(counts: Counts, total: int, prompt: Any, completion: Any) -> None:
    """Give to input or output what only the total tells."""
    missing = total - counts["input_tokens"] - counts["output_tokens"]
    if missing <= 0:
        return
    if prompt is None:  # embedders and rerankers name nothing but a total
        counts["input_tokens"] += missing
        return
    counts["output_tokens"] += missing
    if completion is not None:  # xAI and Gemini leave thoughts out of the completion
        counts["reasoning_tokens"] = max(counts.get("reasoning_tokens", 0), missing)


def _add_cache_details(counts: Counts, inside: Fields) -> None:
    cached = inside.get("cached_tokens_details")
    if cached:
        counts["cache_read_audio_tokens"] = count(fields(cached).get("audio_tokens"))
    written = inside.get("cache_write_tokens_details")
    if written:
        # 30 minutes is what the write price is for; 12 hours cost more on top of it.
        _add_unit(counts, "cache_write_12h_tokens", count(fields(written).get("ttl_12h_tokens")))


def _add_perplexity_research(counts: Counts, usage: Fields) -> None:
    """Deep research bills reasoning, citations and searches beside the completion."""
    counts["output_tokens"] += counts.get("reasoning_tokens", 0)
    counts["web_search_requests"] = count(usage.get("num_search_queries"))
    _add_unit(counts, "citation_tokens", count(usage.get("citation_tokens")))


def _add_unit(counts: Counts, unit: str, amount: float) -> None:
    if amount:
        counts.setdefault("units", {})[unit] = amount
