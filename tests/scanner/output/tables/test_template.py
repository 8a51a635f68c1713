"""Templates of a user: they see the document and the upgrades, and reach nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome
from patches.scanner.output.tables.template import LARGEST_TEMPLATE, BadTemplate, UserTemplate
from patches.scanner.output.tables.view import View
from patches.storage.atomic_file import Unwritable
from patches.vulnerability import Severity
from tests.scanner.sample_outcomes import FINDINGS, SUDO, outcome


class TemplateTests(SynchronousTestCase):
    """Jinja2."""

    def write(self, text: str, suffix: str = ".txt.j2") -> Path:
        """Write a template."""
        path = Path(self.mktemp() + suffix)
        path.write_text(text)
        return path

    def made(self, text: str, suffix: str = ".txt.j2", of: Outcome | None = None, view: View | None = None) -> str:
        """Return what a template makes of an outcome."""
        template = UserTemplate.read(self.write(text, suffix))
        return "".join(template.pieces(of or outcome(), view or View()))

    def test_document(self) -> None:
        """A template has the names of the JSON document; a list can be counted and gone through again."""
        text = "{{ host }} {{ verdict }} {{ findings|length }}{% for each in findings %} {{ each.flaw }}{% endfor %}"
        expected = "web-1 findings 4 CVE-2025-9230 CVE-2025-9230 CVE-2026-1000 CVE-2026-2000"
        self.assertEqual(self.made(text), expected)
        self.assertEqual(self.made("{% for n in [1, 2] %}{{ findings|list|length }}{% endfor %}"), "44")

    def test_upgrades(self) -> None:
        """A template has the upgrades that a view shows."""
        text = "{% for each in upgrades %}{{ each.source }} {{ each.fixed }} {{ each.ids|length }};{% endfor %}"
        self.assertEqual(self.made(text), "openssl 3.0.17-1 1;bash after 5.2.15-2 1;")
        self.assertEqual(self.made(text, view=View(lowest=Severity.HIGH)), "openssl 3.0.17-1 1;")

    def test_escapes(self) -> None:
        """Texts are escaped in a page, and kept as they are in a text."""
        odd = outcome(findings=(evolve(FINDINGS[0], package=evolve(SUDO, name="<b>")),))
        text = "{% for each in findings %}{{ each.package.name }}{% endfor %}"
        for suffix, shown in ((".html", "&lt;b&gt;"), (".HTML.j2", "&lt;b&gt;"), (".xml", "&lt;b&gt;"), (".md", "<b>")):
            self.assertEqual(self.made(text, suffix, odd), shown, suffix)

    def test_sandbox(self) -> None:
        """A template reaches no code and no file, and changes nothing."""
        for text in (
            "{{ ''.__class__.__mro__ }}",
            "{{ findings.__init__.__globals__ }}",
            "{% include '/etc/passwd' %}",
            "{{ tracks.append(1) }}",
            "{{ unknown }}",
            "{{ 1 / 0 }}",
        ):
            self.assertRaisesRegex(Unwritable, r"\.txt\.j2: the template failed: ", self.made, text)

    def test_refused(self) -> None:
        """A template that cannot be used is refused before the scan."""
        self.assertRaisesRegex(BadTemplate, "there is no such file", UserTemplate.read, Path(self.mktemp()))
        self.assertRaisesRegex(BadTemplate, "TemplateSyntaxError", UserTemplate.read, self.write("{% for %}"))
        path = self.write("")
        path.write_bytes(b"\xff")
        self.assertRaisesRegex(BadTemplate, "not UTF-8", UserTemplate.read, path)
        path.write_bytes(b"x" * (LARGEST_TEMPLATE + 1))
        self.assertRaisesRegex(BadTemplate, "larger than 1024 KiB", UserTemplate.read, path)

    def test_without_jinja(self) -> None:
        """Without Jinja2 one line says what to install."""
        for name in {"jinja2", "jinja2.sandbox"} & {*sys.modules, "jinja2"}:
            before = sys.modules.get(name)
            if before is None:
                self.addCleanup(sys.modules.pop, name, None)
            else:
                self.addCleanup(sys.modules.__setitem__, name, before)
            sys.modules[name] = None  # type: ignore[assignment]
        self.assertRaisesRegex(BadTemplate, r"pip install '\.\[templates\]'", UserTemplate.read, self.write("x"))
