"""Scans in fresh processes: over plain HTTP without OpenSSL, over TLS and with signatures with what these need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patches.scanner.output.exit_codes import FINDINGS
from patches.signing import create_keys
from tests.chaos.certificates import write_certificate
from tests.integration.daemons import Daemon
from tests.integration.loopback import LOOPBACK, URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

#: Runs the command, and writes which libraries it has imported.
_COMMAND = """
import atexit, sys
watched = {"OpenSSL.SSL", "_ssl", "cryptography", "service_identity"}
atexit.register(lambda: print("imported", *sorted(watched & {*sys.modules}), file=sys.stderr))
from patches.cli.entry import main
main()
"""


def scan(folder: Path, url: str, *more: str, **environment: str) -> set[str]:
    """Scan a vulnerable host. Return which libraries the process has imported."""
    host = folder / "host"
    if not host.exists():
        write_host(host, "debian", "12", {"package-419": "1:0-1"})
    words = ["scan", "--root", str(host), "--patches-server", url, "--state-dir", str(folder / "scanner"), *more]
    command = [sys.executable, "-c", _COMMAND, *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    assert ran.returncode == FINDINGS, ran.stdout + ran.stderr
    (line,) = (line for line in ran.stderr.splitlines() if line.startswith("imported"))
    return set(line.split()[1:])


def test_plain(tmp_path: Path) -> None:
    """A scan over plain HTTP imports nothing of TLS; if signatures are verified, what verifies them."""
    public = create_keys(tmp_path / "key")
    listed = write_list(tmp_path / "list.ndjson", 10)
    server = Daemon(
        "patches-server", tmp_path / "server", "--list", str(listed), "--signing-key", str(tmp_path / "key")
    )
    server.start()
    try:
        url = f"http://{URL_HOST}:{server.port}"
        assert scan(tmp_path, url) == set()
        (tmp_path / "scanner").mkdir(exist_ok=True)
        assert scan(tmp_path, url, "--verify-key", str(public)) == {"cryptography"}
    finally:
        assert server.stop() == 0


def test_encrypted(tmp_path: Path) -> None:
    """A scan over TLS verifies the certificate."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    server.start(kind="ssl", more=write_certificate(tmp_path, LOOPBACK))
    try:
        url, trusted = f"https://{URL_HOST}:{server.port}", str(tmp_path / "certificate.pem")
        everything = {"OpenSSL.SSL", "cryptography", "service_identity"}
        assert scan(tmp_path, url, SSL_CERT_FILE=trusted) == everything
        assert scan(tmp_path, url, "--ca", trusted) == everything
    finally:
        assert server.stop() == 0
