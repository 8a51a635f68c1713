"""Tests for :mod:`patches.scanner.lists.commands`: real commands, with lists of their own and a server on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.exit_codes import CLEAN, FINDINGS, INCOMPLETE, UNSUPPORTED, USAGE
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class CommandsTests(SynchronousTestCase):
    """``patches list`` with a host of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.cache = self.folder / "cache"
        self.host = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"})
        self.list = write_list(self.folder / "list.ndjson", 300)
        self.environment = {**os.environ, "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "xdg")}

    def ran(self, *words: str, code: int = CLEAN) -> tuple[str, str]:
        """Run a command on the folder. Return what it printed, and what it said besides."""
        ran = subprocess.run(
            [str(PATCHES), *words, "--cache", str(self.cache)],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment,
        )
        self.assertEqual(ran.returncode, code, ran)
        self.assertNotIn("Traceback", ran.stderr)
        return ran.stdout, ran.stderr

    def update(self, *options: str, code: int = CLEAN) -> str:
        """Bring the list of the host up to date. Return what was said."""
        return self.ran("list", "update", "--root", str(self.host), *options, code=code)[1]

    def test_without_server(self) -> None:
        """The list is read, kept, described and printed; a scan then needs nobody."""
        said = self.update("--list", str(self.list))
        self.assertIn("debian-12: 300 vulnerabilities from ndjson, checked ", said)
        listed = json.loads(self.ran("list", "status", "--format", "json")[0])["lists"]
        self.assertEqual(
            [(each["platform"], each["records"], each["state"]) for each in listed], [("debian-12", 300, "fresh")]
        )
        self.assertIn("debian-12  fresh", self.ran("list", "status")[0])
        shown, _ = self.ran("list", "show", "--platform", "debian-12")
        self.assertEqual(len([json.loads(line) for line in shown.splitlines()]), 300)
        named, _ = self.ran("list", "show", "--root", str(self.host), "package-1")
        self.assertEqual(
            {each["fixedInPackages"][0]["name"] for each in map(json.loads, named.splitlines())}, {"package-1"}
        )
        self.ran("list", "show", "--platform", "debian-12", "absent", code=FINDINGS)
        scanned, _ = self.ran("scan", "--root", str(self.host), "--offline", "--format", "json", code=FINDINGS)
        self.assertEqual(json.loads(scanned)["list"]["vulnerabilities"], 300)

    def test_accept(self) -> None:
        """A list that has shrunk is held back; the line that says so names the command that accepts it."""
        self.update("--list", str(self.list))
        write_list(self.list, 100)
        held = self.update("--list", str(self.list), code=INCOMPLETE)
        self.assertIn("held back: the new list has 100 vulnerabilities, 67% less", held)
        self.assertIn("; patches list update --accept accepts it", held)
        self.assertIn("100 vulnerabilities from ndjson", self.update("--list", str(self.list), "--accept"))
        again = self.update("--list", str(self.list), "--accept", code=USAGE)
        self.assertIn("--accept: no list of debian-12 is held back", again)

    def test_server(self) -> None:
        """A server that is named is asked; the list is then kept as it is there, and stays when the server is gone."""
        server = Daemon("patches-server", self.folder / "server", "--list", str(self.list)).start()
        self.addCleanup(server.kill)
        server.wait_until_ready()
        url = f"http://127.0.0.1:{server.port}"
        for _ in range(2):  # the second time it is unchanged
            self.assertIn(f"300 vulnerabilities from {url}", self.update("--patches-server", url))
        refused = self.update("--patches-server", url, "--accept", code=USAGE)
        self.assertIn("--accept and --patches-server exclude each other", refused)
        server.stop()
        away = self.update("--patches-server", url, "--patience", "1s", code=INCOMPLETE)
        self.assertIn("is the one that was kept before", away)
        self.assertIn("connection refused", away)

    def test_refused(self) -> None:
        """One line says why there is nothing: no list, no platform, a list that is damaged, a folder that is none."""
        self.assertIn("no list is kept in", self.ran("list", "status", code=INCOMPLETE)[0])
        self.assertIn("no list of debian-12", self.ran("list", "show", "--platform", "debian-12", code=INCOMPLETE)[1])
        self.ran("list", "show", "--root", str(self.folder), code=UNSUPPORTED)
        self.update("--list", str(self.list))
        next(self.cache.glob("*.chunks")).write_bytes(b"odd")
        self.assertIn("damaged", self.ran("list", "show", "--platform", "debian-12", code=INCOMPLETE)[1])
        self.assertIn("300 vulnerabilities", self.update("--list", str(self.list)))
        self.cache = self.list
        self.assertIn("cannot be kept", self.update("--list", str(self.list), code=5))
        self.ran("list", "status", code=INCOMPLETE)
