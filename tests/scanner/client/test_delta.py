"""Tests of applying a delta to the cached list: a delta that does not fit the list is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.delta import DeltaApplier, DeltaHead
from patches.scanner.client.verified_stream import NotVerified
from patches.wire import MAX_CHUNK_BYTES, encode_json

KEPT = [b'{"name":"%s","n":0}\n' % name for name in (b"a", b"c", b"e")]


def change(name: object, *records: object) -> bytes:
    """Return a change as a line."""
    return encode_json({"name": name, "change": "changed", "vulnerabilities": list(records)}) + b"\n"


async def _each(bodies: Iterable[bytes]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body


class PatchingTests(SynchronousTestCase):
    """A list of three records, and deltas of it."""

    async def patched(self, cuts: tuple[int, ...], *deltas: bytes, cached: list[bytes] | None = None) -> list[bytes]:
        """Return the chunks of the new list."""
        patching = DeltaApplier(iter(KEPT if cached is None else cached), cuts)
        return [body async for body in patching.bodies(_each(deltas))]

    def gives(self, expected: str, cuts: tuple[int, ...], *deltas: bytes) -> None:
        """Check the names in the new list, with a bar between chunks."""
        bodies = self.successResultOf(ensureDeferred(self.patched(cuts, *deltas)))
        names = ["".join(json.loads(line)["name"] for line in body.splitlines()) for body in bodies]
        self.assertEqual("|".join(names), expected)

    def refused(self, why: str, cuts: tuple[int, ...], *deltas: bytes, cached: list[bytes] | None = None) -> None:
        """Check that a delta is refused for a reason."""
        failure = self.failureResultOf(ensureDeferred(self.patched(cuts, *deltas, cached=cached)), NotVerified)
        self.assertIn(why, str(failure.value))

    def test_applied(self) -> None:
        """Records are added before, between and after others, changed and withdrawn, and cut into the given chunks."""
        self.gives("ace", (3,))
        self.gives("a|ce", (1, 2))
        self.gives("Aace|z", (4, 1), change("A", {"name": "A"}), change("z", {"name": "z"}))
        self.gives("ae", (2,), change("c"))
        self.gives("a|bcde", (1, 4), change("b", {"name": "b"}) + change("d", {"name": "d"}))
        self.gives("acce", (4,), change("c", {"name": "c", "n": 1}, {"name": "c", "n": 2}))
        self.gives("", (), change("a"), change("c"), change("e"))

    def test_cuts(self) -> None:
        """Chunk sizes that do not match the new list are detected."""
        self.refused("too long", (2,))
        self.refused("records are missing", (4,))
        self.refused("records are missing", (3, 1))
        self.refused("too long", ())

    def test_out_of_bounds(self) -> None:
        """No chunk becomes longer than the limit."""
        big = {"name": "b", "n": "x" * (MAX_CHUNK_BYTES // 2)}
        self.refused("too long", (10,), change("b", big, big))

    def test_nonsense(self) -> None:
        """A line that is not a change is refused."""
        for nonsense in (b"?", b"[]", b"7", b"{}", b'{"name":"b"}', change(7), b'{"name":"b","vulnerabilities":7}'):
            self.refused("the delta cannot be read", (3,), nonsense)

    def test_damaged(self) -> None:
        """A cached list that is not a list is refused."""
        for nonsense in (b"?\n", b"[]\n", b'{"name":\n', b'{"name":"\xff"}\n'):
            self.refused("damaged", (3,), change("b"), cached=[nonsense])

    def test_out_of_order(self) -> None:
        """Changes in a wrong order do no harm: the result is another list with another digest."""
        self.gives("acebd", (5,), change("f") + change("b", {"name": "b"}) + change("d", {"name": "d"}))


class HeadTests(SynchronousTestCase):
    """The server's description of a delta."""

    def test_read(self) -> None:
        """The description is parsed; unknown members are skipped."""
        head = DeltaHead.from_document({"since": "r1", "cuts": [3, 4], "changes": 1, "more": None})
        self.assertEqual(head, DeltaHead("r1", (3, 4)))

    def test_refused(self) -> None:
        """A description of a delta without its base revision, or without the sizes of the chunks, is refused."""
        for nonsense in (
            None,
            [],
            {},
            {"since": "r1"},
            {"since": 1, "cuts": []},
            {"since": "r1", "cuts": 3},
            {"since": "r1", "cuts": [0]},
            {"since": "r1", "cuts": [-1]},
            {"since": "r1", "cuts": ["1"]},
            {"since": "r1", "cuts": [True]},
        ):
            self.assertRaises(NotVerified, DeltaHead.from_document, nonsense)
