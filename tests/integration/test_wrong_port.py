"""Clients that speak HTTP to a port that needs TLS, and TLS to one that has none."""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.certificates import trusting, write_certificate
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list


def test_http_to_tls(tmp_path: Path) -> None:
    """A plain request is answered in plain, also a long one; the port serves TLS as before, and nothing fails."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    server.start(kind="ssl", more=write_certificate(tmp_path))
    try:
        for body in (None, b"x" * 1_000_000):
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
                try:
                    connection.request("POST" if body else "GET", "/health", body)
                except (BrokenPipeError, ConnectionResetError):
                    continue  # it was refused in the middle of its body
                answer = connection.getresponse()
                error = json.loads(answer.read())["error"]
                assert (answer.status, error) == (400, {"code": "malformed", "message": "this port needs TLS"})
                assert (answer.getheader("Connection"), answer.getheader("Server")) == ("close", "Patches")
        assert server.ask("/health")[0] == 200
        assert "Traceback" not in server.text()
        assert "Unhandled" not in server.text()
    finally:
        assert server.stop() == 0


def test_tls_to_http(tmp_path: Path) -> None:
    """A handshake is refused at once, and nothing fails."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    server.start()
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=trusting())
        with closing(connection), pytest.raises(ssl.SSLError):
            connection.request("GET", "/health")
        assert server.ask("/health")[0] == 200
        assert "Traceback" not in server.text()
    finally:
        assert server.stop() == 0
