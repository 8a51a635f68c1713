"""The list of a CSAF provider, parsed from its documents."""

from __future__ import annotations

from collections.abc import Iterator

from patches.sources.csaf.parser import parse_csaf
from patches.sources.csaf.store import DocumentStore
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import Vulnerability


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the VEX documents of a provider; see :class:`~patches.sources.parse_job.ListParser`."""
    for path in job.paths:
        yield from parse_csaf(context.counted(DocumentStore.from_file(path).documents()), context)
