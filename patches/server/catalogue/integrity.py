"""The integrity of snapshots: their chunks, read back from the catalogue one at a time, and verified."""

from __future__ import annotations

from collections.abc import Iterator

from patches.server.catalogue.chunks import Chunk
from patches.server.catalogue.snapshot import Snapshot, revision_of
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing, Damaged
from patches.wire import MalformedWire, StreamDigest, digest, unpack_chunk


def chunk_body(encoded: bytes) -> bytes:
    """
    Return the body of a chunk, decompressed; never more than a chunk may have.

    :raises Damaged: if it is not one whole gzip of whole lines.
    """
    try:
        body = unpack_chunk(encoded)
    except MalformedWire as error:
        raise Damaged(str(error)) from error
    if not body.endswith(b"\n"):
        raise Damaged("its last line is incomplete")
    return body


def verified_body(chunk: Chunk) -> bytes:
    """
    Return a chunk's body, verified.

    :raises Damaged: if its digest or its number of lines differs, or it is not the gzip of a chunk.
    """
    try:
        body = chunk_body(chunk.encoded)
    except Damaged as error:
        raise Damaged(f"chunk {chunk.number}: {error}") from error
    if digest(body) != chunk.digest:
        raise Damaged(f"chunk {chunk.number}: its digest differs from the stored one")
    if body.count(b"\n") != chunk.vulnerabilities:
        raise Damaged(f"chunk {chunk.number}: it does not have {chunk.vulnerabilities} lines")
    return body


def verified_chunk(catalogue: Catalogue, revision: str, number: int) -> Chunk:
    """
    Read one chunk and verify it; one that is missing or damaged is read a second time.

    :raises Damaged: if it is damaged; :exc:`ChunkMissing` if it is not stored.
    """
    try:
        chunk = catalogue.chunk(revision, number)
        verified_body(chunk)
    except (Damaged, ChunkMissing):
        chunk = catalogue.chunk(revision, number)
        verified_body(chunk)
    return chunk


def read_lines(catalogue: Catalogue, snapshot: Snapshot) -> Iterator[bytes]:
    """
    Yield the lines of a snapshot in their order, each with its line feed.

    :raises CatalogueError: at a chunk that is missing or damaged.
    """
    for number in range(snapshot.chunks):
        yield from verified_body(catalogue.chunk(snapshot.revision, number)).splitlines(keepends=True)


def find_damage(catalogue: Catalogue, snapshot: Snapshot) -> Iterator[str]:
    """Read a snapshot again, and yield a line for each difference from what was published."""
    for number in range(snapshot.chunks):
        try:
            verified_body(catalogue.chunk(snapshot.revision, number))
        except ChunkMissing:
            yield f"chunk {number}: missing"
        except Damaged as error:
            yield str(error)
    yield from find_wrong_description(catalogue, snapshot)


def find_wrong_description(catalogue: Catalogue, snapshot: Snapshot) -> Iterator[str]:
    """Compare a snapshot with the descriptions of its chunks, which are not read; yield a line for each difference."""
    stream = StreamDigest()
    vulnerabilities = 0
    heads = catalogue.heads(snapshot.revision)
    for digest_of_chunk, lines in heads:
        stream.add(digest_of_chunk)
        vulnerabilities += lines
    if len(heads) > snapshot.chunks:
        yield f"it has more than its {snapshot.chunks} chunks"
    if vulnerabilities != snapshot.vulnerabilities:
        yield f"it has {vulnerabilities} vulnerabilities, not {snapshot.vulnerabilities}"
    if stream.hexdigest() != snapshot.digest:
        yield "the digest of the whole list is not the recorded one"
    if revision_of(snapshot.platform, snapshot.digest) != snapshot.revision:
        yield "its revision is not the one of its platform and digest"
