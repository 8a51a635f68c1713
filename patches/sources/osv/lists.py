"""The lists of OSV, parsed from archives or folders of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from patches.errors import SourceError
from patches.sources.archive.members import members
from patches.sources.archive.zip import BadZip, is_zip, zip_members
from patches.sources.osv.ecosystems import with_configured
from patches.sources.osv.parser import parse_osv
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import Vulnerability


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse archives or folders of records; see :class:`~patches.sources.parse_job.ListParser`."""
    ecosystems = with_configured(job.ecosystems)
    for path in job.paths:
        context.claimed = _claimed(path)
        yield from parse_osv(context.counted(members(path)), context, ecosystems)


def _claimed(path: Path) -> int | None:
    """Return the number of records in a zip file's directory; ``None`` for other archives, which have no directory."""
    try:
        if not is_zip(path):
            return None
        with path.open("rb") as file:
            return sum(member.name.endswith(".json") for member in zip_members(file))
    except (OSError, BadZip) as error:
        raise SourceError(f"{path}: {error}") from error
