"""The output of ``patches scan``: only the document on standard output."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.destinations import Stream
from patches.scanner.output.screen import PlannedOutput, Screen
from patches.storage.atomic_file import Unwritable, WholeFile
from tests.scanner.sample_outcomes import failed, outcome


def screen_of(*forms: str) -> Screen:
    """Return a screen that writes documents to standard output."""
    return Screen(tuple(map(PlannedOutput, forms)))


class ScreenTests(SynchronousTestCase):
    """The destination of each text."""

    def said(self, screen: Screen, of: Outcome) -> tuple[str, str]:
        """Show an outcome and a note. Return standard output and standard error."""
        output, errors = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            with screen.progress("Scanning") as watch:
                watch(None)  # type: ignore[arg-type]
            screen.show(of)
            screen.note("[a note]")
        return output.getvalue(), errors.getvalue()

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable of the environment until the end of the test."""
        before = os.environ.get(name)
        if before is None:
            self.addCleanup(os.environ.pop, name, None)
        else:
            self.addCleanup(os.environ.__setitem__, name, before)
        os.environ[name] = value

    def test_document_only(self) -> None:
        """Standard output has the document and nothing else; notes are on standard error."""
        for form in ("json", "sarif", "cyclonedx", "openvex"):
            output, errors = self.said(screen_of(form), outcome())
            self.assertIsInstance(json.loads(output), dict)
            self.assertTrue(output.endswith("}\n"))
            self.assertEqual(errors, "[a note]\n")

    def test_quiet(self) -> None:
        """A quiet screen prints no notes, but still prints errors."""
        output, errors = self.said(Screen(quiet=True), outcome())
        self.assertEqual(("CVE-2025-9230" in output, errors), (True, ""))
        errors_too = StringIO()
        with redirect_stderr(errors_too):
            Screen(quiet=True).show_error("it broke")
        self.assertEqual(errors_too.getvalue(), "Error: it broke\n")

    def test_progress(self) -> None:
        """Progress is shown on a terminal, but not elsewhere, and not on a quiet screen."""
        before = dict(os.environ)
        self.addCleanup(os.environ.update, before)
        os.environ["TERM"] = "xterm"
        stream = SimpleNamespace(served=7, snapshot={"vulnerabilities": 19})
        for quiet, shown in ((False, True), (True, False)):
            primary, secondary = os.openpty()
            with open(primary, "rb") as terminal, open(secondary, "w") as errors, redirect_stderr(errors):
                with Screen(quiet=quiet).progress("Scanning web-1") as watch:
                    watch(stream)  # type: ignore[arg-type]
                errors.write("end")
                errors.flush()
                seen = b""
                while not seen.endswith(b"end"):
                    seen += os.read(terminal.fileno(), 65536)
            self.assertEqual(b"7 of 19 vulnerabilities" in seen, shown)

    def test_file(self) -> None:
        """With a file standard output is empty; a table in a file has no colours."""
        for form in ("table", "json"):
            path = Path(self.mktemp())
            with WholeFile.at(path) as file:
                output, _ = self.said(Screen((PlannedOutput(form, file),), verbose=True), outcome())
            text = path.read_text()
            self.assertEqual((output, "\x1b" in text, "CVE-2025-9230" in text), ("", False, True))
        self.assertEqual(json.loads(text)["verdict"], "findings")

    def test_several(self) -> None:
        """Several documents are written of one outcome; one that cannot be written does not hinder the others."""
        path = Path(self.mktemp())
        with WholeFile.at(path) as file, open("/dev/full", "wb") as full:
            documents = (
                PlannedOutput("sarif", Stream(Path("/dev/full"), full.fileno())),
                PlannedOutput("json", file),
                PlannedOutput(),
            )
            output = StringIO()
            with redirect_stdout(output):
                self.assertRaisesRegex(Unwritable, "/dev/full: No space", Screen(documents).show, outcome())
        self.assertEqual(json.loads(path.read_text())["verdict"], "findings")
        self.assertIn("web-1 (debian-12): 2 findings", output.getvalue())

    def test_without_statements(self) -> None:
        """Without findings there is no document of statements, and one line says so; an earlier file stays."""
        path = Path(self.mktemp())
        path.write_text("earlier")
        clean = outcome(findings=(), verdict=Verdict.CLEAN)
        with WholeFile.at(path) as file:
            output, errors = self.said(Screen((PlannedOutput("openvex", file, "a.json"),)), clean)
        said = "There are no findings to make statements about: no openvex document is written to a.json.\n[a note]\n"
        self.assertEqual((path.read_text(), output, errors), ("earlier", "", said))
        self.assertEqual(self.said(screen_of("openvex"), clean)[0], "")
        said = "Error: incomplete: Connection refused: no openvex document is written.\n[a note]\n"
        self.assertEqual(self.said(screen_of("openvex"), failed()), ("", said))

    def test_without_verdict(self) -> None:
        """A format without a place for the verdict has it on standard error, unless it is clean or findings."""
        self.assertEqual(self.said(screen_of("csv"), outcome())[1], "[a note]\n")
        said = "Error: incomplete: Connection refused: the csv document does not say so.\n[a note]\n"
        self.assertEqual(self.said(screen_of("csv"), failed())[1], said)

    def test_text_formats(self) -> None:
        """Every format can be written in one run."""
        for form in ("csv", "html", "junit", "gitlab", "github", "spdx"):
            output, _ = self.said(screen_of(form), outcome())
            self.assertTrue(output.endswith("\n") and "libssl3" in output, form)

    def test_terminal(self) -> None:
        """In a terminal the table has colours."""
        for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "100")):
            self.set_variable(name, value)
        output, _ = self.said(Screen(), outcome())
        self.assertIn("\x1b[31mhigh", output)

    def test_closed(self) -> None:
        """A reader that closed the pipe is an error in one line."""
        with open("/dev/full", "w") as full:
            self.patch(sys, "stdout", full)
            self.assertRaisesRegex(Unwritable, "standard output: ", screen_of("json").show, failed())
            self.patch(sys, "stdout", sys.__stdout__)
            with self.assertRaises(OSError):
                full.close()
