"""The list of Clair v4's exports, parsed from their files."""

from __future__ import annotations

from collections.abc import Iterator

from patches.sources.clair_export.parser import parse_clair_export
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.sources.regroup import file_fragments, regrouped
from patches.vulnerability import Vulnerability


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the exports; see :class:`~patches.sources.parse_job.ListParser`."""
    return regrouped(file_fragments(parse_clair_export, job.paths, context), job.scratch)
