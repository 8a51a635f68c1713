"""Tests for :mod:`patches.server.sessions.service`: which sessions are activated or wait, and what they are served."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.logger import formatEvent, globalLogPublisher

from patches.server.budget import SESSION_BYTES, SESSIONS, WINDOW
from patches.server.errors import CatalogueError, Denied, OutOfOrder, SessionExpired, UnknownSession
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from tests.server.fake_catalogue import ShelfBroken, real, snapshot
from tests.server.session_case import TIGHT, ReadingCase


class ServingTests(ReadingCase):
    """The chunks that a session is served."""

    def test_whole(self) -> None:
        """A session is served each chunk of its snapshot and then the end, and is complete afterwards."""
        session = self.open()
        got = [self.successResultOf(self.ask(session, n)) for n in range(5)]
        self.assertEqual(
            [chunk.digest if chunk else None for chunk in got], [*(real("d1", n).digest for n in range(4)), None]
        )
        self.assertIs(session.state, State.COMPLETE)

    def test_end_again(self) -> None:
        """The end can be requested again, in case the response was lost; a chunk cannot."""
        session = self.open()
        self.read_all(session)
        self.read(session, 4)
        self.failureResultOf(self.ask(session, 3), OutOfOrder)

    def test_end_too_early(self) -> None:
        """The end cannot be requested before the last chunk."""
        session = self.open()
        self.read(session, 0, 1, 2)
        self.failureResultOf(self.ask(session, 4), OutOfOrder)
        self.assertIs(session.state, State.ACTIVE)

    def test_ready(self) -> None:
        """A chunk in the window is served without a wait, and counts as a sign of life."""
        session = self.open()
        self.clock.advance(9)
        chunk = self.service.read_cached(session.token, 0)
        assert chunk is not None
        self.assertEqual(chunk.digest, real("d1", 0).digest)
        self.assertEqual(session.seen, 9)
        self.assertEqual(self.service.events["served"], 1)

    def test_not_ready(self) -> None:
        """A request that cannot be served from the window is left to the API, which explains the reason."""
        session = self.open()
        self.assertIsNone(self.service.read_cached("unknown", 0))
        self.assertIsNone(self.service.read_cached(session.token, 2))
        self.assertIsNone(self.service.read_cached(session.token, 4))
        self.read_all(session)
        self.assertIsNone(self.service.read_cached(session.token, 4))

    def test_failure(self) -> None:
        """A session survives a failure of the catalogue, and can ask again."""
        self.shelf.at_once = False
        session = self.open()
        waiting = self.ask(session, 0)
        self.shelf.fail()
        self.failureResultOf(waiting, ShelfBroken)
        self.flushLoggedErrors(ShelfBroken)
        again = self.ask(session, 0)
        self.shelf.give()
        self.successResultOf(again)

    def test_failure_in_the_log(self) -> None:
        """A chunk that cannot be read is in the log with its platform and revision."""
        said: list[str] = []

        def observer(event: dict[str, Any]) -> None:
            said.append(formatEvent(event))

        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.shelf.at_once = False
        for error in (CatalogueError("disk I/O error"), MemoryError(), MemoryError()):
            session = self.open()
            waiting = self.ask(session, 0)
            self.shelf.wanted.pop(0)[2].errback(error)
            self.failureResultOf(waiting, type(error))
            self.service.close(session.token)
        waiting = self.ask(self.open(), 0)
        self.shelf.give()
        self.successResultOf(waiting)
        self.assertEqual(
            said,
            [
                "Chunk 0 of debian-12 d1 could not be read: disk I/O error",
                "Chunks cannot be read: there is not enough memory",
                "Chunks can be read again",
            ],
        )

    def test_unknown(self) -> None:
        """A session that was never opened is unknown."""
        self.failureResultOf(ensureDeferred(self.service.read("never", 0)), UnknownSession)
        self.assertRaises(UnknownSession, self.service.touch, "never")
        self.assertRaises(UnknownSession, self.service.close, "never")

    def test_close(self) -> None:
        """A closed session has ended, and all its memory is released."""
        session = self.open()
        self.service.close(session.token)
        self.assertRaises(SessionExpired, self.service.touch, session.token)
        self.assertEqual(self.budget.used[SESSIONS], 0)
        self.forget_windows()
        self.assertFalse(any(self.budget.used.values()))
        self.assertEqual(self.service.revisions_in_use(), set())

    def test_released_before_answers(self) -> None:
        """When the requests of a session that ended fail, all that the session used is already released."""
        self.shelf.at_once = False
        session = self.open()
        found = []
        waiting = self.ask(session, 0)
        waiting.addErrback(lambda _: found.append((self.service.revisions_in_use(), self.budget.used[SESSIONS])))
        self.service.close(session.token)
        self.assertEqual(found, [(set(), 0)])

    def test_closed_by_a_request_before(self) -> None:
        """A request that waited is refused if the response to the one before closes the session."""
        places = [self.open() for _ in range(self.limits.max_active)]
        session = self.open(snapshot(4, "debian-12", "d2"))
        answered, refused = self.ask(session, 0), self.ask(session, 0)
        answered.addCallback(lambda _: self.service.close(session.token))
        self.service.close(places[0].token)
        self.service.tick()
        self.successResultOf(answered)
        self.failureResultOf(refused, SessionExpired)


class CohortTests(ReadingCase):
    """Sessions that share a window."""

    def test_late_comer_joins(self) -> None:
        """A session that is opened while the first chunk is still cached joins the cohort."""
        first = self.open()
        self.read(first, 0)
        self.assertIs(self.open().state, State.ACTIVE)
        self.assertEqual(len(self.sessions.windows), 1)

    def test_late_comer_waits(self) -> None:
        """
        A session that is opened later waits until the cohort has ended, unless there is memory for another window, and
        is then served the whole list.
        """
        self.budget.take(WINDOW, self.budget.free(WINDOW) - TIGHT - 5 * SESSION_BYTES)
        first = self.open()
        self.read(first, 0, 1)
        late = self.open()
        self.assertIs(late.state, State.QUEUED)
        waiting = self.ask(late, 0)
        self.assertNoResult(waiting)
        self.read_all(first)
        self.successResultOf(waiting)
        self.read_all(late)

    def test_max_active(self) -> None:
        """
        At most ``max_active`` sessions of a platform are active; a place that becomes free is filled at once.
        """
        sessions = [self.open() for _ in range(4)]
        self.assertEqual([s.state for s in sessions], [State.ACTIVE] * 3 + [State.QUEUED])
        self.service.close(sessions[0].token)
        self.assertIs(sessions[3].state, State.ACTIVE)

    def test_no_jumping(self) -> None:
        """A place that becomes free goes to a session that waited, not to one that was just opened."""
        sessions = [self.open() for _ in range(4)]
        self.service.close(sessions[0].token)
        newcomer = self.open()
        self.assertEqual([sessions[3].state, newcomer.state], [State.ACTIVE, State.QUEUED])

    def test_platforms_apart(self) -> None:
        """Each platform has its own limits and its own windows."""
        for _ in range(4):
            self.open()
        self.assertIs(self.open(self.alpine).state, State.ACTIVE)

    def test_new_snapshot(self) -> None:
        """A session that is opened after a publication reads the new snapshot; the others go on with theirs."""
        old = self.open()
        new = self.open(snapshot(1, "debian-12", "d2"))
        chunk = self.successResultOf(self.ask(new, 0))
        assert chunk is not None
        self.assertEqual(chunk.digest, real("d2", 0).digest)
        self.read_all(old)

    def test_queue_full(self) -> None:
        """A session that meets a full queue is denied with a time for the retry, and leaves nothing behind."""
        for _ in range(8):
            self.open()
        used = self.budget.used
        denied = self.assertRaises(Denied, self.open)
        self.assertEqual((denied.code, denied.retry_after), ("queue-full", 1))
        self.assertEqual((self.budget.used, len(self.sessions)), (used, 8))

    def test_finishing_at_once(self) -> None:
        """When an activated session completes at once, those behind it are activated too, and each of them once."""
        active = [self.open() for _ in range(3)]
        ending = self.service.resume(self.key.create("debian-12", "d1"), self.debian, 4)
        following = self.open()
        end, first = self.ask(ending, 4), self.ask(following, 0)
        for session in active:
            self.service.close(session.token)
        self.assertIsNone(self.successResultOf(end))
        self.successResultOf(first)
        self.assertEqual(self.service.events["activated"], 5)


class StoppingTests(ReadingCase):
    """The end of a server."""

    def test_answers_all(self) -> None:
        """
        All waiting requests fail because the server is stopping; no session is opened or resumed afterwards.
        """
        self.shelf.at_once = False
        sessions = [self.open() for _ in range(4)]
        waiting = [*(self.ask(session, 0) for session in sessions), self.active(sessions[3])]
        self.service.stop()
        for one in waiting:
            self.assertEqual(self.failureResultOf(one, Denied).value.code, "stopping")
        self.assertRaises(Denied, self.open)
        self.assertRaises(Denied, self.service.resume, sessions[0].token, self.debian, 0)
        self.assertEqual((len(self.sessions), self.budget.used[SESSIONS]), (0, 0))

    def test_memory(self) -> None:
        """The memory of a window is released once the chunks that are being loaded have arrived."""
        self.shelf.at_once = False
        self.open()
        self.service.stop()
        self.assertGreater(self.budget.used[WINDOW], 0)
        self.shelf.give()
        self.forget_windows()
        self.assertEqual(self.budget.used[WINDOW], 0)


class GivingUpTests(ReadingCase):
    """Requests that are cancelled."""

    limits = Limits(max_active=1, max_queued=5)

    def test_cancelled(self) -> None:
        """A session whose request is cancelled keeps its place in the queue."""
        first, second = self.open(), self.open()
        waiting = self.ask(second, 0)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.read_all(first)
        self.assertIs(second.state, State.ACTIVE)

    def test_wrong_chunk_while_queued(self) -> None:
        """A queued session may ask for its first chunk only."""
        self.open()
        self.failureResultOf(self.ask(self.open(), 1), OutOfOrder)
