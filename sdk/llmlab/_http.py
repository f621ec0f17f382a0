"""One kept-alive HTTP connection to the server, made of the standard library.

httpx costs 290 ms to import and 260 µs a request here, ``http.client`` 35 ms and 50 µs; a script
of one call has 0.5 s to leave. See docs/decisions/0017-the-sdk-is-a-guest.md.
"""

from __future__ import annotations

import http.client
import socket
import sys
from importlib import import_module
from typing import Any, Mapping, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import_module("encodings.idna")  # getaddrinfo needs it, and would import it at a worse moment

TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 4 << 20


class Answer(NamedTuple):
    """What the server said. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Requests to the server at ``base_url``, one after the other, over one socket if it lasts.

    Follows the system's proxy settings (``HTTPS_PROXY``, ``NO_PROXY``, …) and trusts the system's
    certificates, or those named by ``SSL_CERT_FILE``.
    """

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(
                f"The server's address must start with http:// or https://: {base_url!r}"
            )
        self._scheme = url.scheme
        self._host = url.hostname
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._path = url.path.rstrip("/")
        self._open: http.client.HTTPConnection | None = None
        self._proxy_headers: dict[str, str] = {}
        self._via_proxy = False

    @property
    def is_local(self) -> bool:
        """True if the server runs on this machine."""
        return self._host in ("127.0.0.1", "localhost", "::1")

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request and its whole answer; redirects are not followed.

        Raises:
            OSError: the server can't be reached, or the connection broke.
            http.client.HTTPException: what answered does not speak HTTP.
        """
        fresh = self._open is None
        try:
            return self._exchange(method, path, body, headers or {})
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if fresh or isinstance(error, socket.timeout):  # TimeoutError itself only from 3.10
                raise
            # A kept connection that the server has closed meanwhile: once more, on a new one.
            # Sending an event twice is harmless, the server knows it by its id.
            return self._exchange(method, path, body, headers or {})

    def close(self) -> None:
        """Drop the socket."""
        connection, self._open = self._open, None
        if connection is not None:
            connection.close()

    def forget(self) -> None:
        """In a forked child: the socket is the parent's, so don't even say goodbye on it."""
        self._open = None

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        if self._open is None:
            self._open = self._connect()
        connection = self._open
        target = self._path + path
        if self._via_proxy and self._scheme == "http":
            target = f"http://{self._netloc()}{target}"
            headers = {**headers, **self._proxy_headers}
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        answer = response.read(_MAX_ANSWER_BYTES)
        if response.will_close or not response.isclosed():
            self.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, answer)

    def _connect(self) -> http.client.HTTPConnection:
        proxy = self._proxy()
        self._via_proxy = proxy is not None
        if proxy is None:
            return self._plain(self._host, self._port, self._scheme == "https")
        url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        secure = url.scheme == "https" or self._scheme == "https"
        connection = self._plain(url.hostname or "", url.port or 3128, secure)
        self._proxy_headers = _proxy_headers(url)
        if self._scheme == "https":
            connection.set_tunnel(self._host, self._port, self._proxy_headers)
        return connection

    def _plain(self, host: str, port: int, secure: bool) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_SECONDS, context=_tls_context()
        )

    def _proxy(self) -> str | None:
        if self.is_local or proxy_bypass(self._netloc()):
            return None
        return getproxies().get(self._scheme)

    def _netloc(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"


def _tls_context() -> Any:
    import ssl

    context = ssl.create_default_context()
    if sys.platform == "darwin" and not context.get_ca_certs():
        _add_certifi(context)
    return context


def _add_certifi(context: Any) -> None:
    """python.org's build for macOS finds no certificates by itself; certifi is often there."""
    try:
        import certifi

        context.load_verify_locations(certifi.where())
    except Exception:  # not installed: the handshake will say what is missing
        return


def _proxy_headers(url: Any) -> dict[str, str]:
    if not url.username:
        return {}
    from base64 import b64encode
    from urllib.parse import unquote

    login = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(login.encode()).decode("ascii")}
