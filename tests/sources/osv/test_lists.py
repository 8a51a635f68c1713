"""Tests for :mod:`patches.sources.osv.lists`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.osv.lists import parse_list
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import FeedPart, ParseJob
from tests.sources.archive.test_members import tar, zipped
from tests.sources.osv.test_source import records


def job_of(*paths: Path) -> ParseJob:
    """Return the job of parsing archives."""
    return ParseJob("osv", "osv", FeedPart("osv", ()), paths, Path("scratch"))


class ArchiveTests(SynchronousTestCase):
    """Archives of records."""

    def counts(self, *contents: bytes) -> tuple[int, int, int | None]:
        """Parse archives. Return the number of vulnerabilities, of entries, and of announced entries."""
        paths = [Path(self.mktemp()) for _ in contents]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        job = job_of(*paths)
        context = job.context()
        found = list(parse_list(job, context))
        return len(found), context.found, context.claimed

    def test_claimed(self) -> None:
        """A zip file announces the number of its records; other archives announce nothing."""
        self.assertEqual(self.counts(zipped(records(3))), (3, 3, 3))
        self.assertEqual(self.counts(tar(records(3))), (3, 3, None))

    def test_several(self) -> None:
        """The records of several archives are counted together."""
        self.assertEqual(self.counts(tar(records(3)), tar(records(2)))[:2], (5, 5))

    def test_damaged(self) -> None:
        """A zip file whose directory is damaged is refused with its path."""
        for content in (zipped(records())[:-10], b"PK\x03\x04" + bytes(100)):
            with self.assertRaises(SourceError) as caught:
                self.counts(content)
            self.assertNotIn("\n", str(caught.exception))

    def test_missing(self) -> None:
        """A file that does not exist is an error of the source."""
        with self.assertRaisesRegex(SourceError, "absent: .*No such file"):
            list(parse_list(job_of(Path("absent")), ParseContext("osv")))
