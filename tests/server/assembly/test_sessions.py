"""Tests for :mod:`patches.server.assembly.sessions`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from patches.server.assembly.sessions import create_sessions
from patches.server.errors import Denied, SessionExpired
from patches.server.first_scanner.slice_sessions import SliceLimits
from patches.server.options import SessionSettings
from patches.settings import BadSetting
from tests.server.assembly.parts_case import PartsCase
from tests.server.fake_catalogue import lines, vulnerabilities


class SessionsTests(PartsCase):
    """The sessions of a server."""

    def test_reads(self) -> None:
        """A session reads the chunks of the catalogue."""
        listed = lines(vulnerabilities(3))
        snapshot = self.storage.catalogue.publish("debian-12", listed, {}, 0.0)
        service = create_sessions(SessionSettings(), self.shared, self.storage.catalogue).service
        session = service.open(snapshot)
        chunk = self.successResultOf(service.read(session.token, 0))
        self.assertEqual(chunk.encoded, self.storage.catalogue.chunk(snapshot.revision, 0).encoded)

    def test_expires(self) -> None:
        """Silent sessions are expired by the service that runs beside them."""
        snapshot = self.storage.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 0.0)
        settings = SessionSettings(session_timeout=timedelta(seconds=5))
        sessions = create_sessions(settings, self.shared, self.storage.catalogue)
        token = sessions.service.open(snapshot).token
        sessions.expiring.startService()
        self.addCleanup(sessions.expiring.stopService)
        self.shared.reactor.pump([1.0] * 4)
        sessions.service.sessions.get(token)
        self.shared.reactor.pump([1.0] * 4)
        self.assertRaises(SessionExpired, sessions.service.sessions.get, token)

    def test_first_scanner(self) -> None:
        """The sessions of first scanners expire by the same service, protect their lists, and end with the others."""
        snapshot = self.storage.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 0.0)
        settings = SessionSettings(max_active=2, session_timeout=timedelta(seconds=5))
        sessions = create_sessions(settings, self.shared, self.storage.catalogue)
        self.assertEqual(sessions.first_scanner.sessions.limits, SliceLimits(2, 0.01, 900.0, 5.0))
        token = sessions.first_scanner.open(snapshot, "")
        self.assertEqual(sessions.revisions_in_use(), {snapshot.revision})
        sessions.expiring.startService()
        self.addCleanup(sessions.expiring.stopService)
        self.shared.reactor.pump([1.0] * 900)
        self.assertIn(token, sessions.first_scanner.sessions)
        self.shared.reactor.pump([1.0] * 2)
        self.assertEqual((sessions.revisions_in_use(), len(sessions.first_scanner.sessions)), (set(), 0))
        sessions.stop()
        self.assertRaises(Denied, sessions.first_scanner.open, snapshot, "")
        self.assertRaises(Denied, sessions.service.open, snapshot)

    def test_key(self) -> None:
        """The key is created in the state folder; a given one is read, and never replaced."""
        made = create_sessions(SessionSettings(), self.shared, self.storage.catalogue).key
        self.assertEqual((self.shared.folder / "session.key").stat().st_mode & 0o777, 0o600)
        path = Path(self.mktemp())
        path.write_bytes(b"short")
        settings = SessionSettings(session_key_file=path)
        with self.assertRaisesRegex(BadSetting, f"^--session-key-file {path}: [^\n]+$"):
            create_sessions(settings, self.shared, self.storage.catalogue)
        self.assertEqual(path.read_bytes(), b"short")
        again = SessionSettings(session_key_file=self.shared.folder / "session.key")
        same = create_sessions(again, self.shared, self.storage.catalogue).key
        self.assertEqual(same.read(made.create("debian-12", "r")), ("debian-12", "r"))
