"""Tests for :mod:`patches.scanner.service`: the daemon's parts, and its connections, on a reactor in memory."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.error import ConnectionRefusedError
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.network import NetworkService
from patches.scanner.list_watch import ListWatch
from patches.scanner.options import ScannerSettings
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.reporting.outbox import Outbox
from patches.scanner.schedule import ScanSchedule
from patches.scanner.service import _store_report, create_scanner
from patches.service.log.trouble_log import TroubleLog
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting, resolve
from patches.signing import create_keys
from tests.integration.sample_host import write_host
from tests.sources.memory_reactor import ResolvingReactor


class ServiceTests(SynchronousTestCase):
    """The scanner of a host with one package."""

    def full_disk(self, make: object) -> None:
        """Fail as the outbox does on a full disk."""
        raise OSError(errno.ENOSPC, "No space left on device")

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"bash": "5"})
        self.state = Path(self.mktemp())

    def create(self, **given: str) -> MultiService:
        """Create the service tree."""
        options = {name.replace("_", "-"): text for name, text in given.items()}
        texts = {
            "root": str(self.root),
            "state-dir": str(self.state),
            "patches-server": "http://server.test",
            "jitter": "1ms",
            **options,
        }
        return create_scanner(self.reactor, resolve(ScannerSettings, texts))

    def start(self, service: MultiService) -> None:
        """Start a service; stop it at the end of the test."""
        service.privilegedStartService()
        service.startService()
        self.addCleanup(service.stopService)

    def kinds(self, service: MultiService) -> list[type[IService]]:
        """Return the types of the parts."""
        return [type(part) for part in service]

    def test_parts(self) -> None:
        """There are parts for scans, changed packages and networks, and one for reports if they are sent."""
        self.assertEqual(self.kinds(self.create()), [ScanSchedule, ListWatch, PeriodicService, NetworkService])
        unwatched = self.create(check_frequency="never")
        self.assertEqual(self.kinds(unwatched), [ScanSchedule, PeriodicService, NetworkService])
        reporting = self.create(reporter="http://reporter.test/v1/reports")
        parts = [PeriodicService, ScanSchedule, ListWatch, PeriodicService, NetworkService]
        self.assertEqual(self.kinds(reporting), parts)

    def test_outbox(self) -> None:
        """The state folder is created if there is a reporter."""
        self.create(reporter="http://reporter.test/v1/reports")
        self.assertTrue(self.state.is_dir())

    def test_held(self) -> None:
        """Two scanners do not share a state folder."""
        for given in ({"reporter": "http://reporter.test/v1/reports"}, {"verify_key": str(self.key())}):
            self.state = Path(self.mktemp())
            self.create(**given)
            end = self.assertRaises(SystemExit, self.create, **given)
            self.assertIn("another process uses this folder", str(end.code))

    def key(self) -> Path:
        """Return the public key of a server."""
        return create_keys(Path(self.mktemp()))

    def test_report_fails(self) -> None:
        """A report that cannot be written is replaced by one that says so."""
        outbox = Outbox(self.state)
        odd: Any = Outcome("web-1", "debian-12", 1.0, 2.0, Verdict.CLEAN, problem={1, 2})  # type: ignore[arg-type]
        self.assertFalse(_store_report(outbox, odd, TroubleLog("not stored", "stored")))
        self.patch(outbox, "put", self.full_disk)
        self.assertFalse(_store_report(outbox, odd, TroubleLog("not stored", "stored")))
        (path,) = outbox.pending()
        scan = json.loads(path.read_bytes())["scan"]
        self.assertEqual((scan["verdict"], scan["complete"]), ("error", False))
        self.assertIn("the report cannot be written: TypeError", scan["problem"])
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_idle(self) -> None:
        """The daemon opens no connection before it starts."""
        self.create(reporter="http://reporter.test/v1/reports")
        self.assertEqual(self.reactor.connections(), [])

    def test_scans(self) -> None:
        """A scan starts with the daemon, and asks the server for the list of the host's platform."""
        self.start(self.create())
        self.assertEqual(self.reactor.connections(), [("server.test", 80)])
        _, transport = self.reactor.accept()
        self.assertTrue(transport.value().startswith(b"POST /v1/sessions HTTP/1.1\r\n"), transport.value())
        self.assertIn(b"\r\nContent-Length: %d\r\n" % len(b'{"platform":"debian-12"}'), transport.value())

    def test_changes(self) -> None:
        """A release upgrade, or a new name, is followed by a scan as changed packages are."""
        asked: list[object] = []
        self.patch(ScanSchedule, "request_scan", lambda schedule: asked.append(schedule))
        self.start(self.create(settle="10s"))
        self.reactor.pump([10.0] * 4)
        self.assertEqual(asked, [])
        (self.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="13"\n')
        self.reactor.pump([10.0] * 3)
        self.assertEqual(len(asked), 1)

    def test_ignore_file(self) -> None:
        """Changed decisions are followed by a scan, once; a broken file by one line, and the decisions stay."""
        asked: list[object] = []
        self.patch(ScanSchedule, "request_scan", lambda schedule: asked.append(schedule))
        self.patch(ScanSchedule, "startService", lambda schedule: None)  # each scan reads a changed file, too
        path = Path(self.mktemp())
        path.write_text("")
        service = self.create(settle="10s", ignore=str(path))
        self.start(service)
        path.write_text('[[ignore]]\npackage = "bash"\nreason = "kept"\nexpires = 2090-01-01\n')
        self.reactor.pump([10.0] * 4)
        self.assertEqual(len(asked), 1)
        with capturedLogs() as logs:
            path.write_text("broken")
            self.reactor.pump([10.0] * 6)
        said = [event for event in logs if "The ignore file cannot be used" in str(event.get("trouble"))]
        self.assertEqual((len(said), len(asked)), (1, 1))
        inputs = service._inputs  # type: ignore[attr-defined]
        self.assertEqual(len(inputs.policy.ignores.decisions), 1)
        path.write_text("# the same decisions are none\n")
        self.reactor.pump([10.0] * 4)
        self.assertEqual((len(asked), inputs.policy.ignores.decisions), (2, ()))
        path.write_text("# still none\n")
        self.reactor.pump([10.0] * 4)
        self.assertEqual(len(asked), 2)

    def test_ignore_file_before_scan(self) -> None:
        """Each scan has the decisions that are in the file when it begins."""
        path = Path(self.mktemp())
        path.write_text("")
        service = self.create(ignore=str(path))
        path.write_text('[[ignore]]\npackage = "bash"\nreason = "kept"\nexpires = 2090-01-01\n')
        self.start(service)
        self.assertEqual(len(service._inputs.policy.ignores.decisions), 1)  # type: ignore[attr-defined]

    def test_reports_wait(self) -> None:
        """Without a pending report the reporter is not connected."""
        self.start(self.create(reporter="http://reporter.test/v1/reports"))
        self.reactor.pump([1.0] * 3)
        self.assertNotIn(("reporter.test", 80), self.reactor.connections())

    def test_stops(self) -> None:
        """A daemon that waits to retry, as its server is unreachable, stops at once and leaves no timer."""
        service = self.create()
        service.startService()
        factory = self.reactor.tcpClients[0][2]
        factory.clientConnectionFailed(self.reactor.connectors[0], Failure(ConnectionRefusedError()))
        self.reactor.advance(0.4)
        stopping: Any = service.stopService()
        self.successResultOf(stopping)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stops_while_waiting(self) -> None:
        """A daemon that waits for the answer of its server stops at once: the cut request is not tried again."""
        service = self.create()
        service.privilegedStartService()
        service.startService()
        self.reactor.accept()
        stopping: Any = service.stopService()
        self.successResultOf(stopping)
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_unusable(self) -> None:
        """An option that cannot be used is an error when the daemon is created."""
        Path("bad.toml").write_text("[[ignore]]\ncve = 'CVE-1'\n")
        for option, path in (("ignore", "bad.toml"), ("ignore", "absent.toml"), ("verify_key", "absent.pem")):
            said = str(self.assertRaises(BadSetting, self.create, **{option: path}))
            self.assertTrue(said.startswith(f"--{option.replace('_', '-')} "), said)
        (self.root / "etc/os-release").unlink()
        self.assertRaises(UnknownPlatform, self.create)
