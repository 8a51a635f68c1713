"""Clients that speak HTTP to a port that needs TLS, and TLS to one that has none."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from patches.scanner.output.exit_codes import INCOMPLETE
from tests.chaos.certificates import trusting, write_certificate
from tests.integration.daemons import PATCHES, Daemon, wait_for
from tests.integration.loopback import FAMILY, LOOPBACK, URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


def test_http_to_tls(tmp_path: Path) -> None:
    """A plain request is answered in plain, also a long one; the port serves TLS as before, and nothing fails."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    server.start(kind="ssl", more=write_certificate(tmp_path))
    try:
        for body in (None, b"x" * 1_000_000):
            with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=10)) as connection:
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
        connection = http.client.HTTPSConnection(LOOPBACK, server.port, timeout=5, context=trusting())
        with closing(connection), pytest.raises(ssl.SSLError):
            connection.request("GET", "/health")
        assert server.ask("/health")[0] == 200
        assert "Traceback" not in server.text()
    finally:
        assert server.stop() == 0


def test_silent_tls(tmp_path: Path) -> None:
    """A port that closes a plain connection without a word is asked whether it speaks TLS; the scan ends at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    write_certificate(tmp_path, LOOPBACK)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    with socket.create_server((LOOPBACK, 0), family=FAMILY) as listening:
        threading.Thread(target=_serve_tls, args=(listening, context), daemon=True).start()
        port = listening.getsockname()[1]
        host = write_host(tmp_path / "host", "debian", "12", {"package-1": "1:0-1"})
        words = [str(PATCHES), "scan", "--root", str(host), "--patches-server", f"http://{URL_HOST}:{port}"]
        began = time.monotonic()
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert time.monotonic() - began < 5
    assert ran.returncode == INCOMPLETE
    assert f"needs TLS: use https://{URL_HOST}:{port}" in " ".join(ran.stdout.split()), ran


def _serve_tls(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Accept connections; one that does not begin with a handshake is closed without an answer, as many servers do."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(1000)


@pytest.mark.parametrize("by_tls", [False, True])
def test_scanner(tmp_path: Path, by_tls: bool) -> None:
    """A scan with the wrong scheme ends at once, and its report is kept; both say what to use instead."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    reporter = Daemon("patches-reporter", tmp_path / "reporter")
    kind, more = ("tcp", "") if by_tls else ("ssl", write_certificate(tmp_path, LOOPBACK))
    used, right = ("https", "http") if by_tls else ("http", "https")
    try:
        for daemon in (server, reporter):
            daemon.start(kind=kind, more=more)
        server.wait_until_ready()
        host = write_host(tmp_path / "host", "debian", "12", {"package-1": "1:0-1"})
        words = [str(PATCHES), "scan", "--root", str(host), "--state-dir", str(tmp_path / "state")]
        words += ["--patches-server", f"{used}://{URL_HOST}:{server.port}"]
        words += ["--reporter", f"{used}://{URL_HOST}:{reporter.port}"]
        began = time.monotonic()
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert time.monotonic() - began < 5
        assert ran.returncode == INCOMPLETE
        for port in (server.port, reporter.port):
            assert f"use {right}://{URL_HOST}:{port}" in " ".join((ran.stdout + ran.stderr).split()), ran
        assert list((tmp_path / "state/outbox").glob("[0-9]*.json"))
    finally:
        assert [daemon.stop() for daemon in (server, reporter)] == [0, 0]


@pytest.mark.parametrize("by_tls", [False, True])
def test_source(tmp_path: Path, by_tls: bool) -> None:
    """A source with the wrong scheme is refused at once, and the log says what to use instead."""
    feed = Daemon("patches-server", tmp_path / "feed", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    feed.start(**({} if by_tls else {"kind": "ssl", "more": write_certificate(tmp_path, LOOPBACK)}))
    used, right = ("https", "http") if by_tls else ("http", "https")
    config = tmp_path / "server.toml"
    url = f"{used}://{URL_HOST}:{feed.port}"
    config.write_text(f'[source.x]\nkind = "ndjson"\nurl = "{url}/list.ndjson"\nplatforms = ["debian-12"]\n')
    servers = [
        Daemon("patches-server", tmp_path / "feeds", "--config", str(config)),
        Daemon("patches-server", tmp_path / "clair", "--clair", url),
    ]
    try:
        for server in servers:
            server.start()
            wait_for(lambda server=server: f"use {right}://{URL_HOST}:{feed.port}" in server.text(), 5)
    finally:
        assert [server.stop() for server in (*servers, feed)] == [0, 0, 0]
