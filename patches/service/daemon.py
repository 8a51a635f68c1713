"""What the three daemons share as twistd plugins: options that fail in one line, a port that is taken, a clean end."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.failure import Failure

from patches.settings import CONFIG, BadSetting, Setting, resolve

log = Logger()


class DaemonOptions(usage.Options):
    """Options of a daemon, made from its settings; after parsing, :attr:`resolved` holds what they mean."""

    program = ""
    settings: Sequence[Setting] = ()
    aliases: Mapping[str, str] = {}

    optParameters: Sequence[Sequence[Any]] = ()
    optFlags: Sequence[Sequence[Any]] = ()

    def __init_subclass__(cls) -> None:
        """Make of the settings what Twisted reads."""
        valued = [setting for setting in (*cls.settings, CONFIG) if not setting.is_flag and not setting.is_table]
        cls.optFlags = [[setting.name, None, setting.describe()] for setting in cls.settings if setting.is_flag]
        settings = [[setting.name, None, None, setting.describe()] for setting in valued]
        cls.optParameters = settings + [[old, None, None, f"The same as --{new}."] for old, new in cls.aliases.items()]

    def __init__(self) -> None:
        self.resolved: dict[str, Any] = {}
        super().__init__()

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse, or end the process with one line and exit code 1."""
        try:
            super().parseOptions(options)
            self.resolved = resolve(self.settings, self._given())
        except (usage.UsageError, BadSetting) as error:
            sys.exit(f"{self.program}: {error}")

    def _given(self) -> dict[str, str | None]:
        given = dict(self)
        for name, _, _ in self.optFlags:
            given[name] = "true" if given[name] else None
        for old, new in self.aliases.items():
            given[new] = given[new] if given[new] is not None else given[old]
        return given

    def parseArgs(self, *args: str) -> None:
        """Refuse what is not an option."""
        if args:
            raise usage.UsageError(f"unexpected argument {args[0]!r}")

    def opt_version(self) -> None:
        """Print the version of Patches and exit."""
        from patches import __version__

        print(f"{self.program} {__version__}")
        sys.exit(0)


def usable_folder(program: str, path: Path) -> Path:
    """Make a folder that only its owner can read, if it is not there; end the process with one line if that fails."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        sys.exit(f"{program}: --state-dir {path}: {error.strerror}")
    return path


def hold_folder(program: str, path: Path) -> None:
    """Hold a state folder until the process ends; end it with one line if another process holds that folder."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"{program}: --state-dir {path}: another process uses this folder")


def allow_open_files(needed: int) -> int:
    """Raise the number of files that this process may have open, as far as it may; give what is allowed."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < needed:
        allowed = min(needed, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return allowed


class CannotListen(Exception):
    """The endpoint could not be listened on; the log says why."""


class ListeningService(Service):
    """
    Listens on an endpoint; a port that cannot be had ends the process with one line and exit code 1.

    :param description: a Twisted server endpoint string.
    :param drain: awaited when the service stops, after the port is closed: finishes what is being answered.
    """

    def __init__(
        self,
        program: str,
        reactor: Any,
        description: str,
        factory: Factory[Any],
        drain: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._program = program
        self._description = description
        self._factory = factory
        self._drain = drain
        try:
            self._endpoint = serverFromString(reactor, description)
        except (ValueError, TypeError, OSError) as error:
            sys.exit(f"{program}: --listen {description!r}: {error}")
        self.port: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Bind while privileges are still there."""
        refused: list[Failure] = []
        self._endpoint.listen(self._factory).addCallbacks(self._listens, refused.append)
        for failure in refused:
            self._end(_why_not(failure.value))
        if self.port is None:
            self._end("this kind of endpoint does not listen at once")

    def _end(self, why: str) -> None:
        """By now there is a log, and no other place where an operator would look."""
        log.critical("{program}: --listen {listen!r}: {why}", program=self._program, listen=self._description, why=why)
        # twistd, where it has gone to the background, hands exceptions over to the process that waits, and no exits;
        # in the foreground the interpreter ends with exit code 1, and its traceback would say nothing more.
        sys.excepthook = lambda *_: None
        raise CannotListen(why)

    def _listens(self, port: IListeningPort) -> None:
        self.port = port
        log.info("{program} listens on {address}", program=self._program, address=address_text(port))

    def stopService(self) -> Deferred[None]:
        """Close the port, then let what is being answered end."""
        super().stopService()
        return ensureDeferred(self._stop())

    async def _stop(self) -> None:
        if self.port is not None:
            await maybeDeferred(self.port.stopListening)
        if self._drain is not None:
            await self._drain()


def _why_not(error: BaseException | None) -> str:
    reason = error.socketError if isinstance(error, CannotListenError) else error
    return str(getattr(reason, "strerror", None) or reason)


def address_text(port: IListeningPort) -> str:
    """Give the address of a port as ``host:port``, or as text what is not TCP."""
    address = port.getHost()
    host, number = getattr(address, "host", None), getattr(address, "port", None)
    return f"{host}:{number}" if host else str(address)


class CleanEndService(Service):
    """Makes SIGTERM stop the reactor and leave exit code 0, where twistd would end by the signal itself."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def startService(self) -> None:
        """Take SIGTERM over once the reactor has installed its own handlers."""
        super().startService()
        self._reactor.callWhenRunning(self._take_over)

    def _take_over(self) -> None:
        def end(number: int, frame: Any) -> None:
            self._reactor.callFromThread(self._stop)

        signal.signal(signal.SIGTERM, end)

    def _stop(self) -> None:
        if self._reactor.running:
            log.info("Stopping")
            self._reactor.stop()
