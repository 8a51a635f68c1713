"""Tests for :mod:`patches.server.errors`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server import errors


class ErrorTests(SynchronousTestCase):
    """Families of errors, and what they carry."""

    def test_families(self) -> None:
        """Whoever catches a family catches what belongs to it, and nothing of another family."""
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
        """Who is denied is told why, and when to come back."""
        error = errors.Denied("queue-full", "8 scanners wait", 30)
        self.assertEqual((error.code, str(error), error.retry_after), ("queue-full", "8 scanners wait", 30))

    def test_out_of_order(self) -> None:
        """Who asks out of turn is told for what, and where it is."""
        error = errors.OutOfOrder(5, 3)
        self.assertEqual((error.asked, error.at), (5, 3))
        self.assertEqual(str(error), "chunk 5 was asked for; this session is at chunk 3")
