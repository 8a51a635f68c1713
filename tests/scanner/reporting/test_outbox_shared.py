"""An outbox that two processes use: the daemon, and a scan by hand."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.reporting.outbox import MOST_PENDING, Outbox


class SharedOutbox(Outbox):
    """An outbox of which another process delivers the oldest report as soon as it was looked at."""

    def pending(self) -> list[Path]:
        """See :meth:`Outbox.pending`."""
        found = super().pending()
        if found and len(found) > MOST_PENDING:
            found[0].unlink()
        return found


class SharedTests(SynchronousTestCase):
    """What another process has done meanwhile."""

    def test_dropped(self) -> None:
        """A report that is to be dropped may be gone already, as may one that was accepted."""
        outbox = SharedOutbox(Path(self.mktemp()))
        for _ in range(MOST_PENDING + 2):
            path = outbox.put(lambda number: {"number": number})
        self.assertEqual(len(outbox.pending()), MOST_PENDING)
        for _ in range(2):
            outbox.accepted(path)
        self.assertFalse(path.exists())
