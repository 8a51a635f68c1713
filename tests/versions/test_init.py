"""Tests for :mod:`patches.versions`: the orders by the names of their schemes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.versions import SCHEMES, InvalidVersion, ordering


class OrderingTests(SynchronousTestCase):
    """The order of a scheme."""

    def test_schemes(self) -> None:
        """Each scheme orders versions as its native tool does."""
        older = {"dpkg": "1.0~rc1-1", "rpm": "1.0~rc1-1", "apk": "1.0_rc1-r0"}
        newer = {"dpkg": "1.0-1", "rpm": "1.0-1", "apk": "1.0-r0"}
        self.assertEqual((set(SCHEMES), set(SCHEMES)), (older.keys(), newer.keys()))
        for scheme in SCHEMES:
            order = ordering(scheme)
            assert order is not None
            self.assertLess(order(older[scheme]), order(newer[scheme]), scheme)

    def test_unknown(self) -> None:
        """A scheme that is not known has no order, even if the package has a module of that name."""
        for scheme in ("", "pip", "numbers", "DPKG", "."):
            self.assertIsNone(ordering(scheme), scheme)

    def test_invalid(self) -> None:
        """The error for an invalid version has the version and the reason."""
        order = ordering("dpkg")
        assert order is not None
        error = self.assertRaises(InvalidVersion, order, "a:1")
        self.assertEqual((error.version, str(error)), ("a:1", f"'a:1': {error.reason}"))
