"""The server's JSON API, as far as the terminal needs it; every failure becomes a `Problem`."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from llmlab_cli import version
from llmlab_cli.config import Settings, is_loopback
from llmlab_cli.errors import BadUsage, NotAllowed, NotAuthenticated, Problem, Unreachable

if TYPE_CHECKING:
    import httpx

Json = Any
"""A JSON value as the server sent it: money is text, counts are numbers."""

_TIMEOUT_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_REPRICE_SECONDS = 900.0


class Api:
    """One server, spoken to with one key. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        import httpx  # here, so that `--help` does not pay for it

        self.server = settings.server.value or ""
        self._settings = settings
        self._http = httpx.Client(
            headers={"User-Agent": f"llmlab-cli/{version()} python/{platform.python_version()}"},
            timeout=httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,  # a key never follows a redirect to somebody else
            trust_env=not is_loopback(self.server),  # no proxy between us and this machine
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def health(self) -> Json:
        """What the server is. Asked without the key, which may be meant for another."""
        return self._answer(self._send("GET", "/api/health"), needs=("status", "version"))

    def summary(self) -> Json:
        """Spend of today, this week, this month and all time."""
        return self._ask("GET", "/api/costs/summary", needs=("today", "week", "month", "all_time"))

    def costs(self, group_by: Sequence[str], *, since: str) -> Json:
        """Spend by one or two dimensions since an instant or a day (ISO 8601)."""
        params = {"group_by": list(group_by), "since": since}
        return self._ask("GET", "/api/costs", needs=("data", "total", "source"), params=params)

    def quote(self, question: Mapping[str, Json]) -> Json:
        """What a call would cost, line by line."""
        return self._ask("POST", "/api/prices/quote", needs=("cost", "lines"), json=question)

    def price_terms(self, kind: str) -> Json:
        """What the workspace has agreed: its overrides, discounts or mappings."""
        return self._ask("GET", f"/api/prices/{kind}s", needs=("data",))

    def add_price_term(self, kind: str, term: Mapping[str, Json]) -> Json:
        """Agree on an override, a discount or a mapping; needs an admin's key."""
        return self._ask("POST", f"/api/prices/{kind}s", needs=("id", "closed"), json=term)

    def close_price_term(self, kind: str, id: str, until: str | None) -> None:
        """End a term at an instant, None for now; needs an admin's key."""
        params = {"until": until} if until else {}
        headers = _credentials(self._settings)
        path = f"/api/prices/{kind}s/{id}"
        response = self._send("DELETE", path, headers=headers, params=params)
        if not response.is_success:
            raise self._problem(response)

    def unpriced(self) -> Json:
        """Calls without a cost, by model and reason."""
        return self._ask("GET", "/api/prices/unpriced", needs=("data",))

    def price_drift(self, since: str | None) -> Json:
        """Reported beside computed cost, by model."""
        params = {"since": since} if since else {}
        return self._ask("GET", "/api/prices/drift", needs=("data",), params=params)

    def reprice(self, which: Mapping[str, Json]) -> Json:
        """Price stored calls again, or say what that would change; a million take minutes."""
        path, needs = "/api/prices/reprice", ("months", "amended")
        return self._ask("POST", path, needs=needs, json=which, timeout=_REPRICE_SECONDS)

    def track(self, event: Mapping[str, Json]) -> Json:
        """Record one event; answers after it is stored."""
        return self._ask("POST", "/api/events/track", needs=("id", "cost"), json=event)

    def setup_link(self) -> Json:
        """A link that signs a browser in once; needs an admin's key."""
        return self._ask("POST", "/api/setup-links", needs=("path", "expires_at"))

    def _ask(self, method: str, path: str, *, needs: Sequence[str], **request: Any) -> Json:
        response = self._send(method, path, headers=_credentials(self._settings), **request)
        return self._answer(response, needs=needs)

    def _answer(self, response: httpx.Response, *, needs: Sequence[str]) -> Json:
        """The JSON object in ``response``, which has at least the fields it ``needs``."""
        if not response.is_success:
            raise self._problem(response)
        answer = _json(response)
        if not isinstance(answer, dict) or not all(name in answer for name in needs):
            raise _not_llmlab(self.server)
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        import httpx

        try:
            return self._http.request(method, self.server + path, **request)
        except httpx.TimeoutException:
            raise Unreachable(
                f"{self.server} did not answer in time.", "Try again, or look at the server's log."
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"Cannot reach {self.server}: {_reason(error)}.", self._how_to_reach()
            ) from None

    def _how_to_reach(self) -> str:
        start = "Start it with `llmlab up`, or set" if is_loopback(self.server) else "Set"
        return f"{start} another address with `llmlab config set server URL`."

    def _problem(self, response: httpx.Response) -> Problem:
        """The server's refusal (RFC 9457) as one of ours."""
        status = response.status_code
        said = _said(response)
        if status == 401:
            return self._no_key(said)
        if status == 403:
            return NotAllowed(said or f"{self.server} does not allow that.")
        if status in (400, 422):
            return BadUsage(said or f"The server could not read the request ({status}).")
        if status in (502, 503, 504):
            return Unreachable(
                said or f"{self.server} cannot answer now ({status}).", "Try again in a moment."
            )
        if response.is_redirect or (status == 404 and not said):
            return _not_llmlab(self.server)
        return Problem(said or f"{self.server} answered with an error ({status}).")

    def _no_key(self, said: str) -> NotAuthenticated:
        key = self._settings.api_key
        if not key.value:
            return NotAuthenticated(
                "There is no API key to show the server.",
                "Run `llmlab init`, or set LLMLAB_API_KEY.",
            )
        return NotAuthenticated(
            f"{self.server} does not accept the key {key.shown} from {key.origin}. {said}".strip(),
            "Make a new key in the dashboard under Settings, then run `llmlab init`.",
        )


def _credentials(settings: Settings) -> dict[str, str]:
    headers: dict[str, str] = {}
    if settings.api_key.value:
        headers["Authorization"] = f"Bearer {settings.api_key.value}"
    if settings.project.value:
        headers["X-LLMLab-Project"] = settings.project.value
    return headers


def _json(response: httpx.Response) -> Json:
    """The answer's JSON; None if it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def _said(response: httpx.Response) -> str:
    """What the server says is wrong; empty if it doesn't speak RFC 9457."""
    problem = _json(response)
    if not isinstance(problem, dict):
        return ""
    detail = str(problem.get("detail") or problem.get("title") or "")
    fields = [
        f"{field.get('pointer')}: {field.get('detail')}"
        for field in _errors(problem)
        if str(field.get("detail")) not in detail
    ]
    return " ".join([detail, *fields]).strip()


def _errors(problem: Mapping[str, Json]) -> list[dict[str, Json]]:
    errors = problem.get("errors")
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def _reason(error: Exception) -> str:
    """Why the connection failed, in the operating system's words where it has some."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or type(error).__name__


def _not_llmlab(server: str) -> Problem:
    return Problem(
        f"{server} answers, but not as LLMLab does.",
        "Check the address with `llmlab config list`; CLI and server should be of one version.",
    )
