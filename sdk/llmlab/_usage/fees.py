"""What is billed by the call, beside the tokens."""

from __future__ import annotations

from typing import Any

from llmlab._usage.gemini import search_queries
from llmlab._usage.openai import add_image_facts
from llmlab._usage.values import Fields, count, fields, items, name

_PER_CALL = ("file_search_call", "image_generation_call")
"""Items of a Responses ``output`` with a fee each; they give the unit its name."""


def add_fees(counts: dict[str, Any], usage: Fields, answer: Fields) -> None:
    """Add searches and other called tools of ``answer`` to ``counts``."""
    if "output" in answer:
        _add_tool_calls(counts, answer.get("output"))
    if "candidates" in answer:
        counts["web_search_requests"] = len(search_queries(answer))
    if "server_tool_use_details" in usage:  # OpenRouter
        tools = fields(usage.get("server_tool_use_details"))
        counts["web_search_requests"] = count(tools.get("web_search_requests"))
    if ("data" in answer or "b64_json" in answer) and "input_tokens" in usage:
        add_image_facts(counts, usage, answer)


def _add_tool_calls(counts: dict[str, Any], output: object) -> None:
    """OpenAI's built-in tools: of web searches only ``search`` actions cost, not opened pages.

    Code runs are billed by the container, which several calls share.
    """
    searches = 0
    units: dict[str, float] = {}
    containers: set[str] = set()
    for item in map(fields, items(output)):
        kind = item.get("type")
        if kind == "web_search_call":
            searches += fields(item.get("action")).get("type", "search") == "search"
        elif kind == "code_interpreter_call":
            containers.add(name(item.get("container_id")) or "")
        elif kind in _PER_CALL:
            units[kind] = units.get(kind, 0) + 1
    if searches:
        counts["web_search_requests"] = searches
    if containers:
        units["code_interpreter_containers"] = len(containers)
    if units:
        counts["units"] = {**counts.get("units", {}), **units}
