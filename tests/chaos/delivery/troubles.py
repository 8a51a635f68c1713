"""
The troubles that a daemon may have with its machine while it runs, each of which an attack begins and ends.

* ``full``: the disk of its folder is full. It needs the right to mount a file system in memory (:data:`UNSHARE`).
* ``unsynced``: each fsync and fdatasync fails with EIO, as on a broken disk; by strace, attached to the process.
* ``read-only``: nothing in its folder may be created or changed; the daemon has no privileges that would allow it.
* ``memory``: it gets no more memory than it has (RLIMIT_AS).
"""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import SkipTest

from attrs import define, field

from tests import processes
from tests.field.namespaces import can_run

ROOM_MIB = 64

#: Runs a command that may mount file systems.
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
#: Runs a command without the privileges of root: it may do what the modes of files allow.
UNPRIVILEGED = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
#: How much memory a process may still get, in bytes.
_LEFT_BYTES = 256 * 1024


@define(eq=False)
class Trouble:
    """
    A trouble of one kind.

    :ivar words: of which one is in each line of a log about it.
    :ivar wrapper: a command with which daemons are started.
    """

    folder: Path
    words: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()

    def begin(self, pid: int) -> None:
        """Begin, for a process."""

    def end(self, pid: int) -> None:
        """End."""

    def wrapped(self, command: list[str]) -> list[str]:
        """Return the command that runs a daemon's command."""
        return [*self.wrapper, *command]

    def lines(self, log: str) -> list[str]:
        """Return the lines of a log about it."""
        return [line for line in log.splitlines() if any(word in line for word in self.words)]


class FullDisk(Trouble):
    """A disk without room."""

    def begin(self, pid: int) -> None:
        """Fill the disk."""
        with suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def end(self, pid: int) -> None:
        """Make room again."""
        (self.folder / "filler").unlink(missing_ok=True)


@define(eq=False)
class UnsyncedDisk(Trouble):
    """A disk that cannot be synced."""

    _tracers: list[subprocess.Popen[bytes]] = field(factory=list)

    def begin(self, pid: int) -> None:
        """Attach to the process and its threads; who starts later is attached too."""
        command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
        self._tracers.append(processes.start([*command, "-o", "/dev/null", "-p", str(pid)]))
        status = Path(f"/proc/{pid}/status")
        end = time.monotonic() + 10
        while "TracerPid:\t0\n" in status.read_text():
            if time.monotonic() > end:
                raise SkipTest("strace cannot be attached")
            time.sleep(0.05)

    def end(self, pid: int) -> None:
        """Detach."""
        for each in self._tracers:
            each.send_signal(signal.SIGINT)
            each.wait(10)
        self._tracers.clear()


class ReadOnlyFolder(Trouble):
    """A folder in which nothing may be changed."""

    def begin(self, pid: int) -> None:
        """Take the right to write away, of each file and folder."""
        self._change(lambda mode: mode & ~0o222)

    def end(self, pid: int) -> None:
        """Restore the right of the owner."""
        self._change(lambda mode: mode | 0o200)

    def _change(self, changed: Callable[[int], int]) -> None:
        for path in (self.folder, *self.folder.rglob("*")):
            with suppress(FileNotFoundError):
                path.chmod(changed(path.stat().st_mode & 0o777))


class LittleMemory(Trouble):
    """A process that gets no more memory."""

    def begin(self, pid: int) -> None:
        """Limit it to what it has."""
        pages = [int(each) for each in Path(f"/proc/{pid}/statm").read_text().split()]
        size, hard = pages[0] * resource.getpagesize() + _LEFT_BYTES, resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_AS, (size, hard))

    def end(self, pid: int) -> None:
        """Lift the limit."""
        resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


KINDS = ("full", "unsynced", "read-only", "memory")


@contextmanager
def trouble(kind: str, folder: Path) -> Iterator[Trouble]:
    """
    Create a trouble of a kind for a folder, which is created.

    :raises SkipTest: if that kind cannot be made here.
    """
    folder.mkdir(parents=True)
    if kind == "full":
        mounted = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MIB}m,mode=700", "tmpfs", folder]
        if subprocess.run(mounted, check=False, capture_output=True).returncode:
            raise SkipTest("file systems cannot be mounted here")
        try:
            yield FullDisk(folder, ("full", "No space"))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
        return
    needed = {"unsynced": "strace", "read-only": "setpriv"}.get(kind)
    if needed is not None and shutil.which(needed) is None:
        raise SkipTest(f"{needed} is not installed")
    created: Trouble = {
        "unsynced": UnsyncedDisk(folder, ("I/O error", "Input/output error")),
        "read-only": ReadOnlyFolder(folder, ("Permission denied", "readonly", "read-only", "unable to open")),
        "memory": LittleMemory(folder, ("memory", "MemoryError", "Cannot allocate")),
    }[kind]
    if kind == "read-only":
        created.wrapper = UNPRIVILEGED
    yield created


def can_unshare() -> bool:
    """Return whether commands may mount file systems of their own."""
    return can_run(UNSHARE)
