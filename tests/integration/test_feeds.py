"""Real feeds and real hosts from end to end: file feed, catalogue, server, HTTP, ``patches scan``, findings."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import SkipTest
from urllib.request import urlopen

import pytest

from patches.scanner.host.os_release import detect_platform
from patches.sources.osv.ecosystems import ECOSYSTEMS
from tests.integration.daemons import PATCHES, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.shared_data import shared

CONFIG = """
[source.osv]
kind = "osv"
path = "{osv}"
ecosystems = ["AlmaLinux", "Alpine", "Azure Linux", "Debian", "Ubuntu"]
platforms = {platforms}

[source.secdb]
kind = "secdb"
path = "{secdb}"
platforms = ["alpine-edge"]
"""


def cases() -> list[Path]:
    """Return the cases; an empty list without the shared data."""
    try:
        return sorted(shared("data/oracles/matching").glob("*.json"))
    except SkipTest:
        return []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Start a server that reads the feeds of all cases."""
    folder = tmp_path_factory.mktemp("feeds")
    try:
        osv = shared("data/osv")
    except SkipTest as reason:
        pytest.skip(str(reason))
    config = folder / "server.toml"
    config.write_text(CONFIG.format(osv=osv, secdb=shared("data/alpine-secdb"), platforms=json.dumps(platforms())))
    daemon = Daemon("patches-server", folder, "--config", str(config)).start()
    try:
        wait_for(lambda: is_read(daemon), 400)
        yield daemon
    finally:
        daemon.stop()


def platforms() -> list[str]:
    """Return the platforms of all cases and hosts: the server need not store the others."""
    found = {ECOSYSTEMS.place(json.loads(path.read_text())["ecosystem"]).platform for path in cases()}
    found |= {detect_platform(host) for host in hosts()}
    return sorted(found - {"alpine-edge"})


def is_read(daemon: Daemon) -> bool:
    """Return whether every feed has been read."""
    with urlopen(f"http://{URL_HOST}:{daemon.port}/v1/platforms") as answer:
        found = {each["platform"] for each in json.load(answer)["platforms"] if each["revision"]}
    return {"alma-8", "alpine-3.20", "alpine-edge", "azurelinux-2.0", "debian-12", "ubuntu-18.04"} <= found


def scan(server: Daemon, root: Path, *options: str) -> dict[str, Any]:
    """Scan a host as a user would."""
    command = [
        *(PATCHES, "scan", "--patches-server", f"http://{URL_HOST}:{server.port}", "--root", root, "--quiet"),
        *("--format", "json", "--include-unfixed", "--patience", "10s", *options),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode in (0, 1, 4), ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def told(document: dict[str, Any], track: str | None) -> set[tuple[str, str, str]]:
    """Return the findings, each as the name of a record, the package and the architecture, of a host's own tracks."""
    findings = [*document["findings"], *document["unfixed"]]
    return {
        (name, each["package"]["name"], each["package"]["arch"])
        for each in findings
        if each["status"] != "will_not_fix" and each["track"] in (None, track)
        for name in {*each["names"], *(record["name"] for record in each["records"])}
    }


@pytest.mark.parametrize("path", cases() or [None], ids=lambda path: path.stem if path else "none")
def test_case(server: Daemon, path: Path | None) -> None:
    """The findings are exactly those that other tools report."""
    assert path is not None
    case = json.loads(path.read_text())
    place = ECOSYSTEMS.place(case["ecosystem"])
    options = ("--platform", place.platform, "--track", place.track or "none")
    document = scan(server, shared("data/" + case["host"]), *options)
    rows = {(row["id"], row["package"], row["arch"]): row.get("class") for row in case["expected"]}
    kinds = {kind_of(name) for name, _, _ in rows} - {"ALBA-", "ALEA-"}  # these are not security advisories
    found = {row for row in told(document, place.track) if kind_of(row[0]) in kinds}
    due = {row for row, name in rows.items() if name in (None, "plain") and kind_of(row[0]) in kinds}
    due = {row for row in due if row[1] != "kernel-headers"}  # these contain no kernel code
    modular = {row for row, name in rows.items() if name == "module"}  # these apply only to installed streams
    assert due - found == set()
    assert found - due - modular == set()
    assert document["list"]["digest"]


def hosts() -> list[Path]:
    """Return the hosts; an empty list without the shared data."""
    try:
        return sorted(path.parent for path in shared("data/hosts").glob("*/*/inventory.json"))
    except SkipTest:
        return []


@pytest.mark.parametrize("host", hosts() or [None], ids=lambda path: f"{path.parent.name}-{path.name}" if path else "")
def test_host(server: Daemon, host: Path | None) -> None:
    """Each host's platform is detected from its files; it is compared completely, or is unsupported without a list."""
    assert host is not None
    document = scan(server, host)
    if document["verdict"] == "unsupported":
        assert host.parent.name in ("el-8", "sle-15", "alpine-3.8", "alpine-3.9")
        assert "not served" in document["problem"]
        return
    assert document["verdict"] in ("clean", "findings")
    inventory = json.loads((host / "inventory.json").read_text())
    packages = document["packages"]
    assert packages["installed"] == sum(each.get("status", "ii") != "rc" for each in inventory["packages"])
    rest = len(packages["notCovered"]) + len(packages["notEvaluated"])
    assert packages["affected"] + packages["fine"] + rest == packages["installed"]


def kind_of(name: str) -> str:
    """Return the prefix of a name, such as ``UBUNTU-CVE-``."""
    found = re.match(r"[A-Z-]+", name)
    return found[0] if found else ""
