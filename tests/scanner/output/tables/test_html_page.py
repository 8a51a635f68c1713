"""The HTML page: one file that loads nothing and obeys nothing."""

from __future__ import annotations

from html.parser import HTMLParser

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome
from patches.scanner.output.tables.html_page import html_pieces
from patches.scanner.output.tables.view import FINDING, View
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.output.format_checks import everything
from tests.scanner.sample_outcomes import SUDO, failed, finding, outcome, record

_EMPTY = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """The elements and texts of a page; an element that is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that an element is closed in order."""
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def page_of(of: Outcome, view: View | None = None) -> Page:
    """Return the page of an outcome."""
    return Page("".join(html_pieces(of, view or View())))


class HtmlTests(SynchronousTestCase):
    """HTML."""

    def test_whole(self) -> None:
        """Whatever the outcome is, each element is closed, and nothing is loaded or run."""
        for of in everything():
            page = page_of(of)
            self.assertEqual(page.open, [])
            names = {name for name, _ in page.elements}
            self.assertEqual(names & {"script", "img", "link", "iframe", "object", "form"}, set())
            self.assertFalse(
                any("src" in each or any(key.startswith("on") for key in each) for _, each in page.elements)
            )
            policy = [each for name, each in page.elements if each.get("http-equiv") == "Content-Security-Policy"]
            self.assertIn("default-src 'none'", str(policy[0]["content"]))

    def test_content(self) -> None:
        """The page has the summary with the command, the upgrades, and the findings with links."""
        page = page_of(outcome())
        for text in (
            "web-1 (debian-12): findings",
            "2 findings (1 high, 1 medium)",
            "apt-get install --only-upgrade bash libssl3",
            "Not covered: docker-ce",
            "low (ignored)",
        ):
            self.assertIn(text, page.text)
        links = {each["href"] for name, each in page.elements if name == "a"}
        self.assertIn("https://security-tracker.debian.org/tracker/CVE-2025-9230", links)
        self.assertEqual(sum(name == "tr" for name, _ in page.elements), 2 + 2 + 4)
        self.assertIn("Incomplete: web-1 (debian-12): Connection refused", page_of(failed()).text)

    def test_view(self) -> None:
        """The columns and filters of a view apply to its own rows."""
        page = page_of(outcome(), View(FINDING, ("id", "names"), lowest=Severity.HIGH))
        self.assertIn("Other names", page.text)
        self.assertEqual(sum(name == "tr" for name, _ in page.elements), 2 + 1 + 2)

    def test_escapes(self) -> None:
        """Markup in a text is text, and only a web address is a link."""
        harmful = "<script>alert(1)</script>\"'&"
        odd = finding("CVE-1", evolve(SUDO, name=harmful), FixedPackage("a", harmful, "binary"), Severity.LOW)
        href = record("CVE-1", Severity.LOW, details_href="javascript:alert(1)")
        page = page_of(outcome(findings=(evolve(odd, records=(href,)),), host=harmful))
        self.assertIn(harmful, page.text)
        self.assertNotIn("script", {name for name, _ in page.elements})
        self.assertFalse(any("javascript" in str(each.get("href")) for _, each in page.elements))

    def test_ascii(self) -> None:
        """Characters beyond ASCII are references, and are shown as they are."""
        text = "".join(html_pieces(outcome(host="wéb"), View()))
        self.assertTrue(text.isascii())
        self.assertIn("wéb", Page(text).text)
