"""Amazon Bedrock by boto3; run by test_matrix.py in an environment that has it."""

from __future__ import annotations

import json
import struct
from typing import Any, Iterator
from zlib import crc32

import boto3
import pytest
from botocore.config import Config

import llmlab
from sdk.tests.loopback import Answer, Loopback, Request

MODEL = "us.anthropic.claude-test-1-v1:0"
ARN = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{MODEL}"
ASK: Any = {"modelId": ARN, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}
CONVERSE_USAGE = {
    "inputTokens": 284,
    "outputTokens": 7,
    "totalTokens": 419,
    "cacheReadInputTokens": 128,
}
USAGE = {"input_tokens": 412, "output_tokens": 7, "cache_read_tokens": 128}


def frame(kind: str, payload: dict[str, Any]) -> bytes:
    """One message of AWS's binary event stream."""

    def header(name: str, value: str) -> bytes:
        told = value.encode()
        return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack("!H", len(told)) + told

    headers = header(":message-type", "event") + header(":event-type", kind)
    headers += header(":content-type", "application/json")
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", crc32(prelude))
    message = prelude + headers + body
    return message + struct.pack("!I", crc32(message))


def invoked(event: dict[str, Any]) -> bytes:
    from base64 import b64encode

    return frame("chunk", {"bytes": b64encode(json.dumps(event).encode()).decode()})


def bedrock(request: Request) -> Answer:
    path = request.path
    if "error" in path:
        return Answer({"message": "no"}, 403, {"x-amzn-errortype": "AccessDeniedException"})
    if path.endswith("/converse"):
        message = {"role": "assistant", "content": [{"text": "hi"}]}
        return Answer(
            {
                "output": {"message": message},
                "stopReason": "end_turn",
                "usage": CONVERSE_USAGE,
                "metrics": {"latencyMs": 1},
            }
        )
    stream = {"Content-Type": "application/vnd.amazon.eventstream"}
    if path.endswith("/converse-stream"):
        delta = {"contentBlockIndex": 0, "delta": {"text": "hi"}}
        events = [frame("messageStart", {"role": "assistant"}), frame("contentBlockDelta", delta)]
        events += [frame("messageStop", {"stopReason": "end_turn"})]
        events += [frame("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 1}})]
        return Answer(b"".join(events), 200, stream)
    if path.endswith("/invoke-with-response-stream"):
        metrics = {"inputTokenCount": 284, "outputTokenCount": 7, "cacheReadInputTokenCount": 128}
        events = [invoked({"type": "content_block_delta", "delta": {"text": "hi"}})]
        events += [invoked({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})]
        return Answer(b"".join(events), 200, stream)
    counts = {"x-amzn-bedrock-input-token-count": "12", "x-amzn-bedrock-output-token-count": "5"}
    return Answer({"outputs": [{"text": "hi"}]}, 200, counts)


@pytest.fixture
def client() -> Iterator[Any]:
    llmlab.instrument()
    server = Loopback(bedrock)
    yield boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"max_attempts": 0}),
    )
    server.stop()


def test_converse_is_one_event_and_names_no_account(client: Any, events: list[Any]) -> None:
    assert client.converse(**ASK)["usage"]["outputTokens"] == 7
    (event,) = events
    assert event["usage"] == USAGE
    assert (event["provider"], event["model"]) == ("aws.bedrock", MODEL)
    assert "123456789012" not in str(event)


def test_converse_stream_is_one_event(client: Any, events: list[Any]) -> None:
    assert len(list(client.converse_stream(**ASK)["stream"])) == 4
    (event,) = events
    assert event["usage"] == USAGE
    assert (event["stream"], event["finish_reason"]) == (True, "end_turn")


def test_invoked_model_is_counted_by_its_headers_and_its_body_left_alone(
    client: Any, events: list[Any]
) -> None:
    answer = client.invoke_model(modelId="mistral.mistral-7b-instruct-v0:2", body=b"{}")
    assert json.loads(answer["body"].read()) == {"outputs": [{"text": "hi"}]}
    (event,) = events
    assert event["usage"] == {"input_tokens": 12, "output_tokens": 5}


def test_invoked_stream_is_counted_by_its_last_chunk(client: Any, events: list[Any]) -> None:
    answer = client.invoke_model_with_response_stream(modelId=MODEL, body=b"{}")
    assert len(list(answer["body"])) == 2
    (event,) = events
    assert event["usage"] == USAGE


def test_refused_call_is_an_unbilled_error(client: Any, events: list[Any]) -> None:
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.converse(**{**ASK, "modelId": "error"})
    (event,) = events
    assert (event["status"], event["charge"]) == ("error", "unbilled")


def test_stream_closed_early_is_an_estimate(client: Any, events: list[Any]) -> None:
    stream = client.converse_stream(**ASK)["stream"]
    next(iter(stream))
    stream.close()
    assert events[0]["usage_estimated"] is True
