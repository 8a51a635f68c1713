"""The spool: a list on its way into the catalogue, on disk, so that a refresh of any length needs little memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from patches.vulnerability import Vulnerability
from patches.wire import encode_line


class Spool:
    """
    Encoded vulnerabilities by name, in a scratch file; everything here blocks.

    :param path: the scratch file; whatever is there is thrown away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1024", "temp_store=FILE"):
            self._database.execute(f"PRAGMA {pragma}").close()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._database.execute("DROP TABLE IF EXISTS lines")
        self._database.execute("CREATE TABLE lines (name TEXT PRIMARY KEY, line BLOB) WITHOUT ROWID")

    def add(self, vulnerabilities: Iterable[Vulnerability]) -> None:
        """Keep these; of two with the same name the later one holds."""
        rows = ((vulnerability.name, encode_line(vulnerability)) for vulnerability in vulnerabilities)
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?)", rows)
        self._database.execute("COMMIT")

    def lines(self) -> Iterator[bytes]:
        """Give the lines, ordered by name: the same list gives the same bytes, in whatever order it was read."""
        for (line,) in self._database.execute("SELECT line FROM lines ORDER BY name"):
            yield line

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM lines").fetchone()[0])

    def close(self) -> None:
        """Delete the file."""
        self._database.close()
        self._path.unlink(missing_ok=True)
