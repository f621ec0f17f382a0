"""Gemini on every channel: REST, gapic with integer enums, google-genai, live, interactions.

Cached tokens lie inside the prompt, tool-use prompts beside it; thoughts beside the candidates.
"""

from __future__ import annotations

from typing import Any, Mapping

from llmlab._usage.values import Fields, any_of, count, fields, items, name

PARTS: Mapping[str, str] = {
    "promptTokenCount": "prompt",
    "cachedContentTokenCount": "cached",
    "toolUsePromptTokenCount": "tools",
    "candidatesTokenCount": "answer",
    "responseTokenCount": "answer",
    "thoughtsTokenCount": "thoughts",
    "totalTokenCount": "total",
    "promptTokensDetails": "prompt_details",
    "promptTokenDetails": "prompt_details",
    "cacheTokensDetails": "cached_details",
    "candidatesTokensDetails": "answer_details",
    "responseTokensDetails": "answer_details",
}
"""Parts of ``usageMetadata`` under REST's names; clients write them in snake_case too."""
_SPELLINGS: Mapping[str, str] = {
    **PARTS,
    **{
        "".join("_" + c.lower() if c.isupper() else c for c in wire): part
        for wire, part in PARTS.items()
    },
}
_MODALITIES = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
"""google.cloud.aiplatform Modality, as clients with integer enums write it."""
_INPUT_MEDIA = {
    "AUDIO": "input_audio_tokens",
    "IMAGE": "input_image_tokens",
    "DOCUMENT": "input_image_tokens",  # pages of a PDF reach the model as images
    "VIDEO": "input_video_tokens",
}
_CACHED_MEDIA = {"AUDIO": "cache_read_audio_tokens"}
_OUTPUT_MEDIA = {"AUDIO": "output_audio_tokens", "IMAGE": "output_image_tokens"}


def read_usage_metadata(usage: Fields) -> dict[str, Any]:
    """``usageMetadata`` of generateContent, embedContent and live, in either spelling."""
    parts = {
        _SPELLINGS[wire]: value for wire, value in usage.items() if value and wire in _SPELLINGS
    }
    told = parts.get
    tools, thoughts = count(told("tools")), count(told("thoughts"))
    output_tokens = count(told("answer")) + thoughts
    input_tokens = count(told("prompt")) + tools
    counts: dict[str, Any] = {
        "input_tokens": input_tokens or max(0, count(told("total")) - output_tokens),
        "cache_read_tokens": count(told("cached")),
        "tool_use_input_tokens": tools,
        "output_tokens": output_tokens,
        "reasoning_tokens": thoughts,
    }
    _add_media(counts, told("prompt_details"), _INPUT_MEDIA)
    _add_media(counts, told("cached_details"), _CACHED_MEDIA)
    _add_media(counts, told("answer_details"), _OUTPUT_MEDIA)
    return counts


def read_interactions(usage: Fields) -> dict[str, Any]:
    """Interactions: ``total_input_tokens`` and its siblings.

    Of the modalities only those with a price of their own are read: speech, and images that the
    model made.
    """
    tools = count(usage.get("total_tool_use_tokens"))
    thoughts = count(usage.get("total_thought_tokens"))
    counts: dict[str, Any] = {
        "input_tokens": count(usage.get("total_input_tokens")) + tools,
        "cache_read_tokens": count(usage.get("total_cached_tokens")),
        "tool_use_input_tokens": tools,
        "output_tokens": count(usage.get("total_output_tokens")) + thoughts,
        "reasoning_tokens": thoughts,
    }
    _add_media(counts, usage.get("input_tokens_by_modality"), {"AUDIO": "input_audio_tokens"})
    _add_media(counts, usage.get("cached_tokens_by_modality"), _CACHED_MEDIA)
    _add_media(counts, usage.get("output_tokens_by_modality"), _OUTPUT_MEDIA)
    return counts


def search_queries(answer: Fields) -> list[Any]:
    """What the model looked up on the web, over all candidates of one answer."""
    found: list[Any] = []
    for candidate in map(fields, items(answer.get("candidates"))):
        grounding = any_of(candidate, ("groundingMetadata", "grounding_metadata"))
        if grounding is not None:
            found += items(any_of(fields(grounding), ("webSearchQueries", "web_search_queries")))
    return found


def _add_media(counts: dict[str, Any], details: object, table: Mapping[str, str]) -> None:
    for entry in map(fields, items(details)):
        modality = entry.get("modality")
        label = _MODALITIES.get(modality) if isinstance(modality, int) else name(modality)
        count_name = table.get((label or "").upper())
        if count_name is not None:
            tokens = count(any_of(entry, ("tokenCount", "token_count", "tokens")))
            counts[count_name] = counts.get(count_name, 0) + tokens
