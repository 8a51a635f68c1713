"""``patches catalogue`` while a server uses the same catalogue."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from tests.integration.daemons import PATCHES, Daemon, wait_for
from tests.integration.sample_lists import write_list
from tests.server.fake_catalogue import lines, vulnerabilities


def catalogue(folder: Path, *words: str) -> str:
    """Run a command on a state folder. Return its output."""
    command = [str(PATCHES), "catalogue", *words, "--state-dir", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def served(server: Daemon) -> dict[str, Any]:
    """Return the platforms that a server serves."""
    return {each["platform"]: each for each in server.ask("/v1/platforms")[1]["platforms"]}


def test_beside_a_server(tmp_path: Path) -> None:
    """A running server loads imported snapshots by itself; importing them again only updates when they were checked."""
    (outside := tmp_path / "outside").mkdir()
    made = Catalogue(open_database(outside / "catalogue.sqlite"))
    path = write_list(tmp_path / "list.ndjson", 20)
    server = Daemon("patches-server", tmp_path / "inside", "--list", str(path)).start()
    try:
        wait_for(lambda: server.ask("/ready")[0] == 200, 30)
        for checked in (1000.0, 2000.0):
            snapshot = made.publish("alpine-3.20", lines(vulnerabilities(30, "alpine-3.20")), {}, checked)
            catalogue(outside, "export", str(tmp_path / "bundle"))
            catalogue(tmp_path / "inside", "import", str(tmp_path / "bundle"))
            seen = "1970-01-01T00:16:40Z" if checked == 1000.0 else "1970-01-01T00:33:20Z"
            wait_for(lambda seen=seen: served(server).get("alpine-3.20", {}).get("checked") == seen, 30)
            assert served(server)["alpine-3.20"]["revision"] == snapshot.revision
        listed = json.loads(catalogue(tmp_path / "inside", "list", "--format", "json"))["snapshots"]
        assert len(listed) == 2
        assert catalogue(tmp_path / "inside", "check").endswith("2 snapshots checked, 0 problems\n")
    finally:
        made.close()
        server.stop()
