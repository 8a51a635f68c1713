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
    """Tokens are unguessable, and tell what they were made for."""

    def setUp(self) -> None:
        self.key = TokenKey(b"k" * 32)
        self.token = self.key.create("debian-12", "0123456789abcdef0123456789abcdef")

    def test_round(self) -> None:
        """A token tells platform and revision."""
        self.assertEqual(self.key.read(self.token), ("debian-12", "0123456789abcdef0123456789abcdef"))

    def test_in_a_path(self) -> None:
        """It can stand in a path as it is."""
        self.assertRegex(self.token, r"\A[A-Za-z0-9_-]+\Z")

    def test_distinct(self) -> None:
        """No two are the same, though they are for the same, and each has 128 bits that no other has."""
        tokens = {self.key.create("debian-12", "r") for _ in range(1000)}
        self.assertEqual(len(tokens), 1000)

    def test_tampered(self) -> None:
        """A token in which any character was changed to any other one is no token."""
        for position, was in enumerate(self.token):
            for character in ALPHABET.replace(was, ""):
                tampered = self.token[:position] + character + self.token[position + 1 :]
                self.assertRaises(BadToken, self.key.read, tampered)

    def test_cut_or_longer(self) -> None:
        """Neither is one that is cut, or has more at its end."""
        for length in range(len(self.token)):
            self.assertRaises(BadToken, self.key.read, self.token[:length])
        for more in ("A", "=", "==", "AAAA", "\n", " ", "A" * 1000):
            self.assertRaises(BadToken, self.key.read, self.token + more)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Whatever else is no token either, and nothing breaks on it."""
        self.assertRaises(BadToken, self.key.read, text)

    def test_other_key(self) -> None:
        """A token of another key is none."""
        self.assertRaises(BadToken, TokenKey(b"l" * 32).read, self.token)


class KeyTests(SynchronousTestCase):
    """Keys come from files."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_made(self) -> None:
        """A key that is not there is made, and only its owner can read it."""
        TokenKey.from_file(self.path)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(self.path.read_bytes()), 32)

    def test_kept(self) -> None:
        """A server that is restarted knows its tokens."""
        token = TokenKey.from_file(self.path).create("debian-12", "r")
        self.assertEqual(TokenKey.from_file(self.path).read(token), ("debian-12", "r"))

    def test_differ(self) -> None:
        """Two servers do not make the same key."""
        TokenKey.from_file(self.path)
        other = Path(self.mktemp())
        TokenKey.from_file(other)
        self.assertNotEqual(self.path.read_bytes(), other.read_bytes())

    def test_short(self) -> None:
        """A key that is too short to be one is refused."""
        self.assertRaises(ValueError, TokenKey, b"k" * 31)
        self.path.write_bytes(b"")
        self.assertRaises(ValueError, TokenKey.from_file, self.path)

    def test_unusable(self) -> None:
        """A place at which no key can be made is an error of the system."""
        self.assertRaises(OSError, TokenKey.from_file, self.path / "absent" / "key")
