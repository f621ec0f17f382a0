"""OpenAI's shapes, and those of everybody who copied them.

Cached, written, audio and image tokens lie *inside* the input; reasoning, audio and rejected
predictions inside the output.
"""

from __future__ import annotations

from typing import Any, Dict

from llmlab._usage.usage import AdditionalUsage, usage_of
from llmlab._usage.values import Fields, any_of, count, fields, name, quantity

Counts = Dict[str, Any]
"""Values of ``Usage``'s attributes; what is not there is 0."""


def read_chat(usage: Fields) -> Counts:
    """Chat completions, completions, embeddings: ``prompt_tokens`` and ``completion_tokens``."""
    counts = _inclusive(
        usage,
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        fields(usage.get("prompt_tokens_details") or usage.get("prompt_token_details")),
        fields(usage.get("completion_tokens_details") or usage.get("completion_token_details")),
    )
    if usage.get("citation_tokens") is not None:
        _add_perplexity_research(counts, usage)
    return counts


def read_responses(usage: Fields) -> Counts:
    """Responses, images, speech, realtime: ``input_tokens`` and ``output_tokens``."""
    return _inclusive(
        usage,
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        fields(usage.get("input_tokens_details") or usage.get("input_token_details")),
        fields(usage.get("output_tokens_details") or usage.get("output_token_details")),
    )


def read_duration(usage: Fields) -> Counts:
    """Speech billed by the second: ``{"type": "duration", "seconds": 12.5}``."""
    return {"units": {"audio_seconds": quantity(usage.get("seconds"))}}


def add_image_facts(counts: Counts, answer: Fields) -> None:
    """An answer of images has image output, even where the usage does not split it.

    Drawing an SVG is billed beside it, at the rates of the model that wrote the SVG.
    """
    if "output_image_tokens" not in counts or not counts["output_image_tokens"]:
        counts["output_image_tokens"] = counts.get("output_tokens", 0)
    svg = fields(answer.get("svg_usage"))
    if svg:
        author = AdditionalUsage(model=name(svg.get("model")), usage=usage_of(read_responses(svg)))
        counts["additional_usage"] = (author,)


def _inclusive(usage: Fields, prompt: Any, completion: Any, inside: Fields, within: Fields) -> Counts:
    input_tokens, output_tokens = count(prompt), count(completion)
    reasoning = count(within.get("reasoning_tokens")) or count(usage.get("reasoning_tokens"))
    missing = count(usage.get("total_tokens")) - input_tokens - output_tokens
    if missing > 0:
        if prompt is None:  # embedders and rerankers that name a total only
            input_tokens += missing
        else:
            output_tokens += missing
            if completion is not None:  # xAI and Gemini leave thoughts out of the completion
                reasoning = max(reasoning, missing)
    counts: Counts = {
        "input_tokens": input_tokens,
        "cache_read_tokens": _cached(usage, inside),
        "cache_write_tokens": _written(usage, inside),
        "output_tokens": output_tokens,
        "reasoning_tokens": reasoning,
    }
    if inside:
        _add_inside(counts, inside)
    if within:
        counts["output_audio_tokens"] = count(within.get("audio_tokens"))
        counts["output_image_tokens"] = count(within.get("image_tokens"))
    seconds = quantity(usage.get("prompt_audio_seconds"))  # Mistral bills speech by the second
    if seconds:
        counts.setdefault("units", {})["audio_seconds"] = seconds
    return counts


def _add_inside(counts: Counts, inside: Fields) -> None:
    counts["input_audio_tokens"] = count(inside.get("audio_tokens"))
    counts["input_image_tokens"] = count(inside.get("image_tokens"))
    counts["input_video_tokens"] = count(inside.get("video_tokens"))
    cached = inside.get("cached_tokens_details")
    if cached is not None:
        counts["cache_read_audio_tokens"] = count(fields(cached).get("audio_tokens"))
    written = inside.get("cache_write_tokens_details")
    if written is not None:
        half_day = count(fields(written).get("ttl_12h_tokens"))
        if half_day:
            counts["units"] = {"cache_write_12h_tokens": half_day}


def _cached(usage: Fields, inside: Fields) -> int:
    return (
        count(inside.get("cached_tokens"))
        or count(usage.get("num_cached_tokens"))  # Mistral
        or count(usage.get("prompt_cache_hit_tokens"))  # DeepSeek
        or count(usage.get("cached_tokens"))  # Together, Hugging Face, Moonshot
        or count(usage.get("cache_read_input_tokens"))  # LiteLLM
    )


def _written(usage: Fields, inside: Fields) -> int:
    return (
        count(inside.get("cache_write_tokens"))
        or count(inside.get("cache_creation_tokens"))  # LiteLLM
        or count(usage.get("cache_creation_input_tokens"))
    )


def _add_perplexity_research(counts: Counts, usage: Fields) -> None:
    """Deep research bills reasoning, citations and searches beside the completion."""
    reasoning = count(usage.get("reasoning_tokens"))
    counts["output_tokens"] += reasoning
    counts["web_search_requests"] = count(usage.get("num_search_queries"))
    counts["units"] = {"citation_tokens": count(usage.get("citation_tokens"))}
