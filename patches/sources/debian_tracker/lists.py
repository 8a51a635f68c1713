"""The list of Debian's security tracker, parsed from its file."""

from __future__ import annotations

from collections.abc import Iterator

from patches.sources.debian_tracker.parser import parse_tracker
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.sources.regroup import file_fragments, regrouped
from patches.vulnerability import Vulnerability


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the file of the tracker; see :class:`~patches.sources.parse_job.ListParser`."""
    return regrouped(file_fragments(parse_tracker, job.paths, context), job.scratch)
