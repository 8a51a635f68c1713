"""Tests of tokens of every length: the base64 padding that is removed when a token is created is restored."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import BadToken
from patches.server.sessions.tokens import TokenKey


class LengthTests(SynchronousTestCase):
    """Tokens of revisions of many lengths."""

    def test_read(self) -> None:
        """A token of any length can be read, and is rejected if anything is appended."""
        key = TokenKey(b"k" * 32)
        lengths = set()
        for length in range(1, 40):
            token = key.create("debian-12", "r" * length)
            lengths.add(len(token) % 20)
            self.assertEqual(key.read(token), ("debian-12", "r" * length))
            for more in ("=", "==", "A", "\n"):
                self.assertRaises(BadToken, key.read, token + more)
        self.assertEqual(len(lengths), 15)
