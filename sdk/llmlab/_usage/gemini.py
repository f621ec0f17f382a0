"""Gemini on every channel: REST, gapic with integer enums, google-genai, live, interactions.

Cached tokens lie inside the prompt, tool-use prompts beside it; thoughts beside the candidates.
"""

from __future__ import annotations

from typing import Any, Dict, List

from llmlab._usage.values import Fields, any_of, count, fields, items, name

_MODALITIES = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
"""google.cloud.aiplatform Modality, as clients with integer enums write it."""
_SEEN_AS_IMAGES = "DOCUMENT"
"""Pages of a PDF reach the model as images and count as such."""


def read_usage_metadata(usage: Fields) -> Dict[str, Any]:
    """``usageMetadata`` of generateContent, embedContent and live, in camelCase or snake_case."""
    prompt = any_of(usage, ("promptTokenCount", "prompt_token_count"))
    tools = count(any_of(usage, ("toolUsePromptTokenCount", "tool_use_prompt_token_count")))
    thoughts = count(any_of(usage, ("thoughtsTokenCount", "thoughts_token_count")))
    answer = count(any_of(usage, _ANSWER))
    total = count(any_of(usage, ("totalTokenCount", "total_token_count")))
    input_tokens = count(prompt) + tools
    if prompt is None:
        input_tokens = max(input_tokens, total - answer - thoughts)
    given = _modalities(any_of(usage, _PROMPT_DETAILS))
    cached = _modalities(any_of(usage, ("cacheTokensDetails", "cache_tokens_details")))
    made = _modalities(any_of(usage, _ANSWER_DETAILS))
    return {
        "input_tokens": input_tokens,
        "cache_read_tokens": count(
            any_of(usage, ("cachedContentTokenCount", "cached_content_token_count"))
        ),
        "input_audio_tokens": given.get("AUDIO", 0),
        "input_image_tokens": given.get("IMAGE", 0),
        "input_video_tokens": given.get("VIDEO", 0),
        "cache_read_audio_tokens": cached.get("AUDIO", 0),
        "tool_use_input_tokens": tools,
        "output_tokens": answer + thoughts,
        "reasoning_tokens": thoughts,
        "output_audio_tokens": made.get("AUDIO", 0),
        "output_image_tokens": made.get("IMAGE", 0),
    }


_ANSWER = (
    "candidatesTokenCount",
    "candidates_token_count",
    "responseTokenCount",
    "response_token_count",
)
_ANSWER_DETAILS = (
    "candidatesTokensDetails",
    "candidates_tokens_details",
    "responseTokensDetails",
    "response_tokens_details",
)
_PROMPT_DETAILS = (
    "promptTokensDetails",
    "prompt_tokens_details",
    "promptTokenDetails",
    "prompt_token_details",
)


def read_interactions(usage: Fields) -> Dict[str, Any]:
    """Interactions: ``total_input_tokens`` and its siblings.

    Of the modalities only those with a price of their own are read: speech, and images that the
    model made.
    """
    tools = count(usage.get("total_tool_use_tokens"))
    thoughts = count(usage.get("total_thought_tokens"))
    given = _modalities(usage.get("input_tokens_by_modality"))
    cached = _modalities(usage.get("cached_tokens_by_modality"))
    made = _modalities(usage.get("output_tokens_by_modality"))
    return {
        "input_tokens": count(usage.get("total_input_tokens")) + tools,
        "cache_read_tokens": count(usage.get("total_cached_tokens")),
        "input_audio_tokens": given.get("AUDIO", 0),
        "cache_read_audio_tokens": cached.get("AUDIO", 0),
        "tool_use_input_tokens": tools,
        "output_tokens": count(usage.get("total_output_tokens")) + thoughts,
        "reasoning_tokens": thoughts,
        "output_audio_tokens": made.get("AUDIO", 0),
        "output_image_tokens": made.get("IMAGE", 0),
    }


def search_queries(answer: Fields) -> List[Any]:
    """What the model looked up on the web, over all candidates of one answer."""
    found: List[Any] = []
    for candidate in map(fields, items(answer.get("candidates"))):
        grounding = fields(any_of(candidate, ("groundingMetadata", "grounding_metadata")))
        found += items(any_of(grounding, ("webSearchQueries", "web_search_queries")))
    return found


def _modalities(details: object) -> Dict[str, int]:
    tokens: Dict[str, int] = {}
    for entry in map(fields, items(details)):
        modality = entry.get("modality")
        if isinstance(modality, int):
            label = _MODALITIES.get(modality, "")
        else:
            label = (name(modality) or "").upper()
        label = "IMAGE" if label == _SEEN_AS_IMAGES else label
        tokens[label] = tokens.get(label, 0) + count(
            any_of(entry, ("tokenCount", "token_count", "tokens"))
        )
    return tokens
