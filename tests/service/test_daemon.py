"""Tests for :mod:`patches.service.daemon`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.service.commit import version_text
from patches.service.daemon import (
    CannotListen,
    DaemonOptions,
    ListeningService,
    usable_folder,
    with_backlog,
)
from patches.setting_parsers import count, endpoint, flag
from patches.settings import option


@frozen(kw_only=True)
class TeaSettings:
    """The settings of a daemon that makes tea."""

    listen: str = option("tcp:80", endpoint, "Where.")
    cups: int = option("2", count, "How many.", aliases=("mugs",))
    sugar: bool = option("false", flag, "With sugar.")


class TeaOptions(DaemonOptions[TeaSettings]):
    """The command line of that daemon."""

    program = "patches-tea"
    declared = TeaSettings


class DaemonCase(SynchronousTestCase):
    """A case that captures the end of programs."""

    def ending(self, call: Callable[..., Any], *args: Any) -> str:
        """Return the line with which a program ends; its exit code is 1."""
        code = self.assertRaises(SystemExit, call, *args).code
        self.assertIsInstance(code, str)
        text = str(code)
        self.assertNotIn("\n", text)
        self.assertTrue(text.startswith("patches-tea: "), text)
        return text


class OptionsTests(DaemonCase):
    """Options on the command line."""

    def parse(self, *options: str) -> TeaSettings:
        """Parse options. Return the settings."""
        parsed = TeaOptions()
        parsed.parseOptions(list(options))
        return parsed.settings

    def test_defaults(self) -> None:
        """An option that is not given has its default."""
        self.assertEqual(self.parse(), TeaSettings(listen="tcp:80", cups=2, sugar=False))

    def test_given(self) -> None:
        """A given value is used."""
        settings = self.parse("--cups", "5", "--listen=81", "--sugar")
        self.assertEqual(settings, TeaSettings(listen="tcp:81", cups=5, sugar=True))

    def test_other_name(self) -> None:
        """An option may have an older name; the newer one takes precedence."""
        self.assertEqual(self.parse("--mugs", "4").cups, 4)
        self.assertEqual(self.parse("--mugs", "4", "--cups", "3").cups, 3)

    def test_file(self) -> None:
        """Options may be in a file."""
        path = Path(self.mktemp())
        path.write_text("cups = 7")
        self.assertEqual(self.parse("--config", str(path)).cups, 7)
        self.assertEqual(self.parse("--config", str(path), "--cups", "3").cups, 3)
        self.assertEqual(self.parse("--config", str(path), "--mugs", "3").cups, 3)

    def test_refused(self) -> None:
        """Any error ends the program with one line."""
        wrong = {
            ("--cups", "many"): "--cups",
            ("--mugs", "0"): "0",
            ("--saucers", "1"): "saucers",
            ("--cups",): "cups",
            ("more",): "more",
            ("--cups", "1", "--sugar", "--cups=2"): "--cups is given 2 times",
            ("--config", "/absent/file"): "/absent/file",
        }
        for options, said in wrong.items():
            self.assertIn(said, self.ending(self.parse, *options))

    def test_help(self) -> None:
        """The help text contains every option with its default."""
        text = str(TeaOptions())
        for said in (
            "--listen=",
            "[tcp:80]",
            "--cups=",
            "[2]",
            "--mugs=",
            "--sugar",
            "--config=",
            "The same as --cups.",
        ):
            self.assertIn(said, text)

    def test_version(self) -> None:
        """The version is that of Patches, and the exit code is 0."""
        out = StringIO()
        with redirect_stdout(out):
            self.assertEqual(self.assertRaises(SystemExit, self.parse, "--version").code, 0)
        self.assertEqual(out.getvalue(), f"patches-tea {version_text()}\n")


class FolderTests(DaemonCase):
    """The folder of a daemon's state."""

    def test_made(self) -> None:
        """The folder is created with its parents, and only its owner can read it."""
        path = Path(self.mktemp()) / "a" / "b"
        self.assertEqual(usable_folder("patches-tea", path), path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o700)
        self.assertEqual(list(path.iterdir()), [])

    def test_there(self) -> None:
        """An existing folder keeps its files, and is narrowed."""
        path = Path(self.mktemp())
        path.mkdir(mode=0o755)
        (path / "cup").touch()
        usable_folder("patches-tea", path)
        self.assertEqual(([p.name for p in path.iterdir()], path.stat().st_mode & 0o777), (["cup"], 0o700))

    def test_no_folder(self) -> None:
        """A path that is not a folder, and cannot become one, ends the program."""
        path = Path(self.mktemp())
        path.touch()
        for unusable in (path, path / "below"):
            self.assertIn(str(path), self.ending(usable_folder, "patches-tea", unusable))


