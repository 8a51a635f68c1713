"""Parsing in this process: what a worker does, for commands and tests that read a list without a server."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from patches.skipped import UNWANTED
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ListParser, ParseJob
from patches.vulnerability import Vulnerability

#: The modules with the parser of the lists of each kind; each is loaded when it is needed, as it takes memory.
LISTS = {
    "clair-export": "patches.sources.clair_export.lists",
    "csaf-vex": "patches.sources.csaf.lists",
    "debian-tracker": "patches.sources.debian_tracker.lists",
    "epss": "patches.sources.epss.lists",
    "kev": "patches.sources.kev.lists",
    "ndjson": "patches.sources.ndjson.lists",
    "nvd": "patches.sources.nvd.lists",
    "osv": "patches.sources.osv.lists",
    "secdb": "patches.sources.secdb.lists",
    "updateinfo": "patches.sources.updateinfo.lists",
}


def parse_job(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield the records of a list.

    :raises SourceError: if it cannot be parsed.
    """
    parse: ListParser = import_module(LISTS[job.kind]).parse_list
    is_empty = True
    for vulnerability in parse(job, context):
        is_empty = False
        yield vulnerability
    if is_empty and context.unwanted:
        context.skip(UNWANTED, context.unwanted)


class ParsingHere:
    """Parses in this process; see :class:`~patches.sources.feed.Parsing`."""

    worker_bytes = 0

    async def parse(self, job: ParseJob, context: ParseContext, /) -> Iterator[Vulnerability]:
        """Return the records, which are parsed while they are consumed."""
        return parse_job(job, context)

    def rest(self, source: str, /) -> None:
        """See :class:`~patches.sources.feed.Parsing`: there is no worker."""
