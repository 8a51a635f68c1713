"""Escape sequences in a list: no program writes one to a terminal, a log or a document."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from attrs import evolve

from patches.scanner.output.formats import FORMATS
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import to_wire
from tests.control_characters import HARMFUL, harmful_record
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host


def harmful_list() -> list[Vulnerability]:
    """Return records about one package: with each text in every field, but not in the name of the package."""
    records = []
    for number, text in enumerate(HARMFUL, 1):
        name, sudo = f"CVE-2024-{10000 + number}", FixedPackage("sudo", "1.9.14-1")
        odd = harmful_record(text, Vulnerability(name, "debian-12", (sudo,), aliases=(f"DSA-{number}",)))
        packages = [evolve(odd.fixed_in[0], name="sudo"), evolve(odd.fixed_in[0], name="sudo", version="1.9.14-1")]
        records.append(evolve(odd, platform="debian-12", followed=(), fixed_in=(sudo,)))
        records.append(
            evolve(odd, name=f"TEMP-{number}{text}", platform="debian-12", followed=(), fixed_in=tuple(packages))
        )
    return records


def test_nothing_is_obeyed(tmp_path: Path) -> None:
    """Commands in every format, the logs of the daemons, and the answers of server and reporter have escapes only."""
    listed = tmp_path / "list.ndjson"
    listed.write_text("".join(json.dumps(to_wire(record)) + "\n" for record in harmful_list()))
    server = Daemon("patches-server", tmp_path / "server", "--list", str(listed)).start()
    reporter = Daemon("patches-reporter", tmp_path / "reporter").start()
    root = write_host(tmp_path / "host", "debian", "12", {"sudo": "1.9.13p3-1", "curl": "7.88.1"})
    host = ["--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(root)]
    shown: dict[str, bytes] = {}
    try:
        server.wait_until_ready(20)
        for form in FORMATS:
            words = ["--format", form, "--state-dir", str(tmp_path / "scanner"), "--verbose"]
            words += ["--reporter", f"http://{URL_HOST}:{reporter.port}"] if form == "json" else []
            ran = subprocess.run([PATCHES, "scan", *host, *words], capture_output=True, timeout=60)
            shown[form] = ran.stdout + ran.stderr
        assert len(json.loads(shown["json"])["findings"]) >= len(HARMFUL), shown["json"]
        for name in ("CVE-2024-10001", "TEMP-1\\x1b[2J", "DSA-1\\x1b[2J", "CVE-\x1b[2J\u202e"):
            ran = subprocess.run([PATCHES, "explain", *host, name], capture_output=True, timeout=60)
            shown[f"explain {name}"] = ran.stdout + ran.stderr
            words = ["--state-dir", str(tmp_path / "server"), name]
            ran = subprocess.run([PATCHES, "catalogue", "show", *words], capture_output=True, timeout=60)
            shown[f"show {name}"] = ran.stdout + ran.stderr
        assert b"CVE-2024-10001 " in shown["explain CVE-2024-10001"], shown["explain CVE-2024-10001"]
        assert b"has no record" not in shown["explain DSA-1\\x1b[2J"]
        for daemon, path in ((server, "/v1/platforms"), (server, "/ready"), (reporter, "/v1/hosts")):
            shown[path] = json.dumps(daemon.ask(path), ensure_ascii=False).replace("\\", "").encode()
        (state,) = reporter.ask("/v1/hosts")[1]["hosts"]
        assert sum(state["findings"].values()) >= len(HARMFUL), reporter.text()
        shown["logs"] = (server.text() + reporter.text()).encode()
    finally:
        server.stop()
        reporter.stop()
    for name, output in shown.items():
        text = output.decode("utf-8")
        assert not {char for char in text if not char.isprintable() and char not in "\n\t"}, (name, text)