class BusyReactor(MemoryReactorClock):
    """A reactor on which every port is taken."""

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Raise the error of a port that is taken."""
        raise CannotListenError(interface, port, OSError(98, "Address already in use"))


class ListeningTests(DaemonCase):
    """Starting and stopping to listen."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def make(self, description: str = "tcp:8080", drain: Any = None) -> ListeningService:
        """Create a service."""
        return ListeningService("patches-tea", self.reactor, description, Factory(), drain)

    def test_listens(self) -> None:
        """The port is bound before the service starts, with privileges, and the address is logged."""
        service = self.make("tcp:8080:interface=127.0.0.1")
        self.assertEqual(self.reactor.tcpServers, [])
        service.privilegedStartService()
        self.assertEqual(
            [(port, interface) for port, _, _, interface in self.reactor.tcpServers], [(8080, "127.0.0.1")]
        )
        self.assertIsNotNone(service.port)
        self.assertIn("listens on", str([event["log_format"] for event in self.observer]))

    def test_taken(self) -> None:
        """A port that is taken ends the program; the reason is in the log."""
        self.reactor = BusyReactor()
        service = self.make()
        self.patch(sys, "excepthook", sys.excepthook)
        self.assertRaises(CannotListen, service.privilegedStartService)
        (event,) = [event for event in self.observer if event["log_level"].name == "critical"]
        self.assertEqual((event["program"], event["listen"]), ("patches-tea", "tcp:8080"))
        self.assertEqual(event["why"], "Address already in use")

    def test_no_endpoint(self) -> None:
        """A text that is not an endpoint ends the program."""
        for description in ("carrier-pigeon:8080", "tcp:http!", "tcp:", "tcp", "tcp:80:colour=red"):
            reason = "must be an endpoint such as tcp:8080:interface=127.0.0.1"
            self.assertEqual(self.ending(self.make, description), f"patches-tea: --listen {description!r}: {reason}")

    def test_missing_certificate(self) -> None:
        """An endpoint whose certificate cannot be read ends the program; the reason names the file."""
        self.assertIn("/absent.pem", self.ending(self.make, "ssl:8443:privateKey=/absent.pem"))

    def test_stop(self) -> None:
        """On stop the port is closed first, and then the requests in progress are finished."""
        finished: Deferred[None] = Deferred()
        service = self.make(drain=lambda: finished)
        service.privilegedStartService()
        service.startService()
        stopped = service.stopService()
        self.assertNoResult(stopped)
        finished.callback(None)
        self.successResultOf(stopped)

    def test_stop_before(self) -> None:
        """A service that never listened can be stopped."""
        self.successResultOf(self.make().stopService())


class BacklogTests(SynchronousTestCase):
    """The listen queue."""

    def test_backlog(self) -> None:
        """Endpoints of sockets have a long listen queue, unless they name another; other endpoints stay as they are."""
        for description, expected in (
            ("tcp:8080", "tcp:8080:backlog=4096"),
            ("tcp6:8080:interface=\\:\\:1", "tcp6:8080:interface=\\:\\:1:backlog=4096"),
            ("unix:/run/p.sock", "unix:/run/p.sock:backlog=4096"),
            ("tcp:8080:backlog=7", "tcp:8080:backlog=7"),
            ("haproxy:tcp:8080", "haproxy:tcp:8080:backlog=4096"),
            ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
        ):
            self.assertEqual(with_backlog(description), expected)
