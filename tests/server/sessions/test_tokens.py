"""Tests for :mod:`patches.server.sessions.tokens`."""

from __future__ import annotations

import string
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import BadToken
from patches.server.sessions.tokens import TokenKey

ALPHABET = string.ascii_letters + string.digits + "-_+/=. é"


class TokenTests(SynchronousTestCase):
    """Tokens cannot be guessed, and contain a platform and a revision."""

    def setUp(self) -> None:
        self.key = TokenKey(b"k" * 32)
        self.token = self.key.create("debian-12", "0123456789abcdef0123456789abcdef")

    def test_round(self) -> None:
        """The platform and the revision of a token can be read."""
        self.assertEqual(self.key.read(self.token), ("debian-12", "0123456789abcdef0123456789abcdef"))

    def test_in_a_path(self) -> None:
        """A token can be part of a path without quoting."""
        self.assertRegex(self.token, r"\A[A-Za-z0-9_-]+\Z")

    def test_distinct(self) -> None:
        """Tokens for the same platform and revision differ, since each has 128 random bits of its own."""
        tokens = {self.key.create("debian-12", "r") for _ in range(1000)}
        self.assertEqual(len(tokens), 1000)

    def test_tampered(self) -> None:
        """A token is rejected if any of its characters is replaced by any other one."""
        for position, was in enumerate(self.token):
            for character in ALPHABET.replace(was, ""):
                tampered = self.token[:position] + character + self.token[position + 1 :]
                self.assertRaises(BadToken, self.key.read, tampered)

    def test_cut_or_longer(self) -> None:
        """A token is rejected if it is truncated or extended."""
        for length in range(len(self.token)):
            self.assertRaises(BadToken, self.key.read, self.token[:length])
        for more in ("A", "=", "==", "AAAA", "\n", " ", "A" * 1000):
            self.assertRaises(BadToken, self.key.read, self.token + more)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Any other text is rejected as a token."""
        self.assertRaises(BadToken, self.key.read, text)

    def test_other_key(self) -> None:
        """A token that was created with another key is rejected."""
        self.assertRaises(BadToken, TokenKey(b"l" * 32).read, self.token)


class KeyTests(SynchronousTestCase):
    """Keys that are read from files."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_made(self) -> None:
        """A key that does not exist is created, and only its owner can read it."""
        TokenKey.from_file(self.path)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(self.path.read_bytes()), 32)

    def test_kept(self) -> None:
        """A server that is restarted accepts its earlier tokens."""
        token = TokenKey.from_file(self.path).create("debian-12", "r")
        self.assertEqual(TokenKey.from_file(self.path).read(token), ("debian-12", "r"))

    def test_differ(self) -> None:
        """Two servers create different keys."""
        TokenKey.from_file(self.path)
        other = Path(self.mktemp())
        TokenKey.from_file(other)
        self.assertNotEqual(self.path.read_bytes(), other.read_bytes())

    def test_short(self) -> None:
        """A key that is too short is refused."""
        self.assertRaises(ValueError, TokenKey, b"k" * 31)
        self.path.write_bytes(b"")
        self.assertRaises(ValueError, TokenKey.from_file, self.path)

    def test_unusable(self) -> None:
        """A path at which a key cannot be created raises an :class:`OSError`."""
        self.assertRaises(OSError, TokenKey.from_file, self.path / "absent" / "key")
