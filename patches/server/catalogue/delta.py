"""A delta: the changes between two revisions of a list, which a scanner applies to the list that it has cached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen

from patches.server.catalogue.chunks import Chunk, RecordTooLarge, cut_chunks
from patches.server.catalogue.diff import diff_lists
from patches.server.catalogue.snapshot import Snapshot
from patches.wire import encode_json


class NoDelta(Exception):
    """A delta is too long, or cannot be cut into chunks: the whole list is sent instead."""


@frozen
class Delta:
    """
    The changes from one revision of a platform's list to another; cut into chunks and read like a snapshot.

    :ivar revision: its own name in the catalogue.
    :ivar since: the revision of the list that the reader has.
    :ivar snapshot: the snapshot that results.
    :ivar changes: the number of names whose records differ.
    :ivar chunks: the number of its chunks.
    :ivar cuts: the number of vulnerabilities in each chunk of the resulting list.
    :ivar body_bytes: the sum of the sizes of its own chunks' bodies, uncompressed.
    """

    revision: str
    since: str
    snapshot: Snapshot
    changes: int
    chunks: int
    cuts: tuple[int, ...]
    body_bytes: int = 0

    @property
    def platform(self) -> str:
        """The platform of both lists."""
        return self.snapshot.platform

    @property
    def target(self) -> Snapshot:
        """The snapshot that a reader has in the end, once it has applied the changes."""
        return self.snapshot

    def delta_document(self) -> dict[str, Any]:
        """Return the description of the changes: the base revision, their size, and how to cut the result."""
        return {
            "since": self.since,
            "changes": self.changes,
            "chunks": self.chunks,
            "bytes": self.body_bytes,
            "cuts": list(self.cuts),
        }


#: What a session reads: a snapshot or a delta.
ReadableList = Snapshot | Delta


def delta_name(since: str, revision: str) -> str:
    """Return the name of the delta between two revisions."""
    return hashlib.sha256(f"{since} {revision}".encode()).hexdigest()[:32]


def delta_chunks(old: Iterable[bytes], new: Iterable[bytes], most_bytes: int) -> list[Chunk]:
    """
    Compute the changes between two lists, as chunks with one line for each name whose records differ, ordered by name.

    :param old: the lines of the older list.
    :param most_bytes: the highest number of bytes of the encoded chunks, which are held in memory.
    :raises NotOrdered: if a list is not ordered by name.
    :raises NoDelta: if the chunks take more.
    """
    chunks, left = [], most_bytes
    try:
        for chunk in cut_chunks(_lines(old, new)):
            left -= len(chunk.encoded)
            if left < 0:
                raise NoDelta
            chunks.append(chunk)
    except RecordTooLarge as error:
        raise NoDelta from error
    return chunks


def _lines(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[bytes]:
    for difference in diff_lists(old, new):
        head = encode_json({"name": difference.name, "change": difference.change})
        records = b",".join(line.rstrip(b"\n") for line in difference.lines)
        yield head[:-1] + b',"vulnerabilities":[' + records + b"]}\n"
