"""A server with a signing key, and scanners with the right key, with another key, and with an old list."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patches.signing import create_keys
from tests.integration.daemons import PATCHES, TWISTD, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class Fleet:
    """A host, and the servers that it uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = write_host(folder / "host", "debian", "12", {"package-1": "0"})
        self.key = folder / "lists.key"
        self.public = create_keys(self.key)
        self.daemons: list[Daemon] = []

    def serve(self, name: str, count: int, *options: str) -> Daemon:
        """Start or restart a server."""
        listed = write_list(self.folder / f"{name}.ndjson", count)
        server = Daemon("patches-server", self.folder / name, "--list", str(listed), *options).start()
        self.daemons.append(server)
        server.wait_until_ready()
        return server

    def scan(self, server: Daemon, key: Path, *options: str) -> tuple[int, dict[str, Any]]:
        """Scan the host. Return the exit code and the document."""
        words = ["--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(self.root), "--format", "json"]
        words += ["--verify-key", str(key), "--state-dir", str(self.folder / "scanner"), "--quiet", *options]
        ran = subprocess.run([PATCHES, "scan", *words], capture_output=True, text=True, timeout=60)
        assert "Traceback" not in ran.stderr
        return ran.returncode, json.loads(ran.stdout or "{}") or {"stderr": ran.stderr}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Create the host; stop the servers that it started."""
    fleet = Fleet(tmp_path)
    yield fleet
    for server in fleet.daemons:
        server.stop()


def test_signed(fleet: Fleet) -> None:
    """A signed list is compared; one that is signed with another key, or not signed, makes the scan incomplete."""
    signing = fleet.serve("signing", 3000, "--signing-key", str(fleet.key))
    code, outcome = fleet.scan(signing, fleet.public)
    assert (code, outcome["verdict"]) == (1, "findings")
    other = create_keys(fleet.folder / "other.key")
    code, outcome = fleet.scan(signing, other)
    assert (code, outcome["verdict"]) == (3, "incomplete")
    assert "the list is not signed as required" in outcome["problem"]
    code, outcome = fleet.scan(fleet.serve("plain", 3000), fleet.public)
    assert (code, outcome["problem"]) == (3, "the list is not signed")


def test_new_key(fleet: Fleet) -> None:
    """On SIGHUP the server signs with the new key, also what it published before; with a bad one nothing changes."""
    server = fleet.serve("server", 3000, "--signing-key", str(fleet.key))
    assert fleet.scan(server, fleet.public)[0] == 1
    assert server.process is not None
    public = create_keys(fleet.folder / "new.key")
    (fleet.folder / "new.key").replace(fleet.key)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "Read again: signing-key" in server.text(), 20)
    fleet.key.write_text("no key")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "everything stays as it was: --signing-key" in server.text(), 20)
    assert fleet.scan(server, public)[0] == 1
    code, outcome = fleet.scan(server, fleet.public)
    assert (code, "not signed as required" in outcome["problem"]) == (3, True)
    assert "Traceback" not in server.text()


def test_rolled_back(fleet: Fleet) -> None:
    """A server that was restored to an older state is refused, although its signature is valid."""
    server = fleet.serve("server", 3000, "--signing-key", str(fleet.key))
    server.stop()
    shutil.copytree(server.log.parent, fleet.folder / "backup")
    server = fleet.serve("server", 3100, "--signing-key", str(fleet.key))
    # it is ready with the list of before
    wait_for(lambda: server.ask("/v1/platforms")[1]["platforms"][0]["vulnerabilities"] == 3100, 30)
    assert fleet.scan(server, fleet.public)[0] == 1
    (fleet.folder / "backup.ndjson").unlink(missing_ok=True)
    old = Daemon(
        "patches-server", fleet.folder / "backup", "--platforms", "debian-12", "--signing-key", str(fleet.key)
    ).start()
    fleet.daemons.append(old)
    old.wait_until_ready()
    code, outcome = fleet.scan(old, fleet.public)
    assert (code, outcome["verdict"]) == (3, "incomplete")
    assert "a newer one was seen before" in outcome["problem"]


def test_usage(fleet: Fleet) -> None:
    """An unusable key ends either program with one line."""
    server = fleet.serve("server", 10)
    code, outcome = fleet.scan(server, fleet.key)
    assert (code, "not an Ed25519 public key" in outcome["stderr"]) == (2, True)
    fleet.key.chmod(0o644)
    words = ["patches-server", "--list", str(fleet.folder / "server.ndjson"), "--signing-key", str(fleet.key)]
    state = ["--state-dir", str(fleet.folder / "other")]
    ran = subprocess.run([TWISTD, "-n", "--pidfile=", *words, *state], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "others may read this private key" in ran.stderr
