"""
The chunk path in steady state: requests/s, and server CPU per request, at 10 to 5,000 connections.

Every connection has a session of its own and requests its current chunk again and again. Beside patches-server, in
turns: a bare twisted.web ``Resource`` that answers the same bytes, and nginx, if it is installed, serving them from a
file. The server is pinned to one core, the load generator to another.

.venv/bin/python -m benchmarks.serve [SECONDS]
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.request import Request, urlopen

from attrs import frozen

from benchmarks.load import run_load
from benchmarks.processes import (
    ask,
    cpu_seconds,
    free_port,
    patches_server,
    peak_mib,
    process,
    wait_until_ready,
    write_list,
)
from patches.service.daemon import allow_open_files

CONNECTIONS = (10, 100, 1000, 5000)
FIELDS = b"Host: localhost\r\nAccept-Encoding: gzip\r\n\r\n"

BARE = """
import sys
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site
BODY = open(sys.argv[2], "rb").read()
class Chunk(Resource):
    isLeaf = True
    def render_GET(self, request):
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        request.setHeader(b"Content-Encoding", b"gzip")
        return BODY
reactor.listenTCP(int(sys.argv[1]), Site(Chunk()), interface="127.0.0.1", backlog=1024)
reactor.run()
"""

NGINX = """
worker_processes 1; worker_rlimit_nofile 20000; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 16384; }}
http {{ access_log off; sendfile off; output_buffers 2 512k; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; }} }}
"""


def main(seconds: float) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_list(folder / "list.ndjson", 10_000)
        allow_open_files(2 * max(CONNECTIONS))
        os.sched_setaffinity(0, {1} if os.cpu_count() > 1 else {0})
        with contextlib.ExitStack() as stack:
            servers = [
                stack.enter_context(server)
                for server in (run_patches(folder), run_bare(folder), run_nginx(folder))
                if server is not None
            ]
            rows = [[measure(server, number, seconds) for server in servers] for number in CONNECTIONS]
    print(f"{'server':16} {'connections':>11} {'requests/s':>11} {'CPU us/request':>15} {'p99 ms':>8} {'peak MiB':>9}")
    for row in (row for group in rows for row in group):
        print("{:16} {:>11} {:>11,.0f} {:>15.1f} {:>8.1f} {:>9.0f}".format(*row))
    for ours, other in ((group[0], peer) for group in rows for peer in group[1:]):
        print(
            f"{ours[0]} / {other[0]} at {ours[1]} connections: {ours[2] / other[2]:.2f} x the requests/s, "
            f"{ours[4] / other[4]:.2f} x the p99"
        )


@frozen
class Server:
    """A server that runs, and a request for each connection."""

    name: str
    port: int
    pid: int
    requests: list[bytes]


@contextlib.contextmanager
def run_patches(folder: Path) -> Iterator[Server]:
    """Run patches-server, and write the bytes of its chunk for the other servers."""
    port = free_port()
    command = patches_server(folder, port, folder / "list.ndjson", "--session-timeout", "600", "--max-active", "8192")
    with process(command, port, core=0) as pid:
        wait_until_ready(port)
        sessions = [open_session(port) for _ in range(max(CONNECTIONS))]
        request = Request(f"http://127.0.0.1:{port}{sessions[0]}", headers={"Accept-Encoding": "gzip"})
        with urlopen(request) as answer:
            (folder / "chunk").write_bytes(answer.read())
        yield Server("patches-server", port, pid, [get(path) for path in sessions])


def open_session(port: int) -> str:
    """Open a session. Return the path of its first chunk."""
    status, document = ask(port, "POST", "/v1/sessions", {"platform": "debian-12"})
    if status != 201 or document["state"] != "active":
        raise RuntimeError(document)
    return f"/v1/sessions/{document['session']}/chunks/0"


def get(path: str) -> bytes:
    """Return a request."""
    return b"GET %s HTTP/1.1\r\n%s" % (path.encode(), FIELDS)


@contextlib.contextmanager
def run_bare(folder: Path) -> Iterator[Server]:
    """Run a bare twisted.web Resource."""
    port = free_port()
    with process([sys.executable, "-c", BARE, str(port), str(folder / "chunk")], port, core=0) as pid:
        yield Server("bare Resource", port, pid, [get("/")] * max(CONNECTIONS))


def run_nginx(folder: Path) -> AbstractContextManager[Server] | None:
    """Run nginx, where it is installed."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        print("nginx is not installed: left out", file=sys.stderr)
        return None
    return _run_nginx(nginx, folder)


@contextlib.contextmanager
def _run_nginx(nginx: str, folder: Path) -> Iterator[Server]:
    port = free_port()
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    with process([nginx, "-c", str(folder / "nginx.conf"), "-g", "master_process off;"], port, core=0) as pid:
        yield Server("nginx", port, pid, [get("/chunk")] * max(CONNECTIONS))


def measure(server: Server, connections: int, seconds: float) -> tuple:
    """Measure one server with one request on each connection."""
    address, requests = ("127.0.0.1", server.port), server.requests[:connections]
    run_load(address, requests, 0.5)
    before = cpu_seconds(server.pid)
    load = run_load(address, requests, seconds)
    cpu = (cpu_seconds(server.pid) - before) / load.answers * 1e6
    return server.name, connections, load.answers / load.seconds, cpu, load.p99_ms, peak_mib(server.pid)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
