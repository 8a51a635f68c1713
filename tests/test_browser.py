"""Tests for :mod:`tests.browser`, and the pages that Patches itself makes, in a real browser where there is one."""

from __future__ import annotations

from pathlib import Path
from unittest import skipIf

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.tables.html_page import html_pieces
from patches.scanner.output.tables.view import FINDING, View
from tests.browser import chromium, problems
from tests.scanner.sample_outcomes import outcome

BROWSER = chromium()


@skipIf(BROWSER is None, "there is no Chromium")
class BrowserTests(SynchronousTestCase):
    """Pages of HTML."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def look(self, width: int = 1280, **pages: str) -> list[str]:
        """Write pages, and return what is wrong with them."""
        for name, text in pages.items():
            (self.folder / f"{name}.html").write_text(text)
        looked, found = problems(str(BROWSER), self.folder, width)
        self.assertEqual(looked, len(pages))
        return sorted(found)

    def test_found(self) -> None:
        """A page that is too wide, one without its picture, and one whose script fails, are found."""
        found = self.look(
            good="<!doctype html><p>well",
            missing='<!doctype html><img src="none.png">',
            script="<!doctype html><script>absent()</script>",
            wide='<!doctype html><div style="width: 2000px">wide</div>',
        )
        text = "\n".join(found)
        for said in ("missing.html: no picture", "absent is not defined", "wide.html: scrolls sideways by"):
            self.assertIn(said, text)
        self.assertNotIn("good.html", text)

    def test_report(self) -> None:
        """The page of a scan has no problem, by upgrade and by finding, on a screen and on a phone."""
        pages = {by: "".join(html_pieces(outcome(with_unfixed=True), View(by))) for by in ("upgrade", FINDING)}
        for width in (1280, 400):
            self.assertEqual(self.look(width, **pages), [])
