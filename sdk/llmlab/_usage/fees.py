"""What is billed by the call, beside the tokens."""

from __future__ import annotations

from typing import Any, Dict, Set

from llmlab._usage.gemini import search_queries
from llmlab._usage.values import Fields, count, fields, items, name

_PER_CALL = ("file_search_call", "image_generation_call")
"""Items of a Responses ``output`` with a fee each; they give the unit its name."""


def add_fees(counts: Dict[str, Any], usage: Fields, answer: Fields) -> None:
    """Add searches and other called tools of ``answer`` to ``counts``."""
    output = answer.get("output")
    if output:
        _add_tool_calls(counts, output)
    if answer.get("candidates"):
        counts["web_search_requests"] = len(search_queries(answer))
    tools = usage.get("server_tool_use_details")  # OpenRouter
    if tools is not None:
        counts["web_search_requests"] = count(fields(tools).get("web_search_requests"))


def _add_tool_calls(counts: Dict[str, Any], output: object) -> None:
    """OpenAI's built-in tools: of web searches only ``search`` actions cost, not opened pages.

    Code runs are billed by the container, which several calls share.
    """
    searches = 0
    units: Dict[str, float] = {}
    containers: Set[str] = set()
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
