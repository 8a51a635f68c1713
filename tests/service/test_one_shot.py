"""Tests for :mod:`patches.service.one_shot` and for Ctrl-C, which ends a command at any time with its own exit code."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import NoReturn

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.main import Commands
from patches.service.one_shot import INTERRUPTED
from tests.processes import running

RUNS = """
import os, signal, sys
from twisted.internet.defer import Deferred
from patches.service import one_shot

async def work(reactor):
    {}

sys.exit(one_shot.run(work))
"""


class InterruptTests(SynchronousTestCase):
    """Ctrl-C."""

    def run_work(self, *lines: str) -> tuple[int, str]:
        """Run some work in a process of its own. Return the exit code, and its errors."""
        code = RUNS.format("\n    ".join(lines))
        with running([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
            _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def test_result(self) -> None:
        """The exit code of the program is that of the work."""
        self.assertEqual(self.run_work("return 3"), (3, ""))

    def test_at_once(self) -> None:
        """An interrupt in the first moment of the work ends it: the work begins when the reactor can be stopped."""
        interrupted = "os.kill(os.getpid(), signal.SIGINT)"
        self.assertEqual(self.run_work(interrupted, "await Deferred()"), (INTERRUPTED, ""))

    def test_peace(self) -> None:
        """Work that is interrupted may end in peace, but not for ever; SIGTERM is an interruption too."""
        for signal, last in (("SIGINT", "await deferLater(reactor, 0.1)"), ("SIGTERM", "await Deferred()")):
            lines = (
                "from twisted.internet.task import deferLater",
                f"reactor.callLater(0.05, os.kill, os.getpid(), signal.{signal})",
                "try:",
                "    await Deferred()",
                "finally:",
                "    print('ending', file=sys.stderr)",
                f"    {last}",
                "    print('ended', file=sys.stderr)",
            )
            printed = "ending\nended\n" if signal == "SIGINT" else "ending\n"
            started = time.monotonic()
            self.assertEqual(self.run_work(*lines), (INTERRUPTED, printed))
            self.assertLess(time.monotonic() - started, 8)

    def test_before(self) -> None:
        """An interrupt before the reactor runs ends the command too; Ctrl-C never looks like a finding."""

        @click.group(cls=Commands)
        def group() -> None:
            """Run the commands of the test."""

        @group.command()
        def interrupted() -> NoReturn:
            raise KeyboardInterrupt

        ran = CliRunner().invoke(group, ["interrupted"])
        self.assertEqual((ran.exit_code, ran.output), (INTERRUPTED, ""))
