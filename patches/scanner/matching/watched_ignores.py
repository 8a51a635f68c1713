"""The file of decisions of a daemon, read again when it has changed; a broken file keeps the last good decisions."""

from __future__ import annotations

from pathlib import Path

from patches.scanner.matching.ignore_files import BadIgnores, read_ignores
from patches.scanner.matching.ignores import Ignores
from patches.service.log.trouble_log import TroubleLog

#: The modification time of a file in nanoseconds, its size in bytes and its inode; ``None``: there is no file.
FileState = tuple[int, int, int] | None


class WatchedIgnores:
    """
    The decisions of one file, and its state when it was read last.

    It is created before the file is read for the first time, so that no change is missed.

    :param path: ``None``: there is no file, and there are no decisions.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = self.state()
        self._trouble = TroubleLog(
            "The ignore file cannot be used, and the decisions read before hold", "The ignore file is used again"
        )

    def state(self) -> FileState:
        """Return the present state of the file, without reading it."""
        if self._path is None:
            return None
        try:
            facts = self._path.stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def read_changed(self) -> Ignores | None:
        """
        Return the decisions if the file has changed since it was read; ``None`` if not, or if it cannot be used.

        A file that cannot be used is logged once, and once when it can be used again.
        """
        state = self.state()
        if self._path is None or state == self._read:
            return None
        self._read = state
        try:
            ignores = read_ignores(self._path)
        except BadIgnores as error:
            self._trouble.begin(str(error))
            return None
        self._trouble.end()
        return ignores

    def end_trouble(self) -> None:
        """Log that the file can be used, if it could not be: it was read by somebody else."""
        self._trouble.end()
