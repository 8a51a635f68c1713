"""The limits of epochs in Debian's versions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.versions import InvalidVersion
from patches.versions.dpkg import sort_key


class EpochTests(SynchronousTestCase):
    """The epoch is an ``int`` of C."""

    def test_limits(self) -> None:
        """The greatest epoch is 2147483647; zeros before it do not count."""
        for epoch in ("0", "1", "2147483646", "2147483647", "0002147483647", "+5", "-0"):
            self.assertIsInstance(sort_key(f"{epoch}:1"), bytes)
        for epoch in ("2147483648", "4294967295", "4294967296", "9999999999", "10000000000", "-1", ""):
            self.assertRaises(InvalidVersion, sort_key, f"{epoch}:1")

    def test_order(self) -> None:
        """A higher epoch takes precedence over the rest; a missing epoch is 0."""
        keys = [sort_key(version) for version in ("9", "1:1", "9:1", "10:1", "2147483646:1", "2147483647:1")]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(len(set(keys)), 6)
        self.assertEqual(sort_key("0:9"), sort_key("9"))

    def test_long(self) -> None:
        """Long versions compare like short ones, below and above the length up to which keys are cached."""
        for length in (255, 256, 257, 300):
            versions = ["1" + "a" * (length - 2) + last for last in "bcd"]
            keys = [sort_key(version) for version in versions]
            self.assertEqual(([len(version) for version in versions], keys), ([length] * 3, sorted(set(keys))))
