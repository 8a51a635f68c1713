"""Formats of feeds: how the files of a part become vulnerabilities, each format a function of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from patches.interfaces import SourceError
from patches.sources.archives import members
from patches.sources.clair_export_documents import parse_clair_export
from patches.sources.csaf_documents import parse_csaf
from patches.sources.csaf_holdings import Holdings
from patches.sources.debian_tracker_documents import parse_tracker
from patches.sources.feed import Format, Part, Tally
from patches.sources.gathering import Gathering
from patches.sources.osv_ecosystems import ECOSYSTEMS, Ecosystems
from patches.sources.osv_records import parse_osv
from patches.sources.secdb_documents import parse_secdb
from patches.sources.unpacking import open_feed
from patches.sources.updateinfo_documents import parse_updateinfo
from patches.sources.zipped import BadZip, is_zip, zip_members
from patches.vulnerability import Vulnerability


def osv_format(ecosystems: Ecosystems = ECOSYSTEMS) -> Format:
    """Give the format of an archive, or a folder, of OSV records."""
    return partial(_osv, ecosystems)


def _osv(
    ecosystems: Ecosystems,
    part: Part,
    paths: Sequence[Path],
    wanted: Container[str] | None,
    tally: Tally,
    source: str,
) -> Iterator[Vulnerability]:
    for path in paths:
        tally.claimed = _claimed(path)
        yield from parse_osv(_counted(members(path), tally), wanted, tally.skipped, source, ecosystems)


def _claimed(path: Path) -> int | None:
    """Count the records in the directory of a zip file; the others say nothing of how many there are."""
    try:
        if not is_zip(path):
            return None
        with path.open("rb") as file:
            return sum(member.name.endswith(".json") for member in zip_members(file))
    except (OSError, BadZip) as error:
        raise SourceError(f"{path}: {error}") from error


def _counted(found: Iterable[tuple[str, bytes]], tally: Tally) -> Iterator[tuple[str, bytes]]:
    for member in found:
        tally.found += 1
        yield member


def csaf_format(
    part: Part, paths: Sequence[Path], wanted: Container[str] | None, tally: Tally, source: str
) -> Iterator[Vulnerability]:
    """Read Red Hat's VEX documents; see :class:`~patches.sources.feed.Format`."""
    for path in paths:
        documents = Holdings.from_file(path).documents()
        yield from parse_csaf(_counted(documents, tally), wanted, tally.skipped, source)


def secdb_format(scratch: Path) -> Format:
    """
    Give the format of Alpine's, Wolfi's and Chainguard's security databases.

    :param scratch: where a scratch file may be.
    """
    return partial(_gathered_of_one_platform, parse_secdb, scratch)


def updateinfo_format(scratch: Path) -> Format:
    """
    Give the format of the advisories of rpm repositories.

    :param scratch: where a scratch file may be.
    """
    return partial(_gathered_of_one_platform, parse_updateinfo, scratch)


def _gathered_of_one_platform(
    parse: Callable[[BinaryIO, str, Counter[str], str], Iterator[Vulnerability]],
    scratch: Path,
    part: Part,
    paths: Sequence[Path],
    wanted: Container[str] | None,
    tally: Tally,
    source: str,
) -> Iterator[Vulnerability]:
    yield from _gathered(_of_one_platform(parse, part, paths, tally, source), scratch)


def _of_one_platform(
    parse: Callable[[BinaryIO, str, Counter[str], str], Iterator[Vulnerability]],
    part: Part,
    paths: Sequence[Path],
    tally: Tally,
    source: str,
) -> Iterator[Vulnerability]:
    """Read files that do not say of which platform they are."""
    if part.platform is None:
        raise SourceError(f"{part.key}: its files do not say of which platform they are")
    for path in paths:
        with open_feed(path) as stream:
            yield from parse(stream, part.platform, tally.skipped, source)


def debian_tracker_format(scratch: Path) -> Format:
    """
    Give the format of Debian's security tracker.

    :param scratch: where a scratch file may be.
    """
    return partial(_of_several_platforms, parse_tracker, scratch)


def clair_export_format(scratch: Path) -> Format:
    """
    Give the format of what Clair v4 exports.

    :param scratch: where a scratch file may be.
    """
    return partial(_of_several_platforms, parse_clair_export, scratch)


def _of_several_platforms(
    parse: Callable[[BinaryIO, Container[str] | None, Counter[str], str], Iterator[Vulnerability]],
    scratch: Path,
    part: Part,
    paths: Sequence[Path],
    wanted: Container[str] | None,
    tally: Tally,
    source: str,
) -> Iterator[Vulnerability]:
    """Read files that say of which platforms they are."""

    def parts() -> Iterator[Vulnerability]:
        for path in paths:
            with open_feed(path) as stream:
                yield from parse(stream, wanted, tally.skipped, source)

    yield from _gathered(parts(), scratch)


def _gathered(parts: Iterator[Vulnerability], scratch: Path) -> Iterator[Vulnerability]:
    """Put parts together that a feed, ordered by packages, tells of one flaw."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    gathering = Gathering(scratch)
    try:
        gathering.add(parts)
        for platform in gathering.platforms():
            yield from gathering.vulnerabilities(platform)
    finally:
        gathering.close()
