"""Slices: the records that one answer to a first scanner has, read from the catalogue."""

from __future__ import annotations

from attrs import frozen

from patches.server.catalogue.integrity import verified_body, verified_chunk
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.wire import MAX_CHUNK_BYTES

#: The most records of a slice: with 30 ms for each of their packages, a scanner is silent for seconds, not minutes.
MOST_RECORDS = 50
#: A slice with more than one record has no more bytes than this.
MOST_SLICE_BYTES = MAX_CHUNK_BYTES


@frozen
class Position:
    """
    The place of a record in a list.

    :ivar chunk: the number of the chunk that has it; at the end of the list, the number of chunks.
    :ivar offset: the bytes before it in the body of that chunk.
    """

    chunk: int = 0
    offset: int = 0


@frozen
class ListSlice:
    """
    Consecutive records of a list.

    :ivar start: the position of the first one.
    :ivar end: the position behind the last one.
    :ivar lines: the records as JSON, without line feeds; empty only at the end of the list.
    """

    start: Position
    end: Position
    lines: tuple[bytes, ...]


def read_slice(catalogue: Catalogue, snapshot: Snapshot, start: Position) -> ListSlice:
    """
    Read the slice that begins at a position; it blocks, and has one chunk in memory at a time.

    A first scanner does not verify what it receives, so each chunk is verified here.

    :raises CatalogueError: if a chunk is missing or damaged, or the database cannot be read.
    """
    lines: list[bytes] = []
    room, end = MOST_SLICE_BYTES, start
    while end.chunk < snapshot.chunks and len(lines) < MOST_RECORDS:
        body = verified_body(verified_chunk(catalogue, snapshot.revision, end.chunk))
        found, offset = _lines(body, end.offset, MOST_RECORDS - len(lines), room, needs_one=not lines)
        lines += found
        room -= sum(map(len, found))
        if offset < len(body):
            end = Position(end.chunk, offset)
            break
        end = Position(end.chunk + 1)
    return ListSlice(start, end, tuple(lines))


def _lines(body: bytes, offset: int, most: int, room: int, *, needs_one: bool) -> tuple[list[bytes], int]:
    """
    Return the next lines of a body, and the offset behind them.

    :param room: the most bytes of all lines.
    :param needs_one: whether to return one line even if there is no room for it.
    """
    lines: list[bytes] = []
    while offset < len(body) and len(lines) < most:
        end = body.index(b"\n", offset)
        room -= end - offset
        if room < 0 and (lines or not needs_one):
            break
        lines.append(body[offset:end])
        offset = end + 1
    return lines, offset
