"""
Parser of CISA's catalogue of known exploited vulnerabilities: the date on which each CVE was added.

Its file is one JSON object, with some thousand entries of about a kilobyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from patches.enrichment.facts import is_date
from patches.sources.archive.decompress import open_feed
from patches.sources.archive.json_stream import items_of
from patches.sources.fields import object_of
from patches.sources.ids import is_cve
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import ALL_PLATFORMS, Vulnerability

NO_ENTRY = "without a CVE or a date"
_KEV = "the catalogue of known exploited vulnerabilities"


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the catalogue; see :class:`~patches.sources.parse_job.ListParser`."""
    for path in job.paths:
        with open_feed(path) as stream:
            yield from parse_kev(stream, context)


def parse_kev(stream: BinaryIO, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a record for each CVE of the catalogue, about all platforms.

    :raises SourceError: if the document is not the catalogue, or ends early.
    """
    for item in items_of(stream, context, "vulnerabilities", _KEV, "count"):
        name, date = object_of(item).get("cveID"), object_of(item).get("dateAdded")
        if is_cve(name) and is_date(date):
            yield Vulnerability(name, ALL_PLATFORMS, kev=date, source=context.source)
        else:
            context.skip(NO_ENTRY)
