"""Tests for :mod:`patches.standalone.progress`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.standalone.progress import RefreshProgress


class RefreshProgressTests(SynchronousTestCase):
    """The progress in words."""

    def test_text(self) -> None:
        """A file that arrives is told in megabytes, and a list that is read in records."""
        for progress, is_known, what, text in (
            (RefreshProgress(), False, "nothing", "the sources: asked for changes"),
            (RefreshProgress(("a", "b")), False, "a, b", "a, b: asked for changes"),
            (RefreshProgress(("a",), 1_500_000), True, "a", "a: 1.5 MB received"),
            (RefreshProgress(("a",), 0, 71_000_000), True, "a, 71.0 MB", "a: 0.0 of 71.0 MB received"),
            (RefreshProgress(("a",), records=0), True, "a", "a: 0 records read"),
            (RefreshProgress(("a",), records=4_000), True, "a", "a: 4000 records read"),
        ):
            self.assertEqual((progress.is_known, progress.what, progress.text), (is_known, what, text))
