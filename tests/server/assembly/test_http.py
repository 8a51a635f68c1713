"""Tests for :mod:`patches.server.assembly.http`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import globalLogPublisher

from patches.server.assembly.http import create_http
from patches.server.assembly.memory import create_governor
from patches.server.assembly.refresh import create_refresh
from patches.server.assembly.sessions import create_sessions
from patches.server.configured_sources import ConfiguredSources
from patches.server.options import HttpSettings, RefreshSettings, SessionSettings
from patches.server.refresh.schedule import NoPublicSources
from patches.service.daemon import ListeningService
from patches.settings import BadSetting
from patches.signing import VerifyKey, create_keys, manifest_bytes
from patches.sources.fetch.cache import FileCache
from patches.sources.worker.workers import Workers
from tests.server.assembly.parts_case import PartsCase
from tests.server.fake_catalogue import lines, vulnerabilities


class HttpTests(PartsCase):
    """The API of a server."""

    def create(self, settings: HttpSettings) -> ListeningService:
        """Create the API of a server with one list."""
        snapshot = self.storage.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 0.0)
        sessions = create_sessions(SessionSettings(), self.shared, self.storage.catalogue)
        self.token = sessions.service.open(snapshot).token
        sources = ConfiguredSources(
            (), NoPublicSources(), {}, lambda: None, Workers(self.shared.reactor, 0), FileCache(Path())
        )
        refresh = create_refresh(RefreshSettings(), self.shared, self.storage, sources, set)
        self.successResultOf(ensureDeferred(refresh.refresher.load_current()))
        governor = create_governor(1 << 28, self.shared, sources.workers.pids)
        self.http = create_http(settings, governor, self.shared, self.storage, sessions, refresh)
        return self.http.listening

    def start(self, settings: HttpSettings) -> ListeningService:
        """Create the API, and listen."""
        listening = self.create(settings)
        listening.privilegedStartService()
        listening.startService()
        return listening

    def ask(self, path: str) -> bytes:
        """Send a request to the port. Return the response."""
        ((_, site, _, _),) = self.shared.reactor.tcpServers
        protocol, transport = site.buildProtocol(None), StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: server\r\n\r\n".encode())
        return transport.value()

    def platform(self) -> dict[str, Any]:
        """Return what the API tells of the list's platform."""
        body = self.ask("/v1/platforms").partition(b"\r\n\r\n")[2]
        (platform,) = json.loads(body)["platforms"]
        return dict(platform)

    def test_serves(self) -> None:
        """The API is served at the endpoint: lists, the chunks of sessions, and the memory limit in the metrics."""
        self.start(HttpSettings(listen="tcp:8123:interface=127.0.0.1"))
        self.assertEqual(self.shared.reactor.tcpServers[0][0], 8123)
        platform = self.platform()
        self.assertEqual(platform["platform"], "debian-12")
        self.assertNotIn("signature", platform)
        chunk = self.ask(f"/v1/sessions/{self.token}/chunks/0")
        self.assertTrue(chunk.startswith(b"HTTP/1.1 200 OK\r\n"), chunk[:80])
        self.assertIn(b"\npatches_memory_limit_bytes 2.68435456e+08\n", self.ask("/metrics"))

    def test_signs(self) -> None:
        """With a signing key the description of a list is signed; a file that is no key is refused."""
        path = Path(self.mktemp())
        with self.assertRaisesRegex(BadSetting, f"^--signing-key {path}: [^\n]+$"):
            self.create(HttpSettings(signing_key=path))
        create_keys(path)
        self.start(HttpSettings(signing_key=path))
        self.assertIn("signature", self.platform())

    def test_new_key(self) -> None:
        """The key is read again; one that cannot be used changes nothing, and signing neither begins nor ends by it."""
        path, other = Path(self.mktemp()), Path(self.mktemp())
        create_keys(path)
        verify_key = VerifyKey.from_file(create_keys(other))
        self.start(HttpSettings(signing_key=path))
        before = self.platform()
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.http.reload(HttpSettings(signing_key=other))
        platform = self.platform()
        verify_key.verify(manifest_bytes("debian-12", platform), platform["signature"])
        self.assertNotEqual(platform["signature"], before["signature"])
        other.chmod(0o644)
        with self.assertRaisesRegex(BadSetting, "others may read this private key"):
            self.http.reload(HttpSettings(signing_key=other))
        self.assertEqual(len(observer), 0)
        self.http.reload(HttpSettings())
        self.assertEqual(self.platform()["signature"], platform["signature"])
        self.assertEqual([event["log_level"].name for event in observer], ["error"])

    def test_no_key(self) -> None:
        """A server that does not sign does not begin to."""
        path = Path(self.mktemp())
        create_keys(path)
        self.start(HttpSettings())
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.http.reload(HttpSettings())
        self.assertEqual(len(observer), 0)
        self.http.reload(HttpSettings(signing_key=path))
        self.assertNotIn("signature", self.platform())
        self.assertEqual(len(observer), 1)

    def test_stops(self) -> None:
        """On stop, sessions end."""
        listening = self.start(HttpSettings())
        self.successResultOf(maybeDeferred(listening.stopService))
        self.assertIn(b" 503 ", self.ask(f"/v1/sessions/{self.token}/chunks/0").split(b"\r\n")[0])
