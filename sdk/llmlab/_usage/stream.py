"""The events of a stream, folded into the answer it would have been without streaming."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional

from llmlab._usage.answer import METRICS, locate, read_answer
from llmlab._usage.gemini import search_queries
from llmlab._usage.usage import Usage, total_of
from llmlab._usage.values import Fields, fields, first, items

_KEPT_FIRST = ("model", "modelVersion", "model_version", "id", "responseId", "response_id")
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
        self._answer: Dict[str, Any] = {}
        self._usage: Fields = {}
        self._is_merged = False
        self._queries: List[Any] = []
        self._tool_calls: List[Any] = []
        self._turns: List[Usage] = []

    def add(self, event: object) -> None:
        """Take in one event: a dict, an SDK object, or one of AWS's wrappings of them."""
        try:
            self._fold(_opened(fields(event)))
        except Exception:  # a broken event tells nothing; the others still do
            return

    def usage(self, headers: object = None, provider: Optional[str] = None) -> Optional[Usage]:
        """Usage of the events so far."""
        if self._turns:
            return total_of(self._turns)
        return read_answer(self._whole_answer(), headers, provider)

    def _fold(self, event: Fields) -> None:
        kind = event.get("type")
        if "choices" in event:
            self._fold_chunk(event)
        elif kind == "response.done":  # one turn of a realtime session, which has many
            turn = read_answer(event)
            self._turns += [turn] if turn else []
        elif kind == "response.output_item.done":
            self._tool_calls.append(event.get("item"))
        elif not _is_only_text(event, kind):
            self._fold_event(event)

    def _fold_chunk(self, chunk: Fields) -> None:
        """A chunk of chat completions: nearly all of them tell nothing, so be quick."""
        choice = first(chunk.get("choices"))
        reason = choice.get("finish_reason")
        if reason:
            self._answer["choices"] = [{"finish_reason": reason}]
        if chunk.get("usage") or "x_groq" in chunk or choice.get("usage"):
            self._fold_event(chunk)
        elif not self._answer.get("model"):
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
        self._queries += [query for query in new if query not in self._queries] if self._queries else new
        candidate = first(chunk.get("candidates"))
        reason = candidate.get("finishReason") or candidate.get("finish_reason")
        if reason:
            self._answer["finish_reason"] = reason

    def _merge(self, usage: Fields) -> None:
        if not usage:
            return
        if not self._usage or not isinstance(usage, Mapping):
            self._usage = usage
            return
        if not self._is_merged:
            self._usage, self._is_merged = dict(self._usage), True  # type: ignore[arg-type]
        merge_cumulative(self._usage, usage)  # type: ignore[arg-type]

    def _whole_answer(self) -> Dict[str, Any]:
        answer = dict(self._answer)
        answer["usage"] = self._usage
        if not answer.get("output"):
            answer["output"] = self._tool_calls
        if self._queries:
            answer["candidates"] = [{"groundingMetadata": {"webSearchQueries": self._queries}}]
        return answer


def merge_cumulative(known: Dict[str, Any], newer: Mapping[str, Any]) -> None:
    """Override ``known`` by ``newer``, key by key: streams repeat running totals, never additions.

    A total never falls back to 0 and nothing is unlearnt by null.
    """
    for key, value in newer.items():
        before = known.get(key)
        if not value and before:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            value = dict(before, **{k: v for k, v in value.items() if v or not before.get(k)})
        if value is not None:
            known[key] = value


def _opened(event: Fields) -> Fields:
    """``event`` without AWS's wrappings: ``{event, payload}``, ``{chunk: {bytes}}``, its type."""
    if "payload" in event:
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
