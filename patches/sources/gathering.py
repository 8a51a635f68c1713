"""
Parts of vulnerabilities, gathered on disk.

A feed that is ordered by packages tells of one flaw in many places. Its parser gives a vulnerability for each of them,
with one package; here they are put together again, whatever the size of the feed, in little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from attrs import evolve

from patches.scratch import open_scratch
from patches.sources.fixes import in_order
from patches.vulnerability import Severity, Vulnerability
from patches.wire import decode_lines, encode_line


class Gathering:
    """
    Parts of vulnerabilities in a scratch file; everything here blocks.

    :param path: the scratch file; whatever is there is thrown away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_scratch(path)
        self._database.execute("CREATE TABLE parts (platform TEXT, name TEXT, line BLOB)")

    def add(self, parts: Iterable[Vulnerability]) -> None:
        """Keep these; where their parser raises, the gathering is of no more use but to be closed."""
        rows = ((part.platform, part.name, encode_line(part)) for part in parts)
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO parts VALUES (?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def platforms(self) -> list[str]:
        """Tell of which platforms there are parts."""
        return [platform for (platform,) in self._database.execute("SELECT DISTINCT platform FROM parts ORDER BY 1")]

    def vulnerabilities(self, platform: str) -> Iterator[Vulnerability]:
        """Give the vulnerabilities of a platform, each once and whole, ordered by name."""
        rows = self._database.execute(
            "SELECT name, line FROM parts WHERE platform = ? ORDER BY name, rowid", (platform,)
        )
        for _, group in groupby(rows, key=lambda row: row[0]):
            yield whole([part for _, line in group for part in decode_lines(line)])

    def close(self) -> None:
        """Delete the file."""
        self._database.close()
        self._path.unlink(missing_ok=True)


def whole(parts: list[Vulnerability]) -> Vulnerability:
    """
    Put the parts of one vulnerability together.

    What all say once is taken from the first part that says it. Its severity is the highest; but if it is negligible in
    one package and not rated in another, it is not rated.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    return evolve(
        first,
        fixed_in=in_order(package for part in parts for package in part.fixed_in),
        severity=max((part.severity for part in parts), key=_weight),
        details_href=next((part.details_href for part in parts if part.details_href), ""),
        aliases=tuple(sorted({alias for part in parts for alias in part.aliases})),
        published=next((part.published for part in parts if part.published), None),
        cvss=next((part.cvss for part in parts if part.cvss), None),
    )


def _weight(severity: Severity) -> float:
    return Severity.NEGLIGIBLE + 0.5 if severity is Severity.UNKNOWN else severity
