"""Tests for :mod:`patches.server.service` and its options: the parts are connected, or refused in one line."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.configured_sources import create_sources
from patches.server.errors import NotReady, UnknownPlatform
from patches.server.http.channel import ServerSite
from patches.server.options import Options
from patches.server.service import Server, create_server
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from tests.server.fake_catalogue import lines, vulnerabilities


class ServiceCase(SynchronousTestCase):
    """A case with a state folder and a file with a list."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.list = Path(self.mktemp()).absolute()
        self.list.write_bytes(b"".join(lines(vulnerabilities(3))))
        self.reactor: Any = MemoryReactorClock()

    def make(self, *more: str) -> Server:
        """Create a server of a list from its options."""
        options = Options()
        folder = ("--state-dir", str(self.folder), "--list", str(self.list), "--no-public-sources")
        options.parseOptions([*folder, *(() if "--memory-limit" in more else ("--memory-limit", "4GiB")), *more])
        return create_server(self.reactor, options.settings)

    def ending(self, *more: str) -> str:
        """Return the one line with which the program exits."""
        code = self.assertRaises(SystemExit, self.make, *more).code
        self.assertIsInstance(code, str)
        self.assertNotIn("\n", str(code))
        self.assertTrue(str(code).startswith("patches-server: "), code)
        return str(code)


class MakingTests(ServiceCase):
    """Servers that are created."""

    def test_listens(self) -> None:
        """A server listens at its endpoint, and does not open a connection before it starts."""
        server = self.make("--listen", "tcp:8123:interface=127.0.0.1")
        self.assertEqual(self.reactor.tcpServers, [])
        server.listening.privilegedStartService()
        ((port, site, _, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface), (8123, "127.0.0.1"))
        self.assertIsInstance(site, ServerSite)
        self.assertEqual((self.reactor.tcpClients, self.reactor.getDelayedCalls()), ([], []))

    def test_files(self) -> None:
        """The catalogue and the key of a server are in its folder; only the owner can read the key."""
        self.make()
        self.assertLessEqual({"catalogue.sqlite", "session.key"}, {path.name for path in self.folder.iterdir()})
        self.assertEqual((self.folder / "session.key").stat().st_mode & 0o777, 0o600)

    def test_same_key(self) -> None:
        """A server that is restarted, or has the same key, accepts its earlier sessions."""
        token = self.make().session_service._key.create("debian-12", "r")
        self.assertEqual(self.make().session_service._key.read(token), ("debian-12", "r"))
        key = str(self.folder / "session.key")
        self.folder = Path(self.mktemp()).absolute()
        self.assertEqual(self.make("--session-key-file", key).session_service._key.read(token), ("debian-12", "r"))

    def test_limits(self) -> None:
        """The limits are those of the options."""
        options = ("--max-active", "3", "--max-queued", "4", "--session-timeout", "5", "--queue-timeout", "1m")
        limits = self.make(*options, "--chunk-timeout", "7s", "--max-share", "5%").session_service.limits
        self.assertEqual((limits.max_active, limits.max_queued, limits.max_share), (3, 4, 0.05))
        self.assertEqual((limits.session_timeout, limits.queue_timeout, limits.chunk_timeout), (5, 60, 7))

    def test_platforms(self) -> None:
        """The platforms are those of the options."""
        server = self.make("--platforms", "debian-12,alpine-3.20")
        self.assertEqual(set(server.refresh.statuses), {"debian-12", "alpine-3.20"})

    def test_public(self) -> None:
        """Without options a server has the platforms of public feeds, which it does not ask before it starts."""
        options = Options()
        options.parseOptions(["--state-dir", str(self.folder), "--memory-limit", "4GiB"])
        refresh = create_server(self.reactor, options.settings).refresh
        self.assertRaises(NotReady, refresh.registry.current, "debian-12")
        for name in ("amiga-3", "Debian 12"):
            self.assertRaises(UnknownPlatform, refresh.registry.current, name)
        self.assertEqual((self.reactor.tcpClients, self.reactor.getDelayedCalls()), ([], []))

    def test_database(self) -> None:
        """The catalogue is at the URL of the option."""
        where = Path(self.mktemp()).absolute()
        self.make("--database", f"sqlite:///{where}")
        self.assertTrue(where.is_file())
        self.assertFalse((self.folder / "catalogue.sqlite").exists())


