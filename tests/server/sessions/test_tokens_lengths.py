"""Tokens of every length: what base64 leaves away at the end is put there again."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import BadToken
from patches.server.sessions.tokens import TokenKey


class LengthTests(SynchronousTestCase):
    """Tokens of revisions of many lengths."""

    def test_read(self) -> None:
        """Each is read as it was made, and with anything behind it is refused."""
        key = TokenKey(b"k" * 32)
        lengths = set()
        for length in range(1, 40):
            token = key.create("debian-12", "r" * length)
            lengths.add(len(token) % 20)
            self.assertEqual(key.read(token), ("debian-12", "r" * length))
            for more in ("=", "==", "A", "\n"):
                self.assertRaises(BadToken, key.read, token + more)
        self.assertEqual(len(lengths), 15)
