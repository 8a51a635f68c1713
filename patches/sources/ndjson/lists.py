"""
Lists in the wire format, parsed from files: one vulnerability per line, of one or several platforms.

A line that is no record means that the file is not what was written: the file is refused. An odd character in a record
keeps no list away: it is escaped, as in the records of all sources, also where it stands in the file as it is, which
JSON does not allow (RFC 8259, section 7), or is not UTF-8. A package whose name cannot be one is skipped, and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from attrs import evolve

from patches.errors import SourceError
from patches.escaping import escaped_record
from patches.skipped import NO_PACKAGE_NAME
from patches.sources.archive.decompress import open_feed
from patches.sources.fields import is_name
from patches.sources.ids import bare
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import ALL_PLATFORMS, FOLLOWED, Vulnerability
from patches.wire import MalformedWire, from_wire

#: The longest line, in bytes. The longest record of a known list, of a kernel, has some 300 KB; a chunk has 1 MiB.
LONGEST_LINE = 4 * 1024 * 1024


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse files in the wire format, which may be compressed; see :class:`~patches.sources.parse_job.ListParser`."""
    for path in job.paths:
        with open_feed(path) as stream:
            for number, line in enumerate(_lines(stream, job.part.key), start=1):
                vulnerability = _parse_line(job.part.key, number, line)
                context.found += vulnerability.name != FOLLOWED
                if not is_name(vulnerability.platform) or vulnerability.platform == ALL_PLATFORMS:
                    context.skip(context.unknown("platform", vulnerability.platform))
                elif context.wants(vulnerability.platform):
                    yield from _named(vulnerability, context)


def _lines(stream: BinaryIO, key: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise SourceError(f"{key}:{number}: a line of more than {LONGEST_LINE} bytes")
        yield line


def _parse_line(key: str, number: int, line: bytes) -> Vulnerability:
    try:
        return from_wire(json.loads(line.decode("utf-8", "surrogateescape"), strict=False))
    except MalformedWire as error:
        raise SourceError(f"{key}:{number}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{key}:{number}: not JSON: {error}") from error


def _named(found: Vulnerability, context: ParseContext) -> Iterator[Vulnerability]:
    """Yield a record under each id in its name, if it is about a package that can exist, or about none at all."""
    vulnerability = escaped_record(evolve(found, source=found.source or context.source))
    packages = tuple(package for package in vulnerability.fixed_in if is_name(package.name))
    nameless = len(vulnerability.fixed_in) - len(packages)
    if nameless:
        context.skip(NO_PACKAGE_NAME, nameless)
    if packages or not nameless:
        yield from bare(evolve(vulnerability, fixed_in=packages))
