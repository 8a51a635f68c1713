"""A list that changes under a fleet with caches: each scanner fetches only the delta, and compares the new list."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from patches.signing import create_keys
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line
from tests import processes
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import made_up

RECORDS = 6000


def write(path: Path, *others: Vulnerability) -> None:
    """Write a list in which some records differ from the usual ones."""
    records = {each.name: each for each in (*(made_up(number, "debian-12") for number in range(RECORDS)), *others)}
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(encode_line(each) for each in records.values()))
    new.replace(path)


def test_unwritable_cache(tmp_path: Path) -> None:
    """A list that cannot be kept is one line, and the scan goes on."""
    listed, cache = tmp_path / "list.ndjson", tmp_path / "cache"
    write(listed)
    cache.write_text("a file")
    server = Daemon("patches-server", tmp_path / "server", "--list", str(listed)).start()
    root = write_host(tmp_path / "host", "debian", "12", {"sudo": "1.9.13p3-1"})
    words = [
        "--patches-server",
        f"http://{URL_HOST}:{server.port}",
        "--root",
        root,
        "--format",
        "json",
        "--cache",
        cache,
    ]
    try:
        server.wait_until_ready()
        ran = subprocess.run([PATCHES, "scan", *words], capture_output=True, text=True, timeout=60)
    finally:
        server.stop()
    document = json.loads(ran.stdout)
    assert (ran.returncode, document["verdict"]) == (0, "clean")
    assert ran.stderr == f"The list cannot be kept: {document['cacheProblem']}\n"


def test_watched(tmp_path: Path) -> None:
    """A daemon asks whether its list has changed, and then scans at once, with the delta."""
    listed = tmp_path / "list.ndjson"
    write(listed)
    options = ["--list", str(listed), "--refresh-interval", "1s"]
    server = Daemon("patches-server", tmp_path / "server", *options).start()
    root = write_host(tmp_path / "host", "debian", "12", {"sudo": "1.9.13p3-1"})
    log, url = tmp_path / "scanner.log", f"http://{URL_HOST}:{server.port}"
    command = [*SCANNER, "--root", root, "--patches-server", url, "--check-frequency", "500ms"]
    command += ["--state-dir", tmp_path / "scanner"]
    try:
        server.wait_until_ready()
        with log.open("wb") as file, processes.running(command, stdout=file, stderr=file):
            wait_for(lambda: "1 packages, 0 findings" in log.read_text(), 30)
            served = server.metric("patches_chunks_served_total")
            write(listed, Vulnerability("CVE-2025-000001", "debian-12", (FixedPackage("sudo", "1.9.14-1"),)))
            wait_for(lambda: "1 packages, 1 findings" in log.read_text(), 30)
            assert "Scanning again: the list of debian-12 has changed" in log.read_text()
            assert server.metric("patches_chunks_served_total") == served + 1
            server.stop()
            wait_for(lambda: "does not say whether the list changed" in log.read_text(), 30)
            server.start(server.port)
            wait_for(lambda: "The server says it again" in log.read_text(), 30)
        assert log.read_text().count("Scanning again") == 1
    finally:
        server.stop()


def test_changes(tmp_path: Path) -> None:
    """The second scan fetches one chunk instead of all of them, and finds the vulnerabilities of the new list."""
    listed, key = tmp_path / "list.ndjson", tmp_path / "key"
    public = create_keys(key)
    write(listed)
    options = ["--list", str(listed), "--refresh-interval", "1s", "--signing-key", str(key)]
    server = Daemon("patches-server", tmp_path / "server", *options).start()
    root = write_host(tmp_path / "host", "debian", "12", {"sudo": "1.9.13p3-1"})

    def scan() -> dict[str, Any]:
        words = ["--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(root), "--format", "json"]
        words += ["--cache", str(tmp_path / "cache"), "--verify-key", str(public)]
        words += ["--state-dir", str(tmp_path / "scanner"), "--quiet"]
        ran = subprocess.run([PATCHES, "scan", *words], capture_output=True, text=True, timeout=60)
        assert ran.stderr == ""
        return dict(json.loads(ran.stdout))

    def served() -> float:
        return server.metric("patches_chunks_served_total")

    try:
        server.wait_until_ready()
        first = scan()
        assert (first["verdict"], served() > 2) == ("clean", True)
        whole = served()
        new = [
            Vulnerability("CVE-2024-000000", "debian-12", (FixedPackage("sudo", "1.9.14-1"),)),
            Vulnerability("CVE-2025-000001", "debian-12", (FixedPackage("sudo", "1.9.13p3-1+deb12u1"),)),
        ]
        write(listed, *new)
        wait_for(lambda: "2 changes since" in server.text(), 60)
        second = scan()
        assert {finding["flaw"] for finding in second["findings"]} == {each.name for each in new}
        assert second["list"]["vulnerabilities"] == RECORDS + 1
        assert second["list"]["revision"] != first["list"]["revision"]
        assert (served() - whole, server.metric('patches_session_events_total{event="delta"}')) == (1, 1)
        third = scan()
        assert (served() - whole, third["list"]["digest"]) == (1, second["list"]["digest"])
        assert "Traceback" not in server.text()
    finally:
        server.stop()
