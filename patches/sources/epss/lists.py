"""
Parser of EPSS scores: the percentile of each CVE, as a band of a tenth.

Scores and percentiles move a little every day; a band changes seldom, so that lists do not change every day. The band
0.9 begins at the percentile 0.9, and ends with 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from patches.errors import SourceError
from patches.sources.archive.decompress import open_feed
from patches.sources.ids import is_cve
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import ALL_PLATFORMS, Vulnerability

NO_ROW = "not a row of a CVE and its percentile"
HIGHEST_BAND = 9
_COLUMNS = ("cve", "epss", "percentile")
#: The longest line: a row has about 30 bytes, the comment before the rows some 70.
_LONGEST_LINE = 1024
_NUMBER = re.compile(r"[01](?:\.\d{1,12})?\Z|\d(?:\.\d{1,12})?e-\d{1,2}\Z", re.ASCII)


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the files of scores; see :class:`~patches.sources.parse_job.ListParser`."""
    for path in job.paths:
        with open_feed(path) as stream:
            yield from parse_epss(stream, context)


def parse_epss(stream: BinaryIO, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a record for each CVE, about all platforms.

    :raises SourceError: if the file has other columns than EPSS, or ends in the middle of a row.
    """
    columns: dict[str, int] = {}
    for text in _lines(stream):
        cells = text.strip().split(",")
        if text.startswith("#") or not text.strip():
            continue
        if not columns:
            columns = {name: number for number, name in enumerate(cells)}
            if not columns.keys() >= set(_COLUMNS):
                raise SourceError(f"it is not a file of EPSS: it has no columns {', '.join(_COLUMNS)}")
            continue
        context.found += 1
        name, percentile = (
            cells[columns[each]] if columns[each] < len(cells) else "" for each in ("cve", "percentile")
        )
        band = band_of(percentile)
        if not is_cve(name) or band is None:
            context.skip(NO_ROW)
        else:
            yield Vulnerability(name, ALL_PLATFORMS, epss=band, source=context.source)
    if not columns:
        raise SourceError("it is not a file of EPSS: it is empty")


def band_of(percentile: str) -> float | None:
    """Return the band of a percentile; ``None`` if it is not a number from 0 to 1."""
    value = float(percentile) if _NUMBER.match(percentile) else -1.0
    return min(int(value * 10), HIGHEST_BAND) / 10 if 0 <= value <= 1 else None


def _lines(stream: BinaryIO) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise SourceError(f"a line of more than {_LONGEST_LINE} bytes")
        if not line.endswith(b"\n"):
            raise SourceError("it ends in the middle of a row")
        yield line.decode("utf-8", "replace")
