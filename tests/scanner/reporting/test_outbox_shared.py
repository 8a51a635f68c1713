"""An outbox that two processes use: the daemon, and a manual scan."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.reporting.outbox import MOST_PENDING, Outbox


class SharedOutbox(Outbox):
    """An outbox whose oldest report another process delivers immediately after it was listed."""

    def pending(self) -> list[Path]:
        """See :meth:`Outbox.pending`."""
        found = super().pending()
        if found and len(found) > MOST_PENDING:
            found[0].unlink()
        return found


class SharedTests(SynchronousTestCase):
    """The effects of another process."""

    def test_dropped(self) -> None:
        """A report that is to be dropped or was accepted may be removed already."""
        outbox = SharedOutbox(Path(self.mktemp()))
        for _ in range(MOST_PENDING + 2):
            path = outbox.put(lambda number: {"number": number})
        self.assertEqual(len(outbox.pending()), MOST_PENDING)
        for _ in range(2):
            outbox.accepted(path)
        self.assertFalse(path.exists())
