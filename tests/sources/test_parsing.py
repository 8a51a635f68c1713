"""Tests for :mod:`patches.sources.parsing`: lists that are parsed in this process."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.parse_job import FeedPart, ParseJob
from patches.sources.parsing import LISTS, ParsingHere, parse_job
from patches.sources.registry import KINDS
from patches.vulnerability import Vulnerability
from tests.server.fake_catalogue import lines


class ParsingTests(SynchronousTestCase):
    """A list of one file."""

    def job(self, *platforms: str) -> ParseJob:
        """Return a job whose list has a record of each of these platforms, and of which Debian 12 is wanted."""
        folder = Path(self.mktemp())
        folder.mkdir()
        records = (Vulnerability("CVE-2024-0001", platform) for platform in platforms)
        (folder / "list").write_bytes(b"".join(lines(list(records))))
        part = FeedPart("list", ("list",))
        return ParseJob("ndjson", "own", part, (folder / "list",), folder / "scratch", frozenset({"debian-12"}))

    def test_kinds(self) -> None:
        """Every kind of source can be parsed here, except Clair, whose lists are no files."""
        self.assertEqual(KINDS.keys() - LISTS.keys(), {"clair"})
        self.assertEqual(LISTS.keys() - KINDS.keys(), set())

    def test_unwanted(self) -> None:
        """An empty list names the platforms that are not wanted as the reason; another list does not."""
        for platform, skipped in (("debian-11", {"not a wanted platform": 2}), ("debian-12", {})):
            job = self.job("alpine-3.20", platform)
            context = job.context()
            records = self.successResultOf(Deferred.fromCoroutine(ParsingHere().parse(job, context)))
            self.assertEqual([each.platform for each in records], ["debian-12"] if not skipped else [])
            self.assertEqual(context.skipped, skipped)

    def test_error(self) -> None:
        """An error of the parser is raised while the records are consumed."""
        job = self.job("debian-12")
        job.paths[0].write_bytes(b"{}")
        with self.assertRaisesRegex(SourceError, "^list:1: not a vulnerability"):
            list(parse_job(job, job.context()))