class FilesTests(ServiceCase):
    """The files of feeds."""

    def test_forgotten(self) -> None:
        """Files that were not used for a week are removed; later if lists are refreshed rarely."""
        for seldom, days, stays in ((False, 6, True), (False, 8, False), (True, 8, True)):
            path = self.folder / "feeds/files" / f"{'a' * 64}-all.zip"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (0, time.time() - days * 86400))
            options = Options()
            interval = ["--refresh-interval", "5d"] if seldom else []
            options.parseOptions(["--list", str(self.list), "--no-public-sources", *interval])
            run: Any = maybeDeferred
            settings = options.settings
            create_sources(self.reactor, settings.sources, settings.refresh, run, self.folder).forget_files()
            self.assertEqual(path.exists(), stays)


class RefusingTests(ServiceCase):
    """Settings that cannot be used."""

    def test_no_source(self) -> None:
        """A server without a source and without a catalogue is refused."""
        options = Options()
        options.parseOptions(["--state-dir", str(self.folder), "--memory-limit", "4GiB", "--no-public-sources"])
        error = self.assertRaises(SystemExit, create_server, self.reactor, options.settings)
        self.assertIn("--clair", str(error.code))

    def test_imported(self) -> None:
        """A catalogue that exists is served without a source, since it may have been imported."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "catalogue.sqlite").touch()
        options = Options()
        options.parseOptions(["--state-dir", str(self.folder), "--memory-limit", "4GiB", "--no-public-sources"])
        self.assertIsNone(create_server(self.reactor, options.settings).refresh.registry.problem)

    def test_no_list(self) -> None:
        """A list that does not exist is refused."""
        self.list.unlink()
        self.assertIn(str(self.list), self.ending())

    def test_memory(self) -> None:
        """A memory limit that is too low is refused, and the error states the lowest possible one."""
        self.assertIn("MiB or more", self.ending("--memory-limit", "1MiB"))

    def test_window(self) -> None:
        """A window that is too small for a chunk is refused."""
        self.assertIn("--window-bytes", self.ending("--window-bytes", str(MAX_RESPONSE_BYTES - 1)))
        self.make("--window-bytes", str(MAX_RESPONSE_BYTES))

    def test_catalogue(self) -> None:
        """A file that an operator has named, and is not a catalogue, is refused."""
        self.folder.mkdir()
        path = (self.folder / "mine").absolute()
        path.write_bytes(b"letters to my aunt" * 100)
        self.assertIn("mine: file is not a database", self.ending("--database", f"sqlite:///{path}"))

    def test_database(self) -> None:
        """A database that cannot be used is refused, and its password is not shown."""
        self.assertIn("refused", self.ending("--database", "postgresql+psycopg://me:s3cret@127.0.0.1:1/there"))
        for url in (
            "mysql://me:s3cret@there/x",
            "postgresql://me:s3cret@there/x",
            "postgresql+psycopg://me:s3cret@:x/",
        ):
            said = self.ending("--database", url)
            self.assertTrue(said.startswith("patches-server: --database: must be a URL such as "), said)
            self.assertNotIn("s3cret", said)

    def test_key(self) -> None:
        """A file that is not a key is refused, and not replaced."""
        self.folder.mkdir()
        key = self.folder / "session.key"
        key.write_bytes(b"short")
        self.assertIn("session.key", self.ending())
        self.assertEqual(key.read_bytes(), b"short")
        self.assertIn("absent", self.ending("--session-key-file", "/absent/key"))

    def test_folder(self) -> None:
        """A folder that cannot be used is refused."""
        self.folder.touch()
        self.assertIn("--state-dir", self.ending())

    def test_endpoint(self) -> None:
        """An endpoint that cannot be used is refused."""
        self.assertIn("--listen", self.ending("--listen", "pigeon:8080"))
