"""Scanners of several addresses at one server whose places are taken, behind a proxy of either kind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemons import Daemon, wait_for
from tests.integration.loopback import LOOPBACK
from tests.integration.sample_lists import write_list

BODY = b'{"platform":"debian-12"}'


@pytest.fixture(params=["X-Forwarded-For", "PROXY"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Daemon, str]]:
    """A server with one place to read and three to wait, behind a proxy on loopback."""
    path = write_list(tmp_path / "list.ndjson", 10)
    options = ["--max-active", "1", "--max-queued", "3", "--trusted-proxies", LOOPBACK]
    daemon = Daemon("patches-server", tmp_path / "server", "--list", str(path), *options)
    daemon.start(kind="haproxy:tcp" if request.param == "PROXY" else "tcp")
    try:
        yield daemon, request.param
    finally:
        daemon.stop()


def ask(port: int, kind: str, address: str, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, object]]:
    """Send a request as a proxy does for a scanner at an address. Return the status and the document."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    head += f"X-Forwarded-For: 203.0.113.9, {address}\r\n" if kind == "X-Forwarded-For" else ""
    first = f"PROXY TCP4 {address} 192.0.2.1 4711 80\r\n" if kind == "PROXY" else ""
    with socket.create_connection((LOOPBACK, port), 10) as line:
        line.sendall((first + head + "\r\n").encode() + body)
        data = b"".join(iter(lambda: line.recv(65536), b""))
    return int(data[9:12]), json.loads(data.partition(b"\r\n\r\n")[2])


def test_shares(server: tuple[Daemon, str]) -> None:
    """An address that has all places to wait gives one to a newcomer of another address, and is told so."""
    daemon, kind = server
    wait_for(lambda: ask(daemon.port, kind, "192.0.2.7", "GET", "/ready")[0] == 200, 60)
    opened = [ask(daemon.port, kind, "192.0.2.7", "POST", "/v1/sessions", BODY) for _ in range(5)]
    assert [status for status, _ in opened] == [201, 201, 201, 201, 503]
    assert opened[4][1]["error"]["code"] == "queue-full"  # type: ignore[index]
    status, newcomer = ask(daemon.port, kind, "192.0.2.8", "POST", "/v1/sessions", BODY)
    assert (status, newcomer["queuePosition"]) == (201, 2)
    status, displaced = ask(daemon.port, kind, "192.0.2.7", "GET", f"/v1/sessions/{opened[3][1]['session']}")
    assert (status, displaced["error"]["code"]) == (503, "share")  # type: ignore[index]
