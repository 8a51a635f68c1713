"""Tests for :mod:`patches.sources.worker.reply`."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.worker.reply import LONGEST_MESSAGE, LONGEST_REPLY, OUT_OF_MEMORY, WorkerReply, is_out_of_memory


class ReplyTests(SynchronousTestCase):
    """Replies that are sent as lines."""

    def test_round_trip(self) -> None:
        """A reply is the same after it was sent."""
        for reply in (WorkerReply(), WorkerReply("x.json: damaged"), WorkerReply(is_out_of_memory=True)):
            self.assertEqual(WorkerReply.from_line(reply.to_line()), reply)
        self.assertEqual(WorkerReply(is_out_of_memory=True).to_line(), OUT_OF_MEMORY)

    def test_one_line(self) -> None:
        """The message of an error is one line, and not too long."""
        line = WorkerReply("a\nb\n" + "\N{GRINNING FACE}" * 10_000).to_line()
        self.assertEqual((line.count(b"\n"), line[-1:]), (1, b"\n"))
        self.assertLess(len(line), LONGEST_REPLY)
        self.assertEqual(len(str(WorkerReply.from_line(line).error)), LONGEST_MESSAGE)

    def test_refused(self) -> None:
        """Anything else is refused."""
        for line in (b"", b"[]", b"{}", b'{"error": 7}', b"x", b"\xff"):
            self.assertRaises(ValueError, WorkerReply.from_line, line)


class MemoryTests(SynchronousTestCase):
    """The errors that a lack of memory causes."""

    def test_causes(self) -> None:
        """The cause of an error is found; that of a damaged document is another one."""
        self.assertTrue(is_out_of_memory(self.caused(MemoryError())))
        lack, damage = ParseError("out of memory"), ParseError("not well-formed")
        lack.code, damage.code = 1, 4
        self.assertTrue(is_out_of_memory(self.caused(lack)))
        self.assertFalse(is_out_of_memory(self.caused(damage)))
        self.assertFalse(is_out_of_memory(None))

    def caused(self, cause: Exception) -> SourceError:
        """Return an error with a cause."""
        error = SourceError("x")
        error.__cause__ = cause
        return error
