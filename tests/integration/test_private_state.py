"""Whole daemons in a state folder that others could read, with the usual umask: nothing in it is for others."""

from __future__ import annotations

import json
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import processes
from tests.integration.daemons import SCANNER, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class PrivateStateTests(SynchronousTestCase):
    """A server, a scanner and a reporter."""

    def setUp(self) -> None:
        self.addCleanup(os.umask, os.umask(0o022))
        self.base = Path(self.mktemp()).absolute()
        self.base.mkdir()

    def folder(self, name: str) -> Path:
        """Create a state folder with a mode that is too wide."""
        path = self.base / name
        path.mkdir(mode=0o755)
        return path

    def assertPrivate(self, folder: Path) -> None:
        """Check every file and folder; the log belongs to the test."""
        wide = {
            str(path.relative_to(folder)): oct(path.stat().st_mode)
            for path in [folder, *folder.rglob("*")]
            if path.stat().st_mode & 0o077 and path.suffix != ".log"
        }
        self.assertEqual(wide, {})

    def test_daemons(self) -> None:
        """All files that they write are private, and so is the folder; the log says that it was wider."""
        feed = write_list(self.base / "list.ndjson", 50)
        server = Daemon("patches-server", self.folder("server"), "--list", str(feed)).start()
        self.addCleanup(server.stop)
        server.wait_until_ready()
        reporter = Daemon("patches-reporter", self.folder("reporter")).start()
        self.addCleanup(reporter.stop)
        root = write_host(self.base / "host", "debian", "12", {f"package-{n}": "0" for n in range(9)})
        state, cache = self.folder("scanner"), self.folder("cache")
        command = [*SCANNER, "--state-dir", state, "--cache", cache]
        command += ["--root", root, "--patches-server", f"http://{URL_HOST}:{server.port}"]
        command += ["--reporter", f"http://{URL_HOST}:{reporter.port}/v1/reports"]
        with (self.base / "scanner.log").open("wb") as log:
            scanner = processes.start(command, stdout=log, stderr=log)
        self.addCleanup(processes.end, scanner)
        wait_for(lambda: reporter.ask("/v1/hosts")[1].get("hosts"), 60)
        self.assertTrue(list(cache.glob("*.chunks")), json.dumps([str(each) for each in cache.iterdir()]))
        for folder in (server.log.parent, reporter.log.parent, state):
            self.assertPrivate(folder)
        for path in cache.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.assertIn("had mode 755: now only its owner can use it", server.text())
