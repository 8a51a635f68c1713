"""Lists in the wire format, parsed from files: one vulnerability per line, of one or several platforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from attrs import evolve

from patches.errors import SourceError
from patches.sources.archive.decompress import open_feed
from patches.sources.fields import is_name
from patches.sources.ids import bare
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import FOLLOWED, Vulnerability
from patches.wire import MalformedWire, decode_lines

#: The longest line, in bytes. The longest record of a known list, of a kernel, has some 300 KB; a chunk has 1 MiB.
LONGEST_LINE = 4 * 1024 * 1024


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse files in the wire format, which may be compressed; see :class:`~patches.sources.parse_job.ListParser`."""
    for path in job.paths:
        with open_feed(path) as stream:
            for number, line in enumerate(_lines(stream, job.part.key), start=1):
                for vulnerability in _parse_line(job.part.key, number, line):
                    context.found += vulnerability.name != FOLLOWED
                    if context.wants(vulnerability.platform):
                        yield from bare(evolve(vulnerability, source=vulnerability.source or context.source))


def _lines(stream: BinaryIO, key: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise SourceError(f"{key}:{number}: a line of more than {LONGEST_LINE} bytes")
        yield line


def _parse_line(key: str, number: int, line: bytes) -> Iterator[Vulnerability]:
    try:
        found = list(decode_lines(line))
    except MalformedWire as error:
        raise SourceError(f"{key}:{number}: {error}") from error
    names = (package.name for vulnerability in found for package in vulnerability.fixed_in)
    wrong = next((name for name in names if not is_name(name)), None)
    if wrong is not None:
        raise SourceError(f"{key}:{number}: {wrong[:40]!a} is not the name of a package")
    yield from found
