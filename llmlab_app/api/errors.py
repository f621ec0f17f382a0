"""From an error to RFC 9457 ``application/problem+json``: the one table of statuses."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from llmlab_app.domain import errors
from llmlab_app.domain.errors import FieldError, InvalidInput, LLMLabError, Malformed

STATUS: dict[type[LLMLabError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.ForeignHost: 421,
    errors.InvalidInput: 422,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
_log = structlog.get_logger(__name__)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    field_errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
    **more: str,
) -> JSONResponse:
    """The answer for one error. ``code`` is stable; ``detail`` says what to do."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    if field_errors:
        body["errors"] = [
            {"pointer": each.pointer, "code": each.code, "detail": each.detail}
            for each in field_errors
        ]
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def problem_of(error: LLMLabError) -> JSONResponse:
    """The answer for an error of ours."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return problem(status, error.code, error.detail, field_errors=error.errors, headers=headers)


def invalid(error: ValidationError, *, at: str = "") -> Malformed | InvalidInput:
    """What pydantic found, in our words; never the input itself, which may be secret.

    Args:
        error: As raised by a model of ``schemas``.
        at: JSON pointer of the value that was validated.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Malformed(f"The body is not valid JSON. {found[0]['msg']}.")
    fields = tuple(
        FieldError(at + _pointer(each["loc"]), each["type"], each["msg"]) for each in found[:20]
    )
    first = fields[0]
    return InvalidInput(
        f"{first.pointer or 'The body'}: {first.detail}.", code="invalid_event", errors=fields
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def install(api: FastAPI) -> None:
    """Answer every error of the API as a problem."""

    @api.exception_handler(LLMLabError)
    async def ours(request: Request, error: LLMLabError) -> JSONResponse:
        return problem_of(error)

    @api.exception_handler(RequestValidationError)
    async def of_the_request(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = tuple(
            FieldError(_pointer(each["loc"][1:]), each["type"], each["msg"])
            for each in error.errors()[:20]
        )
        return problem(
            422,
            "invalid_input",
            f"{fields[0].pointer.lstrip('/')}: {fields[0].detail}.",
            field_errors=fields,
        )

    @api.exception_handler(HTTPException)
    async def of_routing(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        return problem(
            error.status_code,
            phrase.lower().replace(" ", "_"),
            f"{request.method} {request.url.path}: {phrase}. See /api/docs.",
            headers=dict(error.headers or {}),
        )

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        request_id = str(uuid4())
        _log.exception("unexpected error", request_id=request_id, path=request.url.path)
        return problem(
            500,
            "internal_error",
            "Something went wrong on our side; the server's log has it under this request_id.",
            request_id=request_id,
        )
