"""Tests for :mod:`patches.server.errors`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server import errors


class ErrorTests(SynchronousTestCase):
    """The families of errors, and their attributes."""

    def test_families(self) -> None:
        """Each error belongs to exactly one family."""
        families = (errors.CatalogueError, errors.PlatformError, errors.SessionError)
        for kind, family in (
            (errors.ChunkMissing, errors.CatalogueError),
            (errors.OlderList, errors.CatalogueError),
            (errors.UnknownPlatform, errors.PlatformError),
            (errors.NotReady, errors.PlatformError),
            (errors.Denied, errors.SessionError),
            (errors.UnknownSession, errors.SessionError),
            (errors.BadToken, errors.SessionError),
            (errors.SessionExpired, errors.SessionError),
            (errors.OutOfOrder, errors.SessionError),
            (errors.WindowClosed, errors.SessionError),
        ):
            self.assertEqual([each for each in families if issubclass(kind, each)], [family], kind)

    def test_denied(self) -> None:
        """A denial has a code, a reason and a time for the retry."""
        error = errors.Denied("queue-full", "8 scanners wait", 30)
        self.assertEqual((error.code, str(error), error.retry_after), ("queue-full", "8 scanners wait", 30))

    def test_out_of_order(self) -> None:
        """An error of order has the requested and the current chunk."""
        error = errors.OutOfOrder(5, 3)
        self.assertEqual((error.asked, error.at), (5, 3))
        self.assertEqual(str(error), "chunk 5 was asked for; this session is at chunk 3")
