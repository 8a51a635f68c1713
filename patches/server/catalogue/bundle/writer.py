"""Writing of bundles: whole or not at all, one chunk at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from patches.server.catalogue.bundle.manifest import (
    BLOCK,
    CHECKSUM,
    END,
    MANIFEST,
    MOST_MANIFEST_BYTES,
    SIGNATURE,
    BadBundle,
    BundleEntry,
    checksum_line,
    chunk_name,
    manifest_of,
    member_head,
)
from patches.server.catalogue.integrity import verified_body
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import Damaged
from patches.signing import SigningKey
from patches.storage.atomic_file import replacing
from patches.wire import StreamDigest
from patches.wording import NO_FOLDER, file_problem


def write_bundle(catalogue: Catalogue, snapshots: Sequence[Snapshot], path: Path, key: SigningKey | None) -> int:
    """
    Write a bundle of snapshots; a file at its path stays until the bundle is whole.

    :param snapshots: ordered by platform.
    :param key: signs the manifest; ``None``: it is not signed.
    :return: the size of the bundle in bytes.
    :raises CatalogueError: if a snapshot is damaged, or was pruned in the meantime.
    :raises BadBundle: if the bundle cannot be written.
    """
    packed = [_packed(catalogue, snapshot) for snapshot in snapshots]
    try:
        with replacing(path, mode=0o644) as file:
            _write(file, catalogue, packed, key)
            return file.tell()
    except OSError as error:
        raise BadBundle(f"{path}: {file_problem(error, NO_FOLDER)}") from error


def _packed(catalogue: Catalogue, snapshot: Snapshot) -> BundleEntry:
    """Read a snapshot to its end, verify it, and compute its checksums."""
    stream, checksums, vulnerabilities = StreamDigest(), [], 0
    for number in range(snapshot.chunks):
        chunk = catalogue.chunk(snapshot.revision, number)
        verified_body(chunk)
        stream.add(chunk.digest)
        vulnerabilities += chunk.vulnerabilities
        checksums.append(hashlib.sha256(chunk.encoded).hexdigest())
    if (stream.hexdigest(), vulnerabilities) != (snapshot.digest, snapshot.vulnerabilities):
        raise Damaged(f"{snapshot.platform}: the list differs from the published one; run: patches catalogue check")
    return BundleEntry(snapshot, tuple(checksums))


def _write(file: BinaryIO, catalogue: Catalogue, packed: Iterable[BundleEntry], key: SigningKey | None) -> None:
    packed = list(packed)
    manifest = manifest_of(packed)
    if len(manifest) > MOST_MANIFEST_BYTES:
        raise BadBundle(f"too much for one bundle: its manifest would have {len(manifest)} bytes")
    _write_member(file, MANIFEST, manifest)
    _write_member(file, CHECKSUM, checksum_line(manifest))
    if key is not None:
        _write_member(file, SIGNATURE, key.sign(manifest).encode("ascii"))
    for each in packed:
        for number in range(each.snapshot.chunks):
            encoded = catalogue.chunk(each.snapshot.revision, number).encoded
            _write_member(file, chunk_name(each.snapshot.revision, number), encoded)
    file.write(END)


def _write_member(file: BinaryIO, name: str, content: bytes) -> None:
    file.write(member_head(name, len(content)))
    file.write(content)
    file.write(bytes(-len(content) % BLOCK))
