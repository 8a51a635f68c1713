"""Tests of all formats: a terminal obeys nothing in a finding, an explanation or a problem."""

from __future__ import annotations

import contextlib
import io
import json

import attrs
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome
from patches.scanner.output.formats import TEXT_WRITERS, WRITERS
from patches.scanner.output.screen import Screen
from patches.scanner.output.table import summary
from patches.scanner.output.tables.view import FINDING, UPGRADE, View
from patches.service.terminal import plain, terminal
from tests.control_characters import HARMFUL, all_fields, harmful_record
from tests.scanner.sample_outcomes import FINDINGS, failed, outcome


def harmful_outcome(text: str) -> Outcome:
    """Return an outcome with a text in every field of its findings, and of what is around them."""
    found = []
    for each in FINDINGS:
        fixed, package = all_fields(each.fixed, text), all_fields(each.package, text)
        records = tuple(harmful_record(text, record) for record in each.records)
        found.append(all_fields(attrs.evolve(each, fixed=fixed, package=package, records=records), text))
    of = outcome(findings=tuple(found), with_unfixed=True)
    list_info = all_fields(of.list_info, text)
    not_evaluated = {f"{reason}{text}": count for reason, count in of.not_evaluated.items()}
    return attrs.evolve(of, list_info=list_info, not_evaluated=not_evaluated, host=f"web-1{text}")


class HarmfulTests(SynchronousTestCase):
    """Outputs of outcomes with harmful texts."""

    def assertShown(self, text: str, name: str) -> None:
        """Check that a text has nothing but printable characters and line feeds."""
        odd = {char for char in text if not char.isprintable() and char != "\n"}
        self.assertEqual(odd, set(), name)

    def test_documents(self) -> None:
        """The documents of all formats have these characters only as escapes, and are valid UTF-8."""
        for text in HARMFUL:
            for name, write in WRITERS.items():
                document = "".join(write(harmful_outcome(text)))
                self.assertShown(document, name)
                document.encode("utf-8")
                json.loads(document)
            for name, write_text in TEXT_WRITERS.items():
                self.assertShown("".join(write_text(harmful_outcome(text), View())), name)

    def test_table(self) -> None:
        """The table and the summary have visible escapes; rich's markup and its pictures are printed as they are."""
        for text in HARMFUL:
            of = harmful_outcome(text)
            for by in (UPGRADE, FINDING):
                file = io.StringIO()
                console = terminal(file)
                console.print_table(View(by).table(of))
                console.print(summary(of, verbose=True))
                self.assertShown(file.getvalue(), repr(text))
        self.assertIn("web-1[bold red]:bomb:[/]", file.getvalue())

    def test_problem(self) -> None:
        """So has what a scan says that was not done."""
        file = io.StringIO()
        for text in HARMFUL:
            of = attrs.evolve(failed(), problem=f"the server said {text}")
            terminal(file, 200).print(summary(of))
            with contextlib.redirect_stderr(file), contextlib.redirect_stdout(file):
                Screen().note(text)
                Screen().show_error(text)
        self.assertShown(file.getvalue(), "problem")

    def test_progress(self) -> None:
        """So has the progress of a scan in a terminal."""
        from patches.scanner.output.screen import _progress_text

        class Stream:
            served = 1
            snapshot = {"vulnerabilities": "\x1b[2J[bold]"}

        text = plain(_progress_text(Stream()))  # type: ignore[arg-type]
        self.assertEqual(text, "1 of \\x1b[2J\\[bold] vulnerabilities compared")
