"""Which Host and Origin headers we answer: against DNS rebinding and cross-site requests.

A page anywhere on the web can make a browser send requests to 127.0.0.1. Its Host header gives it
away when it came by a rebound DNS name, its Origin header when it came directly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmlab_app.domain.errors import ForeignHost, Malformed, NotAllowed
from llmlab_app.settings import Settings

Headers = Iterable[tuple[bytes, bytes]]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_DOING = frozenset({b"same-origin", b"none"})  # none: typed or bookmarked
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Trust:
    """The names that this server goes by; ``origin`` is that of the public URL, if it has one."""

    hosts: frozenset[str]
    origin: str | None

    @classmethod
    def of(cls, settings: Settings) -> "Trust":
        """Loopback names, the address that we listen at, and the public one."""
        hosts = set(_LOOPBACK)
        if settings.host not in _ANY_ADDRESS:
            hosts.add(_as_host(settings.host))
        if settings.public_url is None:
            return cls(frozenset(hosts), None)
        url = urlsplit(settings.public_url.lower())
        host = _as_host(url.hostname or "")
        port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
        return cls(frozenset(hosts | {host}), f"{url.scheme}://{host}{port}")

    def check(self, scope_type: str, method: str, path: str, headers: Headers) -> None:
        """Pass if the request is meant for us and comes from nobody else's page.

        Raises:
            Malformed: not exactly one Host, or one that is no host.
            ForeignHost: the Host isn't ours.
            NotAllowed: a page of another origin sends it, and it could change or open something.
        """
        received = [pair for pair in headers if pair[0] in _READ_HERE]
        host = self._checked_host([value for name, value in received if name == b"host"])
        # A Reflex connection may begin with a GET; its answer must not reach another origin either.
        if scope_type == "websocket" or method not in _SAFE_METHODS or path.startswith("/_event"):
            self._check_origin(dict(received), host)

    def _checked_host(self, values: list[bytes]) -> str:
        host = values[0].decode("latin-1").lower() if len(values) == 1 else ""
        match = _HOST.fullmatch(host)
        if match is None:
            raise Malformed(
                "A request needs exactly one Host header, with a name and perhaps a port.",
                code="invalid_host",
            )
        if match["name"] not in self.hosts:
            raise ForeignHost(
                f"This server doesn't go by the name {match['name'][:100]}. Open it as localhost, "
                "or set LLMLAB_PUBLIC_URL to the address that people type."
            )
        return host

    def _check_origin(self, received: dict[bytes, bytes], host: str) -> None:
        origin = received.get(b"origin")
        if origin is None:  # not a browser, or one too old to send it
            if received.get(b"sec-fetch-site", b"none") in _OWN_DOING:
                return
        elif (sent := origin.decode("latin-1").lower()) == self.origin or sent in (
            f"http://{host}",
            f"https://{host}",
        ):
            return
        raise NotAllowed(
            "This request comes from a page of another origin. Send it from LLMLab's own pages, or "
            "with a key and not from a browser.",
            code="foreign_origin",
        )


_READ_HERE = frozenset({b"host", b"origin", b"sec-fetch-site"})


def _as_host(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()
