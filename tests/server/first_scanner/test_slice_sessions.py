"""The table of the sessions of first scanners."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, SESSIONS
from patches.server.errors import Denied, SessionExpired, UnknownSession
from patches.server.first_scanner.slice_sessions import MOST_REMEMBERED, SliceLimits, SliceSession, SliceSessions
from patches.server.first_scanner.slices import ListSlice, Position
from patches.service.budget import Budget
from tests.server.fake_catalogue import snapshot

LIST = snapshot(4, "debian-12", "d1")


def served(session: SliceSession, sequence: str | None, records: int = 2) -> ListSlice:
    """Serve the slice that a list of records, all in one chunk, has for a request."""
    start = session.start(sequence)
    end = Position(4) if start.chunk == 4 or start.offset + 1 == records else Position(0, start.offset + 1)
    found = ListSlice(start, end, () if start.chunk == 4 else (b"%d" % start.offset,))
    session.serve(found, sequence)
    return found


class SessionTests(SynchronousTestCase):
    """One session."""

    def setUp(self) -> None:
        self.session = SliceSession("t", LIST, "", 0.0)

    def walk(self, *sequences: str | None) -> list[tuple[bytes, ...]]:
        """Send requests. Return the records of each answer."""
        return [served(self.session, sequence).lines for sequence in sequences]

    def test_without_sequence(self) -> None:
        """Each request without a sequence gets the next slice, as the first scanner expects it."""
        self.assertEqual(self.walk(None, None, None, None), [(b"0",), (b"1",), (), ()])

    def test_again(self) -> None:
        """A request with the sequence of the last one gets the same slice, as often as it is sent."""
        self.assertEqual(self.walk("1", "1", "2", "2", "2"), [(b"0",), (b"0",), (b"1",), (b"1",), (b"1",)])
        self.assertEqual(self.walk("3", "3"), [(), ()])

    def test_identity(self) -> None:
        """Two sessions are never the same, even if their values are."""
        self.assertNotEqual(self.session, SliceSession("t", LIST, "", 0.0))

    def test_mixed(self) -> None:
        """A request without a sequence is never a repetition."""
        self.assertEqual(self.walk(None, "1", None), [(b"0",), (b"1",), ()])

    def test_complete(self) -> None:
        """A session is complete when the end was served, not when the last record was."""
        states = []
        for _ in range(3):
            states.append(self.session.is_complete)
            self.walk(None)
        self.assertEqual([*states, self.session.is_complete], [False, False, False, True])


class TableTests(SynchronousTestCase):
    """The sessions of a server."""

    def setUp(self) -> None:
        self.budget = Budget(3 * SESSION_BYTES)
        self.table = SliceSessions(SliceLimits(places=2, silence=900.0, complete_silence=30.0), self.budget)

    def test_places(self) -> None:
        """As many sessions as there are places are opened, whatever the platform; the next is denied in words."""
        self.table.open("a", LIST, "", 0.0)
        self.table.open("b", snapshot(4, "alpine-3.20", "a1"), "", 0.0)
        error = self.assertRaises(Denied, self.table.open, "c", LIST, "", 0.0)
        self.assertEqual((error.code, str(error).split()[0], error.retry_after), ("queue-full", "2", 60))
        self.assertEqual((len(self.table), self.table.count("debian-12"), self.table.count("x")), (2, 1, 0))
        self.assertEqual(self.table.revisions(), {"d1", "a1"})
        self.table.close("a")
        self.table.open("c", LIST, "", 0.0)

    def test_share(self) -> None:
        """If there is no place, the address with the most of them gives the youngest to one that has fewer."""
        self.table = SliceSessions(SliceLimits(places=5, max_share=0.2), self.budget_of(6))
        for token, owner in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a"), ("b2", "b")):
            self.table.open(token, LIST, owner, 0.0)
        self.table.open("c1", LIST, "c", 0.0)
        self.assertEqual(self.assertRaises(Denied, self.table.touch, "a3", 1.0).code, "share")
        for owner in "ab":
            self.assertRaises(Denied, self.table.open, "x", LIST, owner, 0.0)
        self.table.open("c2", LIST, "d", 0.0)
        self.assertRaises(Denied, self.table.touch, "a2", 1.0)
        self.assertEqual((len(self.table), self.table.count("debian-12")), (5, 5))

    def test_no_share(self) -> None:
        """An address gives nothing away if it has no more places than an address may have."""
        self.table = SliceSessions(SliceLimits(places=4, max_share=0.75), self.budget_of(4))
        for token in ("a1", "a2", "a3", "b1"):
            self.table.open(token, LIST, token[0], 0.0)
        self.assertRaises(Denied, self.table.open, "c1", LIST, "c", 0.0)
        self.table.close("b1")
        self.table.open("a4", LIST, "a", 0.0)
        self.table.open("c1", LIST, "c", 0.0)
        self.assertNotIn("a4", self.table)

    def budget_of(self, sessions: int) -> Budget:
        """Create a budget for a number of sessions."""
        return Budget(sessions * SESSION_BYTES)

    def test_memory(self) -> None:
        """A session is granted by the budget, and its bytes are released when it ends."""
        self.table.open("a", LIST, "", 0.0)
        self.assertEqual(self.budget.used[SESSIONS], SESSION_BYTES)
        self.budget.take(SESSIONS, 2 * SESSION_BYTES)
        self.assertEqual(self.assertRaises(Denied, self.table.open, "b", LIST, "", 0.0).code, "memory-limit")
        self.table.close("a")
        self.table.close("a")
        self.assertEqual(self.budget.used[SESSIONS], 2 * SESSION_BYTES)
        self.assertEqual(self.table.count("debian-12"), 0)

    def test_silence(self) -> None:
        """A session may be silent for 15 minutes; then it ends, and a late request gets the reason."""
        self.assertEqual(SliceLimits(1).silence, 15 * 60)
        session = self.table.open("a", LIST, "", 0.0)
        self.assertIs(self.table.touch("a", 800.0), session)
        self.assertEqual(self.table.expire(1700.0), [])
        self.assertEqual(self.table.expire(1700.5), [session])
        self.assertEqual((len(self.table), self.table.revisions(), self.budget.used[SESSIONS]), (0, set(), 0))
        self.assertIn("silent for more than 900 s", str(self.assertRaises(SessionExpired, self.table.touch, "a", 1701)))

    def test_complete(self) -> None:
        """A session that has read everything is kept for a short time, and its end is no loss."""
        session = self.table.open("a", LIST, "", 0.0)
        for _ in range(3):
            served(session, None)
        self.assertEqual((self.table.expire(30.0), len(self.table)), ([], 1))
        self.assertEqual((self.table.expire(30.1), len(self.table)), ([], 0))
        self.assertIn("more than 30 s", str(self.assertRaises(SessionExpired, self.table.touch, "a", 31.0)))

    def test_remembered(self) -> None:
        """The reasons of a bounded number of ended sessions are remembered."""
        self.table = SliceSessions(SliceLimits(places=2000), Budget(1 << 30))
        for number in range(MOST_REMEMBERED + 1):
            self.table.open(str(number), LIST, "", 0.0)
        self.table.expire(901.0)
        self.assertRaises(UnknownSession, self.table.touch, "0", 901.0)
        self.assertRaises(SessionExpired, self.table.touch, "1", 901.0)

    def test_stop(self) -> None:
        """When the server stops, sessions end, and new ones are denied."""
        self.table.open("a", LIST, "", 0.0)
        self.table.stop()
        error = self.assertRaises(Denied, self.table.touch, "a", 0.0)
        self.assertEqual((error.code, error.retry_after), ("stopping", 1))
        self.assertEqual(self.assertRaises(Denied, self.table.open, "b", LIST, "", 0.0).code, "stopping")
        self.assertEqual(self.budget.used[SESSIONS], 0)


@given(st.integers(0, 6), st.lists(st.booleans(), max_size=30))
def test_nothing_skipped(records: int, lost: list[bool]) -> None:
    """Whichever answers are lost, a scanner that repeats their requests receives every record once, in order."""
    session = SliceSession("t", LIST if records else snapshot(0), "", 0.0)
    received: list[bytes] = []
    losses, number, found = iter(lost), 0, None
    while found is None or found.lines:
        found = served(session, str(number), records) if records else ListSlice(Position(), Position(), ())
        if not next(losses, False):
            received += found.lines
            number += 1
        else:
            found = None
    assert received == [b"%d" % each for each in range(records)]
