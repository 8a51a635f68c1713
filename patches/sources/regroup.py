"""
Regrouping: the fragments of a vulnerability are merged, on disk, for feeds of any size.

A feed that is ordered by package names one vulnerability in many places. Its parser yields a fragment for each of them:
a :class:`~patches.vulnerability.Vulnerability` with one package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from attrs import evolve

from patches.errors import SourceError
from patches.escaping import escaped_record
from patches.followed import followed_records
from patches.sources.archive.decompress import open_feed
from patches.sources.fields import sorted_packages
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import FeedPart
from patches.storage.scratch import open_scratch
from patches.vulnerability import FOLLOWED, Severity, Vulnerability
from patches.wire import decode_lines, encode_line


class FragmentStore:
    """
    The fragments of vulnerabilities, in a scratch file; every method blocks.

    :param path: the scratch file; an existing file is deleted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_scratch(path)
        self._database.execute("CREATE TABLE fragments (platform TEXT, name TEXT, line BLOB)")

    def add(self, fragments: Iterable[Vulnerability]) -> None:
        """Add fragments; when their parser raises, the store can only be closed."""
        rows = ((each.platform, each.name, encode_line(each)) for each in map(escaped_record, fragments))
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO fragments VALUES (?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def platforms(self) -> list[str]:
        """Return the platforms that have fragments, sorted."""
        return [
            platform for (platform,) in self._database.execute("SELECT DISTINCT platform FROM fragments ORDER BY 1")
        ]

    def vulnerabilities(self, platform: str) -> Iterator[Vulnerability]:
        """
        Yield the vulnerabilities of a platform, each merged from its fragments, ordered by name.

        The lists of followed packages are merged to as many as are needed.
        """
        rows = self._database.execute(
            "SELECT name, line FROM fragments WHERE platform = ? ORDER BY name, rowid", (platform,)
        )
        for name, group in groupby(rows, key=lambda row: row[0]):
            fragments = [fragment for _, line in group for fragment in decode_lines(line)]
            if name == FOLLOWED:
                names = {each for fragment in fragments for each in fragment.followed}
                yield from followed_records(platform, names, fragments[0].source)
            else:
                yield from by_rating(fragments)

    def close(self) -> None:
        """Delete the file."""
        self._database.close()
        self._path.unlink(missing_ok=True)


def regrouped(fragments: Iterable[Vulnerability], scratch: Path) -> Iterator[Vulnerability]:
    """
    Yield the vulnerabilities of a feed's fragments, ordered by platform and name.

    :param scratch: the path of the scratch file; its folder is created.
    """
    scratch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = FragmentStore(scratch)
    try:
        store.add(fragments)
        for platform in store.platforms():
            yield from store.vulnerabilities(platform)
    finally:
        store.close()


def one_platform_fragments(
    parse: Callable[[BinaryIO, str, ParseContext], Iterator[Vulnerability]],
    part: FeedPart,
    paths: Sequence[Path],
    context: ParseContext,
) -> Iterator[Vulnerability]:
    """Yield the fragments in files that do not name their platform."""
    if part.platform is None:
        raise SourceError(f"{part.key}: its files do not name their platform")
    for path in paths:
        with open_feed(path) as stream:
            yield from parse(stream, part.platform, context)


def file_fragments(
    parse: Callable[[BinaryIO, ParseContext], Iterator[Vulnerability]], paths: Sequence[Path], context: ParseContext
) -> Iterator[Vulnerability]:
    """Yield the fragments in files that name their platforms."""
    for path in paths:
        with open_feed(path) as stream:
            yield from parse(stream, context)


def by_rating(fragments: list[Vulnerability]) -> Iterator[Vulnerability]:
    """
    Yield the vulnerability that fragments make, as two records if some are negligible, and the others are not rated.

    A record has one severity. So neither does a rating of one package become unknown because of another, nor does a
    package count as negligible that nobody has rated. The note tells the negligible record apart.
    """
    negligible = [fragment for fragment in fragments if fragment.severity is Severity.NEGLIGIBLE]
    others = [fragment for fragment in fragments if fragment.severity is not Severity.NEGLIGIBLE]
    if not negligible or not others or any(each.severity is not Severity.UNKNOWN for each in others):
        yield merged(fragments)
        return
    yield merged(others)
    record = merged(negligible)
    yield evolve(record, note="; ".join(filter(None, (record.note, "negligible"))))


def merged(fragments: list[Vulnerability]) -> Vulnerability:
    """
    Merge the fragments of one vulnerability.

    A value that a vulnerability has once is that of the first fragment that has it. The severity is the highest; where
    it is negligible in one package and unknown in another, it is unknown.
    """
    first = fragments[0]
    if len(fragments) == 1:
        return first
    return evolve(
        first,
        fixed_in=sorted_packages(package for fragment in fragments for package in fragment.fixed_in),
        severity=max((fragment.severity for fragment in fragments), key=_weight),
        details_href=next((fragment.details_href for fragment in fragments if fragment.details_href), ""),
        aliases=tuple(sorted({alias for fragment in fragments for alias in fragment.aliases})),
        published=next((fragment.published for fragment in fragments if fragment.published), None),
        cvss=next((fragment.cvss for fragment in fragments if fragment.cvss), None),
        note=next((fragment.note for fragment in fragments if fragment.note), None),
        title=next((fragment.title for fragment in fragments if fragment.title), None),
    )


def _weight(severity: Severity) -> float:
    return Severity.NEGLIGIBLE + 0.5 if severity is Severity.UNKNOWN else severity
