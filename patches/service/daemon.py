"""The parts that the three daemons share as twistd plugins: options, the state folder, listening."""

from __future__ import annotations

import fcntl
import os
import resource
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from getopt import getopt
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import AttrsInstance
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.failure import Failure

from patches.service.places.setting_places import Family, found_settings
from patches.service.private_files import SharedFolder, narrow_folder
from patches.setting_parsers import NOT_AN_ENDPOINT
from patches.settings import CONFIG, BadSetting, resolve, settings_of
from patches.wording import file_problem

log = Logger()

#: The file in a folder of state whose lock a process holds.
LOCK_NAME = "lock"

S = TypeVar("S", bound=AttrsInstance)


class DaemonOptions(usage.Options, Generic[S]):
    """
    The command line of a daemon, created from its settings class.

    :cvar program: the name of the daemon.
    :cvar declared: its settings class.
    :cvar family: the programs with which it shares files and variables; ``None``: it reads only what it is given.
    :ivar settings: the settings, after the options have been parsed.
    """

    program = ""
    declared: type[S]
    family: Family | None = None
    settings: S

    optParameters: Sequence[Sequence[Any]] = ()
    optFlags: Sequence[Sequence[Any]] = ()

    def __init_subclass__(cls) -> None:
        """Convert the settings to Twisted's tables of options."""
        declared = settings_of(cls.declared)
        valued = [setting for setting in (*declared, CONFIG) if not setting.is_flag and not setting.is_table]
        cls.optFlags = [[setting.name, None, setting.describe()] for setting in declared if setting.is_flag]
        older = [(alias, setting.name) for setting in valued for alias in setting.aliases]
        cls.optParameters = [
            *([setting.name, None, None, setting.describe()] for setting in valued),
            *([old, None, None, f"The same as --{new}."] for old, new in older),
        ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the options; an error ends the process with one line and exit code 1."""
        try:
            super().parseOptions(options)
            self._refuse_repeated(sys.argv[1:] if options is None else options)
            self.settings = self.resolved()
        except (usage.UsageError, BadSetting) as error:
            sys.exit(f"{self.program}: {error}")

    def resolved(self) -> S:
        """
        Return the settings of this command line and of the file that it names, as that file is now.

        :raises BadSetting: if one of them cannot be used.
        """
        given = self._given()
        if self.family is None:
            return resolve(self.declared, given)
        found = found_settings(self.family, given.get(CONFIG.name), lambda text: log.warn("{text}", text=text))
        return resolve(self.declared, given, found)

    def _refuse_repeated(self, options: Sequence[str]) -> None:
        """Raise a usage error for an option that is given twice: one of its values would silently be lost."""
        found, _ = getopt(list(options), self.shortOpt, self.longOpt)
        for name, number in Counter(name for name, _ in found).items():
            if number > 1:
                raise usage.UsageError(f"{name} is given {number} times")

    def _given(self) -> dict[str, str | None]:
        given = dict(self)
        for name, _, _ in self.optFlags:
            given[name] = "true" if given[name] else None
        for setting in settings_of(self.declared):
            for old in setting.aliases:
                given[setting.name] = given[setting.name] if given[setting.name] is not None else given[old]
        return given

    def parseArgs(self, *args: str) -> None:
        """Raise a usage error for arguments that are not options."""
        if args:
            raise usage.UsageError(f"unexpected argument {args[0]!r}")

    def opt_version(self) -> None:
        """Print the version of Patches and exit."""
        from patches.service.commit import version_text

        print(f"{self.program} {version_text()}")
        sys.exit(0)


def usable_folder(program: str, path: Path) -> Path:
    """Create a folder, or narrow it so that only its owner can read it; if it cannot be used, exit with one line."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
        narrow_folder(path)
    except SharedFolder as error:
        sys.exit(f"{program}: --state-dir {path}: {error}")
    except OSError as error:
        sys.exit(f"{program}: --state-dir {path}: {error.strerror}")
    return path


def lock_folder(path: Path) -> int | None:
    """
    Lock a folder, unless another process has locked it.

    :return: the descriptor that holds the lock until it is closed; ``None``: another process has it.
    """
    lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def hold_folder(program: str, path: Path) -> None:
    """Lock a state folder until the process ends; if another process has locked it, end the process with one line."""
    # The descriptor is never closed: the lock is released when the process ends, however it ends.
    if lock_folder(path) is None:
        sys.exit(f"{program}: --state-dir {path}: another process uses this folder")


def allow_open_files(needed: int) -> int:
    """Raise the limit of open files of this process, if possible. Return the resulting limit."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < needed:
        allowed = min(needed, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return allowed


#: How many connections the kernel completes before they are accepted: a fleet that comes at once finds a place. Twisted
#: has 50; beyond that a client tries again after a second, and after three.
BACKLOG = 4096


def with_backlog(description: str) -> str:
    """Add a backlog to an endpoint string that has none, if its endpoint takes one."""
    kind = description.removeprefix("haproxy:").partition(":")[0]
    takes_one = kind in ("tcp", "tcp6", "ssl", "unix") and "backlog=" not in description
    return f"{description}:backlog={BACKLOG}" if takes_one else description


class CannotListen(Exception):
    """The endpoint could not be listened on; the reason is in the log."""


class ListeningService(Service):
    """
    Listens on an endpoint; if that fails, the process ends with one line and exit code 1.

    :param description: a Twisted server endpoint string.
    :param drain: awaited when the service stops, after the port is closed: finishes the requests in progress.
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
            self._endpoint = serverFromString(reactor, with_backlog(description))
        except OSError as error:
            sys.exit(f"{program}: --listen {description!r}: {error.filename}: {file_problem(error)}")
        except (ValueError, TypeError):
            # Twisted's texts are about its own functions: "invalid literal for int()".
            sys.exit(f"{program}: --listen {description!r}: {NOT_AN_ENDPOINT}")
        self.port: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Bind the port before the process drops its privileges."""
        # The failure is collected and raised below: an exception in an errback would stay in the Deferred.
        refused: list[Failure] = []
        self._endpoint.listen(self._factory).addCallbacks(self._listens, refused.append)
        for failure in refused:
            self._end(_why_not(failure.value))
        if self.port is None:
            self._end("this kind of endpoint does not listen immediately")

    def _end(self, why: str) -> None:
        """Log the reason and end the process; its log exists by now, and an operator does not look elsewhere."""
        log.critical("{program}: --listen {listen!r}: {why}", program=self._program, listen=self._description, why=why)
        # In the background, twistd passes exceptions on to the waiting parent process, but not SystemExit; in the
        # foreground the interpreter ends with exit code 1, and its traceback would add nothing.
        sys.excepthook = lambda *_: None
        raise CannotListen(why)

    def _listens(self, port: IListeningPort) -> None:
        self.port = port
        log.info("{program} listens on {address}", program=self._program, address=address_text(port))

    def stopService(self) -> Deferred[None]:
        """Close the port, then wait for the requests in progress."""
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
    """Return the address of a port as ``host:port``; as text if it is not TCP."""
    address = port.getHost()
    host, number = getattr(address, "host", None), getattr(address, "port", None)
    if not host:
        return str(address)
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
