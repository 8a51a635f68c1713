"""Tests for :mod:`patches.server.http.errors`: the response to each error that crosses a boundary."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.server.errors import (
    BadToken,
    CatalogueError,
    ChunkMissing,
    Denied,
    NotReady,
    OutOfOrder,
    SessionExpired,
    UnknownPlatform,
    UnknownSession,
    WindowClosed,
)
from patches.server.http.errors import ApiError, api_error

TABLE: list[tuple[Exception, int, str, int | None]] = [
    (ApiError(400, "malformed", "what?"), 400, "malformed", None),
    (Denied("queue-full", "full", 30), 503, "queue-full", 30),
    (Denied("memory-limit", "full", 5), 503, "memory-limit", 5),
    (Denied("stopping", "bye", 1), 503, "stopping", 1),
    (NotReady("debian-12"), 503, "not-ready", 10),
    (UnknownPlatform("amiga-3"), 404, "unknown-platform", None),
    (UnknownSession(), 404, "unknown-session", None),
    (BadToken("no"), 404, "unknown-session", None),
    (SessionExpired("silent"), 410, "expired", None),
    (ChunkMissing("gone"), 410, "expired", None),
    (CatalogueError("secret"), 503, "catalogue", 5),
    (OutOfOrder(3, 1), 409, "out-of-order", None),
    (WindowClosed(), 409, "resumed", None),
]


class ProblemTests(SynchronousTestCase):
    """Translating errors."""

    def test_table(self) -> None:
        """Each error has its status, its code, a message, and perhaps a time for the retry."""
        for error, status, code, retry_after in TABLE:
            problem = api_error(error)
            assert problem is not None
            self.assertEqual((problem.status, problem.code, problem.retry_after), (status, code, retry_after))
            self.assertTrue(problem.message)

    def test_ours(self) -> None:
        """An error that is not in the table is not described to a client."""
        for error in (ZeroDivisionError("secret"), SourceError("secret"), KeyError("secret")):
            self.assertIsNone(api_error(error))

    def test_reason(self) -> None:
        """The message of an expiry states the reason; that of a request out of order states both chunks."""
        self.assertEqual(getattr(api_error(SessionExpired("it slept")), "message", ""), "it slept")
        message = getattr(api_error(OutOfOrder(3, 1)), "message", "")
        self.assertIn("3", message)
        self.assertIn("1", message)
