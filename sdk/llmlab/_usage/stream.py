"""The events of a stream, folded into the answer it would have been without streaming."""

from __future__ import annotations

import json
from typing import Any, Mapping, cast

from llmlab._usage.about import ID_NAMES, MODEL_NAMES
from llmlab._usage.answer import METRICS, locate, read_answer
from llmlab._usage.gemini import search_queries
from llmlab._usage.usage import Usage, total_of
from llmlab._usage.values import Attributes, Fields, fields, first

_KEPT_FIRST = MODEL_NAMES + ID_NAMES
_KEPT_LAST = (
    "service_tier",
    "serviceTier",
    "stop_reason",
    "stopReason",
    "finish_reason",
    "done_reason",
    "status",
    "incomplete_details",
    "output",
    "b64_json",
    "prompt_token_count",
    "generation_token_count",
    "prompt_eval_count",
    "eval_count",
    METRICS,
)


class UsageStream:
    """Collects the usage of one call while its stream runs by.

    Feed every event, or to save time the first, those that carry usage and the last. ``add``
    never raises. ``usage`` may be asked at any time: it is what is known so far, or None.
    """

    def __init__(self) -> None:
        self._answer: dict[str, Any] = {}
        self._usage: Fields = {}
        self._queries: list[Any] = []
        self._tool_calls: list[Any] = []
        self._turns: list[Usage] = []

    def add(self, event: object) -> None:
        """Take in one event: a dict, an SDK object, or one of AWS's wrappings of them."""
        try:
            chunk = fields(event)
            if "choices" not in chunk:
                chunk = _opened(chunk)
            if "choices" in chunk:
                self._fold_chunk(chunk)
            else:
                self._fold(chunk)
        except Exception:  # a broken event tells nothing; the others still do
            return

    def usage(self, headers: object = None, provider: str | None = None) -> Usage | None:
        """Usage of the events so far."""
        try:
            if self._turns:
                return total_of(self._turns)
            return read_answer(self._whole_answer(), headers, provider)
        except Exception:
            return None

    def _fold(self, event: Fields) -> None:
        kind = event.get("type")
        if kind == "response.done":  # one turn of a realtime session, which has many
            turn = read_answer(event)
            self._turns += [turn] if turn else []
        elif kind == "response.output_item.done":
            self._tool_calls.append(event.get("item"))
        elif not _is_only_text(event, kind):
            self._fold_event(event)

    def _fold_chunk(self, chunk: Fields) -> None:
        """A chunk of chat completions: nearly all of them tell nothing, so be quick."""
        choices: Any = chunk.get("choices")
        choice: Any = choices[0] if choices else None
        reason = (
            cast("dict[str, Any]", choice).get("finish_reason")
            if isinstance(choice, dict)
            else getattr(choice, "finish_reason", None)
        )
        if reason:
            self._answer["finish_reason"] = reason
        if reason or chunk.get("usage") or "x_groq" in chunk:
            self._fold_event(chunk)
        elif "model" not in self._answer:
            self._keep(chunk)

    def _fold_event(self, event: Fields) -> None:
        holder, usage = locate(event)
        self._merge(usage)
        self._keep(holder)
        delta = event.get("delta")
        if delta and holder is event:  # Anthropic and Cohere say there why they stopped
            self._keep(fields(delta))
        if "candidates" in holder:
            self._keep_candidate(holder)

    def _keep(self, holder: Fields) -> None:
        answer = self._answer
        for key in _KEPT_FIRST:
            if not answer.get(key) and holder.get(key):
                answer[key] = holder.get(key)
        for key in _KEPT_LAST:
            value = holder.get(key)
            if value is not None:
                answer[key] = value

    def _keep_candidate(self, chunk: Fields) -> None:
        """Gemini repeats or adds to its search queries from chunk to chunk."""
        new = search_queries(chunk)
        self._queries += (
            [query for query in new if query not in self._queries] if self._queries else new
        )
        candidate = first(chunk.get("candidates"))
        reason = candidate.get("finishReason") or candidate.get("finish_reason")
        if reason:
            self._answer["finish_reason"] = reason

    def _merge(self, usage: Fields) -> None:
        if not usage:
            return
        if not self._usage or isinstance(usage, Attributes) or isinstance(self._usage, Attributes):
            self._usage = usage
        else:
            self._usage = merged(self._usage, usage)

    def _whole_answer(self) -> dict[str, Any]:
        answer = dict(self._answer)
        answer["usage"] = self._usage
        if not answer.get("output"):
            answer["output"] = self._tool_calls
        if self._queries:
            answer["candidates"] = [{"groundingMetadata": {"webSearchQueries": self._queries}}]
        return answer


def merged(known: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """``known`` overridden by ``newer``, key by key: streams repeat running totals.

    Nothing is added up, no total falls back to 0 and nothing is unlearnt by null.
    """
    result = dict(known)
    for key, value in newer.items():
        before = result.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            result[key] = merged(cast("dict[str, Any]", before), cast("dict[str, Any]", value))
        elif value or not before:
            result[key] = value
    return result


def _opened(event: Fields) -> Fields:
    """``event`` without AWS's wrappings: ``{event, payload}``, ``{chunk: {bytes}}``, its type."""
    if "payload" in event and "event" in event:
        event = fields(event.get("payload"))
    chunk = event.get("chunk")
    if chunk is not None:
        encoded = fields(chunk).get("bytes")
        return fields(chunk) if encoded is None else fields(json.loads(encoded))
    stop = event.get("messageStop")
    return event if stop is None else fields(stop)


def _is_only_text(event: Fields, kind: object) -> bool:
    """Whether ``event`` is a piece of the answer, or a step whose usage the whole run repeats."""
    if isinstance(kind, str) and (kind.endswith(".delta") or kind == "content_block_delta"):
        return True
    return event.get("object") == "thread.run.step"
