"""Everything LLMLab refuses, as one tree.

LLMLabError                   has a stable ``code`` and a message that says what to do next
├── InvalidInput              the caller sent something we can't take            422
│   └── ContradictoryUsage    token counts that can't all be true                422
├── Malformed                 not JSON, not text, wrong encoding                 400
├── Unauthenticated           no key, or not one of ours                         401
├── NotAllowed                known caller, but not for this                     403
├── NotFound                  not there, or another tenant's                     404
├── Conflict                  clashes with what is stored                        409
├── TooLarge                  body or batch over the limit                       413
├── ForeignHost               the Host header names somebody else                421
├── TooManyRequests           slow down                                          429
└── Unavailable               try again later                                    503

The domain knows codes, never HTTP: ``api/errors.py`` holds the one table of statuses.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: a JSON pointer, a stable code, and what to do."""

    pointer: str
    code: str
    detail: str


class LLMLabError(Exception):
    """Base of every error that we raise on purpose.

    Attributes:
        code: Stable name that programs may compare with.
        detail: What happened and what to do, for a person.
        errors: The single fields that are wrong, if that is known.
        retry_after_seconds: When trying again makes sense, else None.
    """

    code = "error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: tuple[FieldError, ...] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds


class InvalidInput(LLMLabError):
    """The caller sent something that we can't take."""

    code = "invalid_input"


class ContradictoryUsage(InvalidInput):
    """Token counts that can't all be true, such as more cached input than input."""

    code = "contradictory_usage"


class Malformed(LLMLabError):
    """The body can't be read at all."""

    code = "malformed"


class Unauthenticated(LLMLabError):
    """No credentials, or none of ours."""

    code = "unauthenticated"


class NotAllowed(LLMLabError):
    """The caller is known, but may not do this."""

    code = "not_allowed"


class NotFound(LLMLabError):
    """Not there, or another tenant's: the two answers are alike on purpose."""

    code = "not_found"


class Conflict(LLMLabError):
    """Clashes with what is stored."""

    code = "conflict"


class TooLarge(LLMLabError):
    """Body or batch over the limit."""

    code = "too_large"


class ForeignHost(LLMLabError):
    """The Host header names somebody else: DNS rebinding, or a missing public URL."""

    code = "foreign_host"


class TooManyRequests(LLMLabError):
    """The caller is faster than agreed."""

    code = "too_many_requests"


class Unavailable(LLMLabError):
    """We can't right now; nothing was stored."""

    code = "unavailable"
