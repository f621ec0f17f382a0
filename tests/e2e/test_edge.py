"""The edge under granian, spoken to over a plain socket: what a hostile or clumsy caller sends."""

import gzip
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.e2e.conftest import RunningServer, StartServer

EVENT = b'{"model": "gpt-4o-mini", "usage": {"input_tokens": 1}}'


def say(server: RunningServer, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to bytes as they are."""
    url = urlsplit(server.url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def get(*lines: str) -> bytes:
    return "\r\n".join(["GET /api/health HTTP/1.1", *lines, "Connection: close", "", ""]).encode()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Host: localhost"], 200),
        (["host: LOCALHOST:99"], 200),
        (["Host: [::1]:8484"], 200),
        (["Host: evil.example"], 421),
        (["Host: 127.0.0.1.evil.example"], 421),
        ([], 400),
        (["Host:"], 400),
        (["Host: localhost", "Host: localhost"], 400),
        (["Host: localhost", "Host: evil.example"], 400),
        (["Host: evil.example", "X-Forwarded-Host: localhost"], 421),
    ],
)
def test_only_our_own_names_are_answered(
    server: RunningServer, lines: list[str], status: int
) -> None:
    answered, body = say(server, get(*lines))
    assert answered == status
    if status != 200:
        assert json.loads(body)["status"] == status


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        (None, "http://evil.example", 403),
        (None, "null", 403),
        (None, "http://localhost:1", 403),
        ("evil.example", None, 421),
        ("evil.example", "http://evil.example", 421),
    ],
)
def test_the_websocket_opens_for_our_own_pages_only(
    server: RunningServer, host: str | None, origin: str | None, status: int
) -> None:
    address = server.url.replace("http", "ws", 1) + "/_event/?EIO=4&transport=websocket"
    if host is not None:
        address = address.replace("127.0.0.1", host)
    url = urlsplit(server.url)
    connection = socket.create_connection((url.hostname, url.port))
    with pytest.raises(InvalidStatus) as refused:
        connect(address, sock=connection, origin=Origin(origin) if origin else None)
    connection.close()
    assert refused.value.response.status_code == status


def post(server: RunningServer, content: bytes, **headers: str) -> httpx2.Response:
    return httpx2.post(
        f"{server.url}/api/events/track",
        content=content,
        headers={"Authorization": f"Bearer {server.api_key}"} | headers,
        timeout=20,
    )


def test_a_body_of_ten_megabytes_is_too_large(server: RunningServer) -> None:
    answer = post(server, b"x" * 10_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_gzip_bomb_is_too_large(server: RunningServer) -> None:
    bomb = gzip.compress(bytes(1 << 26))
    answer = post(server, bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "inflated_body_too_large")


def test_a_gzip_body_is_read(server: RunningServer) -> None:
    answer = post(server, gzip.compress(EVENT), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200, answer.text


def test_a_page_of_another_origin_can_not_store_an_event(server: RunningServer) -> None:
    answer = post(server, EVENT, Origin="http://evil.example")
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_built_files_are_kept_for_a_year(server: RunningServer) -> None:
    page = httpx2.get(server.url + "/")
    asset = page.text.split('href="/assets/')[1].split('"')[0]
    answer = httpx2.get(f"{server.url}/assets/{asset}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert page.headers["cache-control"] == "no-cache"


def test_the_server_prints_nothing_of_what_callers_send(
    home: Path, start_server: StartServer
) -> None:
    server = start_server(home)
    canary = "canary-5f1e"
    for path in ("/api/events", f"/api/{canary}", f"/api/events?limit={canary}", f"/{canary}"):
        server.request("GET", path)
    post(server, b'{"model": "' + canary.encode() + b'"', **{"X-API-Key": server.api_key})
    post(server, EVENT, Origin=f"http://{canary}.example")
    say(server, get(f"Host: {canary}.example", f"Authorization: Bearer {canary}"))
    httpx2.get(f"{server.url}/setup", params={"token": canary})
    httpx2.get(f"{server.url}/api/events", headers={"Authorization": f"Bearer {canary}"})
    printed = server.stop()
    assert "Stopped." in printed
    assert canary not in printed
    assert server.api_key.split("_")[2] not in printed
