"""Tests for :mod:`patches.scanner.outcome`: the counts, and that a package that was not compared is never fine."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.inventory import Package
from patches.scanner.outcome import Coverage, Outcome, Target, Verdict
from patches.scanner.output.document import outcome_document
from patches.scanner.output.table import summary
from patches.scanner.scan import scan
from tests.scanner.sample_outcomes import FINDINGS, UNFIXED, outcome
from tests.scanner.scripted_client import CannedHTTP

PACKAGES = tuple(Package(name, "1", "amd64", name, "1") for name in "abcdefg")


class JudgedTests(SynchronousTestCase):
    """The counts of packages."""

    def test_fine(self) -> None:
        """Fine packages are those that are not affected, not evaluated or not covered."""
        a, b, c, d, *_ = PACKAGES
        for coverage, expected in (
            (Coverage(), 0),
            (Coverage(7), 7),
            (Coverage(7, (a,)), 6),
            (Coverage(7, (a,), {b: ("x",)}), 5),
            (Coverage(7, (a,), {b: ("x",)}, {c: "y", d: "y"}), 3),
            (Coverage(4, (a,), {b: ("x",)}, {c: "y", d: "y"}), 0),
        ):
            self.assertEqual(coverage.fine, expected)

    def test_nothing_read(self) -> None:
        """If nothing was read no package is fine, in the table and in the document, whatever the verdict."""
        for verdict in Verdict:
            read = Outcome("web-1", "debian-12", 0.0, 1.0, verdict)
            self.assertEqual(read.coverage.fine, 0)
            text = summary(read, verbose=True)
            self.assertNotRegex(text, r"[1-9]\d* fine")
            self.assertEqual("0 packages: 0 affected, 0 fine." in text, read.complete, verdict)
            packages = outcome_document(read)["packages"]
            self.assertEqual((packages["installed"], packages["affected"]), (0, 0))
            self.assertEqual(packages["fine"], 0 if read.complete else None)

    def test_unreadable_host(self) -> None:
        """A host whose packages cannot be read is an error, and none of its packages is fine."""
        clock = Clock()
        client = PatchesClient(CannedHTTP(), "http://server", clock, ClientSettings(), jitter=lambda: 0.0)
        root = Path(self.mktemp())
        root.mkdir()
        read = self.successResultOf(ensureDeferred(scan(client, Target("web-1", "debian-12", root))))
        self.assertEqual((read.verdict, read.coverage, read.complete), (Verdict.ERROR, Coverage(), False))
        self.assertNotIn("fine", summary(read))
        self.assertIsNone(outcome_document(read)["packages"]["fine"])

    def test_incomplete(self) -> None:
        """In an incomplete scan no package is fine, even though the packages were read."""
        for verdict in Verdict:
            read = outcome(verdict=verdict, problem="why")
            fine = outcome_document(read)["packages"]["fine"]
            complete = verdict in (Verdict.CLEAN, Verdict.FINDINGS, Verdict.STALE)
            self.assertIs(read.complete, complete)
            self.assertEqual(fine, 0 if complete else None)
            self.assertEqual("fine" in summary(read), complete)


class FindingsTests(SynchronousTestCase):
    """Which findings are shown, and which count."""

    def test_shown(self) -> None:
        """Findings without a fix are shown only on request, the most severe first; ignored ones never count."""
        self.assertEqual(outcome().shown, FINDINGS)
        shown = outcome(with_unfixed=True).shown
        self.assertEqual({*shown}, {*FINDINGS, *UNFIXED})
        self.assertEqual([each.severity for each in shown], sorted((each.severity for each in shown), reverse=True))
        self.assertEqual(outcome().counted, FINDINGS[:2])
        self.assertEqual(len(outcome(with_unfixed=True).counted), 4)

    def test_ids(self) -> None:
        """Every scan has its own id."""
        ids = {Outcome("h", "debian-12", 0.0, 1.0, Verdict.CLEAN).scan_id for _ in range(9)}
        self.assertEqual((len(ids), {len(each) for each in ids}), (9, {32}))
