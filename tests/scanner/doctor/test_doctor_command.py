"""Tests for :mod:`patches.scanner.doctor.doctor_command`: real commands."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.exit_codes import CLEAN, FINDINGS
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class DoctorTests(SynchronousTestCase):
    """``patches doctor``."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.host = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"})

    def run_patches(self, *words: str, code: int, **environment: str) -> str:
        """Run a command on the host. Return what it printed."""
        places = ["--root", str(self.host), "--cache", str(self.folder / "cache")]
        places += ["--state-dir", str(self.folder / "state")]
        ran = subprocess.run(
            [str(PATCHES), *words, *places],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "HOME": str(self.folder), **environment},
        )
        self.assertEqual((ran.returncode, ran.stderr), (code, ""), ran)
        return ran.stdout

    def states(self, *options: str, code: int, **environment: str) -> dict[str, Any]:
        """Return the document's checks, by their names."""
        text = self.run_patches("doctor", "--format", "json", *options, code=code, **environment)
        return {each["name"]: each for each in json.loads(text)["checks"]}

    def test_daemons(self) -> None:
        """A server, a reporter, and a report that was accepted: nothing is wrong."""
        path = write_list(self.folder / "list.ndjson", 10)
        server = Daemon("patches-server", self.folder / "server", "--list", str(path)).start()
        reporter = Daemon("patches-reporter", self.folder / "reporter").start()
        for daemon in (server, reporter):
            self.addCleanup(daemon.stop)
        server.wait_until_ready()
        options = [
            "--patches-server",
            f"http://127.0.0.1:{server.port}",
            "--reporter",
            f"http://127.0.0.1:{reporter.port}/",
        ]
        self.run_patches("scan", "--quiet", *options, code=CLEAN)
        found = self.states(*options, code=CLEAN)
        self.assertEqual([each for each in found.values() if each["state"] != "ok"], [])
        self.assertIn("accepted is number 1,", found["outbox"]["text"])
        lines = self.run_patches("doctor", *options, code=CLEAN).splitlines()
        self.assertEqual({line.partition(" ")[0] for line in lines}, {"ok"})

    def test_broken(self) -> None:
        """Everything broken at once: no traceback, and an end in time though the server never answers."""
        (self.folder / "scanner.toml").write_text("max-age = 7 days\n")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            began = time.monotonic()
            options = ["--config", str(self.folder / "scanner.toml"), "--patches-server", url, "--timeout", "1s"]
            found = self.states(*options, "--ca", "absent", code=FINDINGS, PATCHES_ODD="1")
            self.assertLess(time.monotonic() - began, 10)
        self.assertEqual({found[name]["state"] for name in ("configuration", "access", "network")}, {"problem"})
        self.assertIn("not TOML", found["configuration"]["text"])
