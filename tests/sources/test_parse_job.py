"""Tests for :mod:`patches.sources.parse_job`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.parse_job import FeedPart, ParseJob


class ParseJobTests(SynchronousTestCase):
    """Jobs that are sent to another process."""

    def test_round_trip(self) -> None:
        """A job is the same after it was sent as a line, whatever is in the names of its files."""
        part = FeedPart("main", ("https://feeds.test/a\nb", "é"), "alpine-3.20")
        photon = EcosystemConfig("Photon OS", "photon", "rpm", "binary")
        odd = Path("/f/\udcff\n")
        for job in (
            ParseJob("secdb", "own", part, (odd, Path("b")), odd, frozenset({"b", "a"}), (photon,)),
            ParseJob("osv", "own", FeedPart("x", ()), (), Path("s.regroup")),
        ):
            self.assertNotIn("\n", job.to_json())
            self.assertEqual(ParseJob.from_json(job.to_json().encode().decode()), job)

    def test_files(self) -> None:
        """The staged file is not the scratch file; the context has the name and the wanted platforms."""
        job = ParseJob("osv", "own", FeedPart("x", ()), (), Path("f/own.regroup"), frozenset({"a"}))
        self.assertEqual(job.staged, Path("f/own.staged"))
        self.assertEqual((job.context().source, job.context().wanted), ("own", {"a"}))
