"""
The chunk path over TLS: requests/s, and server CPU per request, beside nginx with TLS, in turns.

As :mod:`benchmarks.serve`, with a certificate made for the run; handshakes are made before the time is taken.

.venv/bin/python -m benchmarks.serve_tls [SECONDS]
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import run_load
from benchmarks.processes import cpu_seconds, free_port, patches_server, peak_mib, process, write_list
from benchmarks.serve import NGINX, Server, get
from patches.service.daemon import allow_open_files
from tests.chaos.certificates import trusting, write_certificate

CONNECTIONS = (10, 100, 500)
_TLS = """listen 127.0.0.1:{port} ssl backlog=1024;
  ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;"""


def main(seconds: float) -> None:
    """Measure and print."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        write_list(folder / "list.ndjson", 10_000)
        allow_open_files(2 * max(CONNECTIONS))
        os.sched_setaffinity(0, {1} if (os.cpu_count() or 1) > 1 else {0})
        servers = [stack.enter_context(run_patches(folder))]
        if nginx is not None:
            servers.append(stack.enter_context(run_nginx(nginx, folder)))
        rows = [[measure(server, number, seconds) for server in servers] for number in CONNECTIONS]
    heads = ("server", "connections", "requests/s", "CPU us/request", "p99 ms", "peak MiB")
    print("{:16} {:>11} {:>11} {:>15} {:>8} {:>9}".format(*heads))
    for group in rows:
        for row in group:
            print("{:16} {:>11} {:>11,.0f} {:>15.1f} {:>8.1f} {:>9.0f}".format(*row))
        for peer in group[1:]:
            print(f"patches-server / nginx at {peer[1]} connections: {group[0][2] / peer[2]:.2f} x the requests/s")


def request(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """Send a request over TLS. Return the status and the body."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting())
    connection.request(method, path, json.dumps(body) if body is not None else None, {"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextlib.contextmanager
def run_patches(folder: Path) -> Iterator[Server]:
    """Run patches-server with TLS, and write the bytes of its chunk for nginx."""
    port = free_port()
    command = patches_server(folder, port, folder / "list.ndjson", "--session-timeout", "600")
    place = command.index("--listen") + 1
    command[place] = f"ssl:{port}:interface=127.0.0.1{write_certificate(folder)}"
    with process(command, port, core=0) as pid:
        while request(port, "GET", "/ready")[0] != 200:
            pass
        paths = []
        for _ in range(max(CONNECTIONS)):
            _, answer = request(port, "POST", "/v1/sessions", {"platform": "debian-12"})
            paths.append(f"/v1/sessions/{json.loads(answer)['session']}/chunks/0")
        (folder / "chunk").write_bytes(request(port, "GET", paths[0])[1])
        yield Server("patches-server", port, pid, [get(path) for path in paths])


@contextlib.contextmanager
def run_nginx(nginx: str, folder: Path) -> Iterator[Server]:
    """Run nginx with TLS."""
    port = free_port()
    plain = NGINX.format(folder=folder, port=port)
    tls = _TLS.format(folder=folder, port=port)
    (folder / "nginx.conf").write_text(plain.replace(f"listen 127.0.0.1:{port} backlog=1024;", tls))
    (folder / "key.pem").chmod(0o644)
    with process([nginx, "-c", str(folder / "nginx.conf"), "-g", "master_process off;"], port, core=0) as pid:
        yield Server("nginx", port, pid, [get("/chunk")] * max(CONNECTIONS))


def measure(server: Server, connections: int, seconds: float) -> tuple:
    """Measure one server with one request on each connection."""
    address, requests = ("127.0.0.1", server.port), server.requests[:connections]
    run_load(address, requests, 0.5, trusting())
    before = cpu_seconds(server.pid)
    load = run_load(address, requests, seconds, trusting())
    cpu = (cpu_seconds(server.pid) - before) / load.answers * 1e6
    return server.name, connections, load.answers / load.seconds, cpu, load.p99_ms, peak_mib(server.pid)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
