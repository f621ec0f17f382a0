"""Amazon Bedrock by boto3: one method makes every call, one class reads every stream."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Iterator

from llmlab._call import Call, StreamedCall
from llmlab._instrument.patching import is_wanted, note_fault, replace
from llmlab._instrument.streams import close_with

_OPERATIONS = {
    "Converse": "converse",
    "ConverseStream": "converse",
    "InvokeModel": "invoke_model",
    "InvokeModelWithResponseStream": "invoke_model",
}
_SERVICE = "bedrock-runtime"
_STREAMS = ("stream", "body")
"""Where the answer of ConverseStream and of InvokeModelWithResponseStream holds its events."""
_TELLING = (b"usage", b"Metrics", b"stop_reason", b"stopReason")


def _begin(client: Any, operation: str, params: Any) -> Call | None:
    try:
        api = _OPERATIONS.get(operation)
        if api is None or not is_wanted() or client.meta.service_model.service_name != _SERVICE:
            return None
        # An ARN names the account before the model.
        model = str(params.get("modelId", "")).rpartition("/")[2] or None
        kind = StreamedCall if operation.endswith("Stream") else Call
        return kind("aws.bedrock", model, "chat", api)
    except Exception:
        note_fault()
        return None


def _settle(call: Call, answer: Any) -> None:
    try:
        if not isinstance(call, StreamedCall):
            # The body of InvokeModel can be read only once, and is not ours to read: usage is in
            # its headers, which the extractor finds in the answer.
            call.answered({key: value for key, value in answer.items() if key != "body"})
            return
        streams = [answer[name] for name in _STREAMS if name in answer]
        if streams:
            streams[0]._llmlab_call = call
        else:
            call.closed()
    except Exception:
        note_fault()


def _make_api_call(original: Any) -> Any:
    def _make_api_call(self: Any, operation_name: str, api_params: Any) -> Any:
        call = _begin(self, operation_name, api_params)
        try:
            answer = original(self, operation_name, api_params)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        if call is not None:
            _settle(call, answer)
        return answer

    return _make_api_call


def _iterate(original: Any) -> Any:
    def __iter__(self: Any) -> Iterator[Any]:  # noqa: N807  # takes the place of one
        call: StreamedCall | None = self.__dict__.get("_llmlab_call")
        events = original(self)
        return events if call is None else _heard(events, call)

    return __iter__


def _heard(events: Iterator[Any], call: StreamedCall) -> Iterator[Any]:
    try:
        for event in events:
            if call.first_at is None:
                call.began()
            _hear(call, event)
            yield event
    except GeneratorExit:
        raise
    except BaseException as error:
        call.failed(error)
        raise
    call.completed()


def _hear(call: StreamedCall, event: Any) -> None:
    """Note an event of usage: by its name, or of an invoked model by a glance at its bytes."""
    try:
        chunk = event.get("chunk")
        told = b"" if chunk is None else chunk.get("bytes", b"")
        if "metadata" in event or "messageStop" in event or any(word in told for word in _TELLING):
            call.pieces.add(event)
    except Exception:
        note_fault()


def patch() -> None:
    """Watch every client of botocore, made already or not."""
    replace(import_module("botocore.client").BaseClient, "_make_api_call", _make_api_call)
    stream = import_module("botocore.eventstream").EventStream
    replace(stream, "__iter__", _iterate)
    replace(stream, "close", close_with)
