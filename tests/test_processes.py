"""Child processes of tests."""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests import processes

PYTHON = (sys.executable, "-S", "-c")
SHOW = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
WAIT = "import time; print(flush=True); time.sleep(60)"


class ProcessesTests(SynchronousTestCase):
    """Processes that the tests start."""

    def test_interruptible(self) -> None:
        """A process can be interrupted even if the tests run in the background of a shell, where SIGINT is ignored."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with processes.running([*PYTHON, SHOW], stdout=subprocess.PIPE, text=True) as process:
                output, _ = process.communicate(timeout=30)
            self.assertIs(signal.getsignal(signal.SIGINT), signal.SIG_IGN)
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertEqual(output, "False\n")

    def test_ended(self) -> None:
        """A process is stopped at the end of its block, even if it is suspended and the block fails."""
        with (
            self.assertRaises(ZeroDivisionError),
            processes.running([*PYTHON, WAIT], stdout=subprocess.PIPE) as process,
        ):
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
            raise ZeroDivisionError
        process.stdout.close()
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def test_stubborn(self) -> None:
        """A process that does not stop is killed, and that is an error."""
        code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"
        with processes.start([*PYTHON, code], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            with self.assertRaises(subprocess.TimeoutExpired):
                processes.end(process, 0.1)
        self.assertEqual(process.returncode, -signal.SIGKILL)
