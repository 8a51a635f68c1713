"""Reports wait on disk, whole and in order, until they are accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.reporting.outbox import MOST_PENDING, Outbox, OutboxFacts, outbox_facts


def numbered(number: int) -> dict[str, Any]:
    """Return a report."""
    return {"number": number}


class OutboxTests(SynchronousTestCase):
    """An outbox in a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.outbox = Outbox(self.folder)

    def numbers(self) -> list[int]:
        """Return the numbers of the pending reports, as the reports contain them."""
        return [json.loads(path.read_bytes())["number"] for path in self.outbox.pending()]

    def test_order(self) -> None:
        """Reports are in the order in which they were stored; each contains its number."""
        for _ in range(12):
            self.outbox.put(numbered)
        self.assertEqual(self.numbers(), list(range(1, 13)))

    def test_restart(self) -> None:
        """Pending reports survive a restart, and the numbers continue, even if no report is pending."""
        self.outbox.put(numbered)
        self.outbox = Outbox(self.folder)
        self.outbox.put(numbered)
        self.assertEqual(self.numbers(), [1, 2])
        for path in self.outbox.pending():
            self.outbox.accepted(path)
        self.outbox = Outbox(self.folder)
        self.outbox.put(numbered)
        self.assertEqual(self.numbers(), [3])

    def test_facts(self) -> None:
        """The facts of an outbox are read without a change; a missing one is empty."""
        self.assertEqual(outbox_facts(self.folder / "absent"), OutboxFacts(self.folder / "absent"))
        for _ in range(3):
            self.outbox.put(numbered)
        first, second, _ = self.outbox.pending()
        self.outbox.accepted(first)
        self.outbox.reject(second)
        found = outbox_facts(self.folder)
        self.assertEqual((found.pending, found.rejected, found.accepted_number), (1, 1, 1))
        self.assertGreaterEqual(found.oldest or 0, (found.accepted or 0) - 60)

    def test_damaged(self) -> None:
        """A report of which a bit was flipped is not whole; one that an earlier version stored has no digest."""
        path = self.outbox.put(numbered)
        self.assertTrue(self.outbox.is_whole(path))
        path.write_bytes(path.read_bytes().replace(b"1", b"3"))
        self.assertFalse(self.outbox.is_whole(path))
        path.with_suffix(".sha256").unlink()
        self.assertTrue(self.outbox.is_whole(path))
        self.outbox.accepted(self.outbox.put(numbered))
        self.outbox.reject(path)
        left = sorted(str(each.relative_to(self.folder)) for each in self.folder.rglob("*.*"))
        self.assertEqual(left, ["rejected/0000000001.json"])

    def test_lost_counter(self) -> None:
        """A lost counter never results in two reports with the same number."""
        self.outbox.put(numbered)
        (self.folder / "last-number").write_text("rubbish")
        self.outbox.put(numbered)
        self.assertEqual(self.numbers(), [1, 2])

    def test_whole_or_not_at_all(self) -> None:
        """A report that cannot be written leaves no file that would be sent."""
        with self.assertRaises(TypeError):
            self.outbox.put(lambda number: {"never": object()})
        self.assertEqual(self.outbox.pending(), [])

    def test_half_written(self) -> None:
        """A file that a crash left incomplete is not a pending report."""
        (self.folder / ".0000000001.json.new").write_bytes(b'{"numb')
        self.assertEqual(self.outbox.pending(), [])

    def test_bounded(self) -> None:
        """The outbox does not fill the disk: only the newest reports stay."""
        for _ in range(MOST_PENDING + 5):
            self.outbox.put(numbered)
        self.assertEqual(self.numbers(), list(range(6, MOST_PENDING + 6)))

    def test_rejected(self) -> None:
        """A rejected report is not pending any longer, and can be inspected."""
        path = self.outbox.put(numbered)
        self.outbox.reject(path)
        self.assertEqual(self.outbox.pending(), [])
        self.assertEqual(json.loads((self.folder / "rejected" / path.name).read_bytes()), {"number": 1})

    def test_private(self) -> None:
        """Only the owner can read the outbox: reports say what is vulnerable."""
        self.assertEqual((self.folder / "rejected").stat().st_mode & 0o077, 0)
        self.assertEqual(self.folder.stat().st_mode & 0o077, 0)
