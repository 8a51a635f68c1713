"""Tests for :mod:`patches.scanner.host_scan`: a host that changes between scans and within one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.host_scan import HostScan
from patches.scanner.options import HostSettings
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.scan import Policy
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import Asked, Canned, CannedHTTP, chunk, end, session
from tests.scanner.test_scan import LIST

NOW = 1_700_000_000.0


class HostScanTests(SynchronousTestCase):
    """A daemon's scans of one host."""

    def setUp(self) -> None:
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"sudo": "1.9-1", "bash": "5.1-9"})
        self.host = HostScan(HostSettings(root=self.root), wall=lambda: NOW)
        self.http = CannedHTTP()

    def upgrade(self, version: str) -> None:
        """Change the release of the host."""
        (self.root / "etc/os-release").write_text(f'ID=debian\nVERSION_ID="{version}"\n')

    def scan(self, *meanwhile: Callable[[], None]) -> Outcome:
        """Scan the host; so many times the list is read, while something happens."""
        answers: list[Any] = []
        for happens in meanwhile or (lambda: None,):

            def opened(asked: Asked, happens: Callable[[], None] = happens) -> Canned:
                body = LIST.replace(b"debian-12", asked.document["platform"].encode())
                self.http.answers[:2] = [chunk(body), end(body)]
                happens()
                return session()

            answers += [opened, None, None]
        self.http.answers = answers
        client = PatchesClient(
            self.http, "http://server", Clock(), ClientSettings(contact=timedelta(0)), lambda: 0.0, wall=lambda: NOW
        )
        return self.successResultOf(ensureDeferred(self.host.run(client, Policy())))

    def asked(self) -> list[str]:
        """Return the platforms whose lists were asked for."""
        return [each.document["platform"] for each in self.http.asked if each.url.endswith("/v1/sessions")]

    def test_upgraded(self) -> None:
        """Each scan takes the list of the release that the host has then."""
        self.scan()
        self.upgrade("13")
        outcome = self.scan()
        self.assertEqual((outcome.platform, self.asked()), ("debian-13", ["debian-12", "debian-13"]))

    def test_upgraded_meanwhile(self) -> None:
        """A host that is upgraded during a scan is scanned again at once."""
        outcome = self.scan(lambda: self.upgrade("13"), lambda: None)
        self.assertEqual((outcome.verdict, outcome.platform), (Verdict.FINDINGS, "debian-13"))
        self.assertEqual(self.asked(), ["debian-12", "debian-13"])

    def test_never_rests(self) -> None:
        """A host that changes in every scan is not judged."""
        outcome = self.scan(*(lambda version=version: self.upgrade(version) for version in ("13", "12", "13")))
        self.assertEqual(outcome.verdict, Verdict.INCOMPLETE)
        self.assertRegex(str(outcome.problem), "^the host changed while it was scanned: .*-12, and is .*debian-13$")

    def test_renamed(self) -> None:
        """A host that is renamed is reported under its new name; one that was given a name keeps it."""
        self.patch(socket, "gethostname", lambda: "old")
        outcome = self.scan(lambda: self.patch(socket, "gethostname", lambda: "new"), lambda: None)
        self.assertEqual(outcome.host, "new")
        self.host = HostScan(HostSettings(root=self.root, name="web-1"))
        self.assertEqual(self.scan().host, "web-1")

    def test_tracks(self) -> None:
        """A subscription that begins during a scan changes what the host is compared with."""
        self.root = write_host(Path(self.mktemp()), "ubuntu", "22.04", {"sudo": "1.9-1"})
        self.host = HostScan(HostSettings(root=self.root))
        sources = self.root / "etc/apt/sources.list"
        sources.parent.mkdir(parents=True, exist_ok=True)
        line = "deb https://esm.ubuntu.com/infra/ubuntu jammy-infra-security main\n"
        outcome = self.scan(lambda: [sources.write_text(line)].clear(), lambda: None)
        self.assertEqual((outcome.coverage.tracks, len(self.asked())), ({"esm"}, 2))

    def test_unknown(self) -> None:
        """A host whose platform can no longer be told is said to be so, under the platform that it had."""
        self.scan()
        (self.root / "etc/os-release").unlink()
        outcome = self.scan()
        self.assertEqual((outcome.verdict, outcome.platform), (Verdict.UNSUPPORTED, "debian-12"))
        self.assertIn("unknown platform", str(outcome.problem))

    def test_fails(self) -> None:
        """Whatever fails is an outcome."""
        self.host = HostScan(HostSettings(root=self.root, name="web-1"))
        self.patch(HostScan, "facts", lambda self: 1 / 0)
        outcome = self.scan()
        self.assertEqual((outcome.verdict, outcome.host), (Verdict.ERROR, "web-1"))
        self.assertIn("ZeroDivisionError", str(outcome.problem))
