"""Tests for :mod:`patches.scanner.query_commands`: what the commands print, and their exit codes."""

from __future__ import annotations

import json
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner import query_commands
from patches.scanner.options import DEFAULT_SERVER, ExplainSettings, InventorySettings
from patches.scanner.output.exit_codes import CLEAN, ERROR, FINDINGS, INCOMPLETE, UNSUPPORTED
from patches.service import one_shot
from patches.service.one_shot import Work
from patches.settings import BadSetting, resolve
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import CannedHTTP, chunk, end, error, session

BODY = b"".join(
    encode_line(Vulnerability(name, "debian-12", (FixedPackage("bash", version),)))
    for name, version in (("CVE-1", "9"), ("CVE-2", "1"), ("CVE-3", "not valid"))
)


class CommandCase(SynchronousTestCase):
    """A host with one package."""

    def setUp(self) -> None:
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"bash": "5"})
        self.patch(os, "environ", {**os.environ, "COLUMNS": "200"})
        self.out, self.err = StringIO(), StringIO()

    def run_command(self, command: Any, declared: type[Any], *arguments: Any, **given: str) -> int:
        """Run a command. Return its exit code."""
        self.out, self.err = StringIO(), StringIO()
        texts = {
            "root": str(self.root),
            "host": "web-1",
            **{key.replace("_", "-"): text for key, text in given.items()},
        }
        with redirect_stdout(self.out), redirect_stderr(self.err):
            code: int = command(resolve(declared, texts), *arguments)
        return code

    def failed(self) -> str:
        """Return the error, which is a single line, and the only thing that was printed."""
        self.assertEqual(self.out.getvalue(), "")
        text = self.err.getvalue()
        self.assertTrue(text.startswith("Error: "), text)
        self.assertEqual(text.count("\n"), 1, text)
        return text


class InventoryTests(CommandCase):
    """``patches inventory``."""

    def inventory(self, **given: str) -> int:
        """Run the command."""
        return self.run_command(query_commands.run_inventory, InventorySettings, **given)

    def test_table(self) -> None:
        """The packages are shown in a table, with their number and the platform below."""
        self.assertEqual(self.inventory(), 0)
        self.assertIn("bash", self.out.getvalue())
        self.assertIn("debian-12: 1 package", self.out.getvalue())

    def test_json(self) -> None:
        """The JSON contains the packages and the platform; a given platform takes precedence."""
        self.assertEqual(self.inventory(format="json", platform="debian-13"), 0)
        document = json.loads(self.out.getvalue())
        self.assertEqual(document["platform"], "debian-13")
        self.assertEqual([each["name"] for each in document["packages"]], ["bash"])

    def test_unknown_platform(self) -> None:
        """A host whose platform cannot be detected is unsupported."""
        (self.root / "etc/os-release").unlink()
        self.assertEqual(self.inventory(format="json"), UNSUPPORTED)
        self.assertIn("unknown platform", self.failed())

    def test_damaged(self) -> None:
        """A database of packages that cannot be read is an error."""
        (self.root / "var/lib/dpkg/status").unlink()
        self.assertEqual(self.inventory(), ERROR)
        self.failed()


class ExplainTests(CommandCase):
    """``patches explain``, with a server of scripted responses."""

    def setUp(self) -> None:
        super().setUp()
        self.http = CannedHTTP(session(), chunk(BODY), end(BODY))
        self.patch(query_commands, "http_client", lambda reactor, routes: self.http)
        self.patch(one_shot, "run", self.run_work)

    def run_work(self, work: Work) -> int:
        """Run the work on a clock, as long as its longest pauses."""
        clock = Clock()
        working = Deferred.fromCoroutine(work(clock))
        clock.pump([0.5] * 20)
        return self.successResultOf(working)

    def explain(self, name: str, package: str | None = None, **given: str) -> int:
        """Run the command."""
        server = {} if "standalone" in given else {"patches_server": DEFAULT_SERVER}
        return self.run_command(query_commands.run_explain, ExplainSettings, name, package, **{**server, **given})

    def test_codes(self) -> None:
        """The exit code says whether the host is affected."""
        for name, code, conclusion in (
            ("CVE-1", FINDINGS, ": affected"),
            ("CVE-2", CLEAN, ": not affected"),
            ("CVE-3", INCOMPLETE, ": not evaluated"),
            ("CVE-4", INCOMPLETE, "no record of CVE-4"),
        ):
            self.http = CannedHTTP(session(), chunk(BODY), end(BODY))
            self.assertEqual(self.explain(name), code, name)
            self.assertIn(conclusion, self.out.getvalue())
            self.assertIn("web-1 (debian-12)", self.out.getvalue())

    def test_json(self) -> None:
        """The JSON is the explanation, limited to the given package."""
        self.assertEqual(self.explain("CVE-1", "zsh", format="json"), CLEAN)
        document = json.loads(self.out.getvalue())
        self.assertEqual((document["flaw"], document["package"], document["affected"]), ("CVE-1", "zsh", False))

    def test_server(self) -> None:
        """The list of the host's platform is read from the given server."""
        self.explain("CVE-1", patches_server="https://server.test/")
        self.assertEqual(self.http.asked[0].url, "https://server.test/v1/sessions")
        self.assertEqual(self.http.asked[0].document, {"platform": "debian-12"})

    def test_not_whole(self) -> None:
        """A list that is not received whole explains nothing; an unknown platform is unsupported."""
        self.http = CannedHTTP(error(404, "unknown-platform"))
        self.assertEqual(self.explain("CVE-1"), UNSUPPORTED)
        self.failed()
        self.http = CannedHTTP(session(), chunk(BODY), end(BODY, vulnerabilities=9))
        self.assertEqual(self.explain("CVE-1", format="json"), INCOMPLETE)
        self.failed()

    def test_host_first(self) -> None:
        """If the host cannot be read, no request is sent."""
        (self.root / "var/lib/dpkg/status").unlink()
        self.assertEqual(self.explain("CVE-1"), ERROR)
        self.failed()
        (self.root / "etc/os-release").unlink()
        self.assertEqual(self.explain("CVE-1"), UNSUPPORTED)
        self.assertEqual(self.http.asked, [])

    def test_bad_key(self) -> None:
        """A key that cannot be read is wrong usage, before anything else."""
        with self.assertRaises(BadSetting):
            self.explain("CVE-1", verify_key="absent.pem", state_dir=self.mktemp())
        self.assertEqual(self.http.asked, [])
