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

from patches.scanner.outcome import Outcome
from patches.scanner.output.screen import Screen
from patches.storage.atomic_file import Unwritable, WholeFile
from tests.scanner.sample_outcomes import failed, outcome


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

    def test_document_only(self) -> None:
        """Standard output has the document and nothing else; notes are on standard error."""
        for form in ("json", "sarif", "cyclonedx", "openvex"):
            output, errors = self.said(Screen(form), outcome())
            self.assertIsInstance(json.loads(output), dict)
            self.assertTrue(output.endswith("}\n"))
            self.assertEqual(errors, "[a note]\n")

    def test_quiet(self) -> None:
        """A quiet screen prints no notes, but still prints errors."""
        output, errors = self.said(Screen("table", quiet=True), outcome())
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
                output, _ = self.said(Screen(form, file, verbose=True), outcome())
            text = path.read_text()
            self.assertEqual((output, "\x1b" in text, "CVE-2025-9230" in text), ("", False, True))
        self.assertEqual(json.loads(text)["verdict"], "findings")

    def test_closed(self) -> None:
        """A reader that closed the pipe is an error in one line."""
        with open("/dev/full", "w") as full:
            self.patch(sys, "stdout", full)
            self.assertRaisesRegex(Unwritable, "standard output: ", Screen("json").show, failed())
            self.patch(sys, "stdout", sys.__stdout__)
            with self.assertRaises(OSError):
                full.close()
