"""A cached list that is read without verification: damage is an error immediately, not a shorter list."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.cache import CachedList, ListCache
from patches.scanner.client.verified_stream import NotVerified

BODIES = [b"one\ntwo\n", b"three\n"]


class DamagedTests(SynchronousTestCase):
    """The chunks in a file."""

    def setUp(self) -> None:
        cache = ListCache(Path(self.mktemp()), "debian-12")
        keeping = cache.keep()
        assert keeping is not None
        for body in BODIES:
            keeping.add(body)
        keeping.commit({"revision": "r1", "digest": "d"})
        keeping.close()
        cached = cache.cached()
        assert cached is not None
        self.cached: CachedList = cached
        self.content = cached.path.read_bytes()

    def test_whole(self) -> None:
        """The bodies and their lines are returned."""
        self.assertEqual(list(self.cached.bodies()), BODIES)
        self.assertEqual(list(self.cached.lines()), [b"one\n", b"two\n", b"three\n"])
        self.assertEqual(self.cached.revision, "r1")

    def test_cut_off(self) -> None:
        """A file that is truncated within a chunk or a length cannot be read."""
        first = 4 + int.from_bytes(self.content[:4], "big")
        for length in range(1, len(self.content)):
            self.cached.path.write_bytes(self.content[:length])
            if length == first:
                self.assertEqual(list(self.cached.bodies()), BODIES[:1])  # only count and digest show the damage
            else:
                self.assertRaises(NotVerified, list, self.cached.bodies())

    def test_absent(self) -> None:
        """A list without its file of chunks cannot be read."""
        self.cached.path.unlink()
        self.assertRaises(NotVerified, list, self.cached.bodies())
        self.assertRaises(NotVerified, list, self.cached.lines())

    def test_not_gzip(self) -> None:
        """A chunk that is not gzip cannot be read."""
        self.cached.path.write_bytes(self.content[:4] + b"?" + self.content[5:])
        self.assertRaises(NotVerified, list, self.cached.bodies())
