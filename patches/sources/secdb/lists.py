"""The lists of a security database, parsed from their files."""

from __future__ import annotations

from collections.abc import Iterator

from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.sources.regroup import one_platform_fragments, regrouped
from patches.sources.secdb.parser import parse_secdb
from patches.vulnerability import Vulnerability


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the documents of a branch; see :class:`~patches.sources.parse_job.ListParser`."""
    return regrouped(one_platform_fragments(parse_secdb, job.part, job.paths, context), job.scratch)
