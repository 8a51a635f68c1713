"""
The bounds of a stream, from the description of its list: nothing beyond them is accepted, whatever is sent.

The description is signed, or it is the server's word; then it is bounded itself. It also limits the time of the whole
pass: a server that sends less than :data:`SLOWEST_RATE` for long is given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, frozen

from patches.scanner.client.verified_stream import NotVerified
from patches.wire import MAX_CHUNK_BYTES

#: The most records, chunks and bytes (uncompressed) of a list whose size is not signed.
MOST_RECORDS = 4_000_000
MOST_CHUNKS = 65_536
MOST_BYTES = 2 * 1024 * 1024 * 1024
#: The greatest count at all, which JSON can carry exactly (RFC 8259, section 6).
GREATEST_COUNT = 2**53
#: The time of a pass: these seconds, and those that the bytes of the list take at this rate (uncompressed, a second).
PASS_SECONDS = 300.0
SLOWEST_RATE = 64 * 1024


@frozen
class Bounds:
    """
    The size of a list, or of a delta.

    :ivar records: the number of its lines.
    :ivar chunks: the number of its chunks.
    :ivar body_bytes: the size of the bodies of its chunks, uncompressed.
    """

    records: int = MOST_RECORDS
    chunks: int = MOST_CHUNKS
    body_bytes: int = MOST_BYTES

    @classmethod
    def of_list(cls, snapshot: Mapping[str, Any], is_signed: bool = False) -> Bounds:
        """
        Parse the description of a list; what it does not say is bounded by the ceilings for unsigned lists.

        :param is_signed: whether its size is signed; then the ceilings do not apply to what it says.
        :raises NotVerified: if it has a number that is not a count, or is beyond a ceiling.
        """
        return _bounds(snapshot, "list", "vulnerabilities", is_signed)

    @classmethod
    def of_delta(cls, delta: Mapping[str, Any]) -> Bounds:
        """
        Parse the description of a delta, which is never signed: its result is.

        :raises NotVerified: likewise.
        """
        return _bounds(delta, "delta", "changes", is_signed=False)

    @property
    def seconds(self) -> float:
        """The longest time of the pass."""
        return PASS_SECONDS + self.body_bytes / SLOWEST_RATE


def _bounds(said: Mapping[str, Any], what: str, records: str, is_signed: bool) -> Bounds:
    found = Bounds()
    for field, name in (("records", records), ("chunks", "chunks"), ("body_bytes", "bytes")):
        value, most = said.get(name), getattr(found, field)
        if value is None:
            continue
        if type(value) is not int or not 0 <= value <= GREATEST_COUNT:
            raise NotVerified(f"the description of the {what} is malformed: {name} is not a count")
        if value > most and not is_signed:
            raise NotVerified(f"the {what} is too large: it would have {value} {name}; {most} are allowed")
        found = evolve(found, **{field: value})
    if not is_signed or said.get("bytes") is None:
        found = evolve(found, body_bytes=min(found.body_bytes, found.chunks * MAX_CHUNK_BYTES))
    return found


@define(eq=False)
class SizeMeter:
    """
    The size of what was received so far, compared with its bounds at each chunk.

    :ivar what: what is measured, for messages: ``list`` or ``delta``.
    """

    what: str
    bounds: Bounds
    records: int = 0
    chunks: int = 0
    body_bytes: int = 0

    def add(self, body: bytes) -> None:
        """
        Add a chunk.

        :raises NotVerified: if it is beyond the bounds.
        """
        self.chunks += 1
        self.records += body.count(b"\n")
        self.body_bytes += len(body)
        for name, is_there, said in (
            ("chunks", self.chunks, self.bounds.chunks),
            ("records", self.records, self.bounds.records),
            ("bytes", self.body_bytes, self.bounds.body_bytes),
        ):
            if is_there > said:
                raise NotVerified(f"the {self.what} does not end where it should: it has more than {said} {name}")
