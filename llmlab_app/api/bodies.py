"""Read JSON bodies ourselves: strict JSON semantics, and one wrong event rejects itself alone."""

from typing import Any, TypeVar

from fastapi import Request
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from llmlab_app.api.errors import invalid
from llmlab_app.api.schemas import BatchIn, EventIn, Strict, reported
from llmlab_app.domain.errors import InvalidInput, LLMLabError, Malformed
from llmlab_app.domain.events import RejectionReason
from llmlab_app.domain.normalise import ReportedEvent
from llmlab_app.services.ingestion import Rejection

Body = TypeVar("Body", bound=Strict)


async def read(request: Request, model: type[Body]) -> Body:
    """The body as ``model``.

    Raises:
        Malformed: not JSON.
        InvalidInput: naming every wrong field.
    """
    return parse(await request.body(), model)


def parse(body: bytes, model: type[Body]) -> Body:
    """``body`` as ``model``; see ``read``."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from None


def parse_event(body: bytes) -> ReportedEvent:
    """The one event in ``body``; see ``read`` for errors."""
    return reported(parse(body, EventIn))


def parse_batch(body: bytes) -> list[ReportedEvent | Rejection]:
    """The events in ``body``, each parsed or refused by itself.

    Raises:
        Malformed, InvalidInput: the envelope is wrong, so that there are no events to speak of.
    """
    try:
        batch = BatchIn.model_validate_json(body)
    except ValidationError as error:
        return _one_by_one(body, error)
    return [_reported_or_refused(event) for event in batch.events]


def _one_by_one(body: bytes, error: ValidationError) -> list[ReportedEvent | Rejection]:
    if any(len(each["loc"]) < 2 for each in error.errors()):
        raise invalid(error) from None
    envelope: Any = from_json(body)
    return [_event_or_refusal(event, number) for number, event in enumerate(envelope["events"])]


def _event_or_refusal(event: object, number: int) -> ReportedEvent | Rejection:
    try:
        return _reported_or_refused(EventIn.model_validate_json(to_json(event)))
    except ValidationError as error:
        return _refusal(invalid(error, at=f"/events/{number}"))


def _reported_or_refused(event: EventIn) -> ReportedEvent | Rejection:
    try:
        return reported(event)
    except InvalidInput as error:
        return _refusal(error)


def _refusal(error: LLMLabError) -> Rejection:
    code = RejectionReason.INVALID_EVENT if isinstance(error, Malformed) else error.code
    return Rejection(code=code, detail=error.detail)
