"""What OpenAI, Anthropic and Gemini answer, as far as their clients need it. Costs are checkable:
412 tokens in, 128 of them cached; 7 out."""

from __future__ import annotations

import json
from typing import Any

from sdk.tests.loopback import Answer, Request

WORDS = ["We ", "spent ", "ten ", "dollars."]
CHAT_USAGE = {
    "prompt_tokens": 412,
    "completion_tokens": 7,
    "total_tokens": 419,
    "prompt_tokens_details": {"cached_tokens": 128},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
RESPONSES_USAGE = {
    "input_tokens": 412,
    "input_tokens_details": {"cached_tokens": 128},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 419,
}
MESSAGES_USAGE = {
    "input_tokens": 284,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 128,
    "output_tokens": 7,
    "service_tier": "standard",
}
GEMINI_USAGE = {
    "promptTokenCount": 412,
    "cachedContentTokenCount": 128,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 3,
    "totalTokenCount": 419,
}


def answer(request: Request) -> Answer:
    """The provider's answer to ``request``; the model's name may ask for an error."""
    path = request.path.partition("?")[0]
    if "generateContent" in path or "streamGenerateContent" in path:
        return _gemini(path)
    body = request.json if request.headers.get("content-type") == "application/json" else {}
    model = body.get("model", "")
    if model.startswith("error-"):
        return Answer(
            {"error": {"message": "no: " + json.dumps(body), "type": "test"}}, int(model[6:])
        )
    if path.endswith("/chat/completions"):
        return _chat(body)
    if path.endswith("/responses"):
        return _responses(body)
    if path.endswith("/messages"):
        return _messages(body)
    if path.endswith("/embeddings"):
        return Answer(_embeddings(body))
    return Answer({"data": [], "object": "list"})


def _chat(body: dict[str, Any]) -> Answer:
    about = {"id": "chatcmpl-1", "created": 1, "model": body["model"] + "-2026-01-01"}
    text = body["messages"][-1].get("content") if body.get("response_format") else "".join(WORDS)
    if not body.get("stream"):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return Answer(
            {**about, "object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}
        )
    wanted = (body.get("stream_options") or {}).get("include_usage")

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _data({**about, "object": "chat.completion.chunk", "choices": [choice]})

    usage = {**about, "object": "chat.completion.chunk", "choices": [], "usage": CHAT_USAGE}
    pieces = [chunk({"role": "assistant", "content": ""})]
    pieces += [chunk({"content": word}) for word in WORDS]
    pieces += [chunk({}, "stop"), *([_data(usage)] if wanted else []), b"data: [DONE]\n\n"]
    return Answer(pieces)


def _responses(body: dict[str, Any]) -> Answer:
    message = {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "".join(WORDS), "annotations": []}],
    }
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": body["model"] + "-2026-01-01",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
    }
    if not body.get("stream"):
        return Answer(whole)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    events = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**message, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **where, "part": part},
        *(
            {"type": "response.output_text.delta", **where, "delta": word, "logprobs": []}
            for word in WORDS
        ),
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    ]
    return Answer([_event({**event, "sequence_number": n}) for n, event in enumerate(events)])


def _messages(body: dict[str, Any]) -> Answer:
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"] + "-20260101",
        "content": [{"type": "text", "text": "".join(WORDS)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": MESSAGES_USAGE,
    }
    if not body.get("stream"):
        return Answer(whole)
    begun = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**MESSAGES_USAGE, "output_tokens": 1},
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
    ]
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events += [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 284, "output_tokens": 7},
        },
        {"type": "message_stop"},
    ]
    return Answer([_event(event) for event in events])


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "list",
        "model": body["model"],
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5]}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
    }


def _gemini(path: str) -> Answer:
    if "error-" in path:
        status = int(path.partition("error-")[2][:3])
        return Answer({"error": {"code": status, "message": "no", "status": "TEST"}}, status)

    def part(text: str, **more: Any) -> dict[str, Any]:
        candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
        if "usageMetadata" in more:
            candidate["finishReason"] = "STOP"
        begun = {"promptTokenCount": 412, "cachedContentTokenCount": 128, "totalTokenCount": 412}
        about = {"modelVersion": "gemini-2.5-flash-001", "responseId": "r1"}
        return {"candidates": [candidate], "usageMetadata": begun, **about, **more}

    last = {key: value for key, value in GEMINI_USAGE.items() if key != "cachedContentTokenCount"}
    if "streamGenerateContent" in path:
        parts = [part(word) for word in WORDS] + [part("", usageMetadata=last)]
        return Answer([_data(each) for each in parts])
    return Answer(part("".join(WORDS), usageMetadata=GEMINI_USAGE))


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"event: " + value["type"].encode() + b"\n" + _data(value)
