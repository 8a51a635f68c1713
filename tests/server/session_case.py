"""A case with a :class:`~patches.server.sessions.sessions.SessionService` that reads made-up snapshots."""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, WINDOW, Budget
from patches.server.catalogue.snapshot import Snapshot
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.sessions import SessionService
from patches.server.sessions.table import Limits, Session, SessionTable
from patches.server.sessions.tokens import TokenKey
from tests.server.fake_catalogue import Shelf, snapshot

#: The window has room for two of the small chunks of these tests, but not for a third.
WINDOW_BYTES = MAX_RESPONSE_BYTES + 400


class ReadingCase(SynchronousTestCase):
    """A case with two platforms, and with memory for two windows and many sessions."""

    limits = Limits(max_active=3, max_queued=5, session_timeout=30, queue_timeout=60, chunk_timeout=20)
    windows = 2
    sessions = 100

    def setUp(self) -> None:
        self.clock = Clock()
        self.shelf = Shelf()
        self.key = TokenKey(b"k" * 32)
        self.table = SessionTable(self.limits)
        self.budget = Budget(
            self.windows * WINDOW_BYTES + self.sessions * SESSION_BYTES, {WINDOW: self.windows * WINDOW_BYTES}
        )
        self.session_service = SessionService(
            self.table, self.key, self.budget, self.shelf.load, WINDOW_BYTES, self.clock
        )
        self.debian = snapshot(4, "debian-12", "d1")
        self.alpine = snapshot(4, "alpine-3.20", "a1")

    def open(self, what: Snapshot | None = None) -> Session:
        """Open a session, of Debian by default."""
        return self.session_service.open(what or self.debian)

    def ask(self, session: Session, n: int) -> Deferred[ChunkResponse | None]:
        """Request a chunk, and wait for it."""
        return ensureDeferred(self.session_service.read(session.token, n))

    def read(self, session: Session, *numbers: int) -> None:
        """Read chunks that must be available at once."""
        for n in numbers:
            chunk = self.successResultOf(self.ask(session, n))
            self.assertEqual(
                chunk.number if chunk else None, n if n < self.session_service.snapshot(session).chunks else None
            )

    def read_all(self, session: Session) -> None:
        """Read all remaining chunks, and finish."""
        self.read(session, *range(session.position, 5))

    def pass_time(self, seconds: int, *alive: Session) -> None:
        """Advance the time, with a sign of life of each of these sessions every second."""
        for _ in range(seconds):
            self.clock.advance(1)
            for session in alive:
                if self.table.find(session.token) is not None:
                    self.session_service.touch(session.token)
            self.session_service.tick()
