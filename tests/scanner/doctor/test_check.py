"""Tests for :mod:`patches.scanner.doctor.check`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check, checks_document, guarded


class CheckTests(SynchronousTestCase):
    """The results of checks."""

    def test_line(self) -> None:
        """A check is one line, whatever is in it."""
        self.assertEqual(Check("clock", OK, "right").line, "ok       clock: right")
        self.assertEqual(Check("a", PROBLEM, "x\ny", "repair it").line, "problem  a: x\\ny; repair it")

    def test_guarded(self) -> None:
        """An error that nobody expected is a problem."""

        def fail() -> Check:
            raise ValueError("odd\nand long")

        self.assertEqual(guarded("a", fail), Check("a", PROBLEM, "the check failed: ValueError: odd"))

    def test_document(self) -> None:
        """The worst state is that of the whole."""
        checks = [Check("a", OK, "x"), Check("b", WARNING, "y", "z")]
        self.assertEqual(checks_document(checks)["state"], WARNING)
        self.assertEqual(checks_document([])["state"], OK)
        self.assertEqual(checks_document([*checks, Check("c", PROBLEM, "")])["state"], PROBLEM)
