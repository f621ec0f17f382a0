"""The server as the SDK knows it: batches of events go in, one verdict for each comes out."""

from __future__ import annotations

import http.client
import json
import time
import zlib
from typing import Any, Dict, List, cast

from llmlab._config import Destination
from llmlab._http import Answer, Connection
from llmlab._verdict import Refused, Unavailable, Verdict
from llmlab._version import SDK

BATCH_PATH = "/api/events/batch"
HEALTH_PATH = "/api/health"
_SLOW_RETRY_SECONDS = 60.0
_LONGEST_RETRY_SECONDS = 3600.0
_GZIP_FROM_BYTES = 1024
_GZIP_WBITS = 31  # zlib's word for "with a gzip header"


class Server:
    """Posts batches to one destination and reads its answers."""

    def __init__(self, destination: Destination) -> None:
        self._address = destination.server
        self._connection: Connection | None = None
        self._health: dict[str, Any] = {}
        self._ingest_failed = False
        self._headers = {
            "Authorization": f"Bearer {destination.api_key or ''}",
            "Content-Type": "application/json",
            "User-Agent": SDK,
        }
        if destination.project:
            self._headers["X-LLMLab-Project"] = destination.project

    def post(self, events: list[bytes]) -> list[Verdict]:
        """Deliver ``events``; one verdict for each, in order.

        Raises:
            Unavailable: nothing is known to be stored; the same may be sent again.
            Refused: nothing was stored.
        """
        connection = self._connect()
        body = b'{"events":[' + b",".join(events) + b"]}"
        headers = self._headers
        if len(body) >= _GZIP_FROM_BYTES and not connection.is_local:
            packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WBITS)
            body = packer.compress(body) + packer.flush()
            headers = {**headers, "Content-Encoding": "gzip"}
        answer = self._ask(connection, "POST", BATCH_PATH, body, headers)
        if answer.status == 200:
            return _verdicts(_object(answer.body), len(events))
        raise _failure(answer)

    def event_fields(self) -> frozenset[str]:
        """The fields that this server takes in an event, asked anew; empty if it does not say.

        Raises:
            Unavailable: it can't be asked now.
        """
        self.reconnect()
        self._connect()
        fields = self._health.get("event_fields")
        listed = cast("List[object]", fields) if isinstance(fields, list) else []
        return frozenset(name for name in listed if isinstance(name, str))

    def reconnect(self) -> None:
        """Start with a new connection and fresh knowledge next time."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def after_fork(self) -> None:
        """In a child: the socket is the parent's."""
        if self._connection is not None:
            self._connection.forget()

    def _connect(self) -> Connection:
        """The connection for batches: to the server, or to the ``ingest_url`` it names."""
        if self._connection is None:
            connection = _connection(self._address)
            answer = self._ask(connection, "GET", HEALTH_PATH, None, {"User-Agent": SDK})
            if answer.status == 503:
                raise _failure(answer)
            self._health = _object(answer.body) if answer.status == 200 else {}
            elsewhere = self._ingest_url()
            if elsewhere:
                connection.close()
                connection = _connection(elsewhere)
            self._connection = connection
        return self._connection

    def _ingest_url(self) -> str:
        url = self._health.get("ingest_url")
        if self._ingest_failed or not isinstance(url, str) or url.rstrip("/") == self._address:
            return ""
        # A key that goes out encrypted is never sent in the clear because an answer says so.
        if self._address.startswith("https:") and not url.startswith("https:"):
            return ""
        return url

    def _ask(
        self,
        connection: Connection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        try:
            return connection.request(method, path, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: a key or project that can't be put into a header.
            self._ingest_failed = self._ingest_failed or bool(
                self._connection and self._ingest_url()
            )
            self.reconnect()
            raise Unavailable(type(error).__name__) from error


def _connection(address: str) -> Connection:
    try:
        return Connection(address)
    except ValueError as error:
        raise Unavailable("bad_address", _SLOW_RETRY_SECONDS) from error


def _failure(answer: Answer) -> Exception:
    if answer.status in (400, 413, 422):
        problem = _object(answer.body)
        return Refused(str(problem.get("code", answer.status)), str(problem.get("detail", "")))
    reason = f"http_{answer.status}"
    if answer.status < 500 and answer.status not in (408, 425, 429):
        return Unavailable(reason, _SLOW_RETRY_SECONDS)  # a wrong key or address: a person's turn
    return Unavailable(reason, _retry_after(answer.headers.get("retry-after", "")))


def _retry_after(value: str) -> float:
    """Seconds to wait as ``Retry-After`` says, in either of its forms; 0 if it does not."""
    try:
        return min(max(float(value), 0.0), _LONGEST_RETRY_SECONDS)
    except ValueError:
        pass
    from email.utils import mktime_tz, parsedate_tz

    moment = parsedate_tz(value)
    seconds = mktime_tz(moment) - time.time() if moment else 0.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_SECONDS)


def _verdicts(answer: dict[str, Any], count: int) -> list[Verdict]:
    """One verdict for each of ``count`` events, whatever the server left out."""
    listed = answer.get("results")
    results = cast("List[Any]", listed) if isinstance(listed, list) else []
    verdicts = [_verdict(result) for result in results[:count]]
    verdicts += [Verdict(None, "accepted")] * (count - len(verdicts))
    listed = answer.get("rejected")
    for refused in cast("List[Any]", listed) if isinstance(listed, list) else []:
        why = cast("Dict[str, Any]", refused) if isinstance(refused, dict) else {}
        index = why.get("index")
        if isinstance(index, int) and 0 <= index < count:
            code, detail = str(why.get("code", "")), str(why.get("detail", ""))
            verdicts[index] = verdicts[index]._replace(status="rejected", code=code, detail=detail)
    return verdicts


def _verdict(result: Any) -> Verdict:
    if not isinstance(result, dict):
        return Verdict(None, "accepted")
    get = cast("Dict[str, Any]", result).get
    return Verdict(get("id"), get("status", "accepted"), get("cost"), get("cost_source"))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return {}
    return cast("Dict[str, Any]", found) if isinstance(found, dict) else {}
