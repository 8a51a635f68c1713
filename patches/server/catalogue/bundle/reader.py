"""
Reading of bundles, which are not trusted.

Theory of operation. The manifest determines the next member, and the header of a member of a given name and size has
one form. A header is therefore not parsed but compared with the expected one: an unexpected name, link, mode or order
gets no further. At most one chunk is in memory, compressed and decompressed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from attrs import define, field

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
    member_head,
    read_manifest,
)
from patches.server.catalogue.chunks import MAX_ENCODED_BYTES, Chunk
from patches.server.catalogue.integrity import chunk_body
from patches.server.catalogue.snapshot import Snapshot
from patches.server.errors import Damaged
from patches.signing import NotSigned, VerifyKey
from patches.wire import StreamDigest, digest

_SIZE = slice(124, 136)
_OCTAL = re.compile(rb"[0-7]{11}\0\Z")
_MOST_SIGNATURE_BYTES = 1024
#: The first bytes of a bundle: the name of its first member.
_BEGINNING = MANIFEST.encode("ascii") + b"\0"


@define(eq=False)
class BundleReader:
    """
    A bundle that is read once, from its start to its end.

    :ivar signed: whether it has a signature; the signature was verified if a key was given.
    """

    _file: BinaryIO
    signed: bool = field(default=False, init=False)
    _packed: list[BundleEntry] = field(factory=list, init=False)

    @classmethod
    def begin(cls, file: BinaryIO, key: VerifyKey | None) -> BundleReader:
        """
        Read the manifest.

        :param key: the key that must have signed it; ``None``: no signature is required, and none is verified.
        :raises BadBundle: if it is not a bundle, not whole, or not signed with that key.
        """
        reader = cls(file)
        beginning = file.read(len(_BEGINNING))
        if beginning != _BEGINNING:
            raise BadBundle(f"is not a bundle of Patches (it does not begin with {MANIFEST})")
        manifest = reader._member(MANIFEST, MOST_MANIFEST_BYTES, beginning + reader._exactly(BLOCK - len(beginning)))
        if reader._member(CHECKSUM, BLOCK, reader._exactly(BLOCK)) != checksum_line(manifest):
            raise BadBundle(f"{CHECKSUM} is not the checksum of {MANIFEST}")
        reader._verify(manifest, key)
        reader._packed = read_manifest(manifest)
        return reader

    def snapshots(self) -> Iterator[tuple[Snapshot, Iterator[Chunk]]]:
        """
        Yield each snapshot with its chunks, which must be consumed before the next snapshot; verify the end.

        :raises BadBundle: at the first difference from the manifest.
        """
        for packed in self._packed:
            yield packed.snapshot, self._chunks(packed)
        if self._exactly(len(END)) != END or self._file.read(1):
            raise BadBundle("there is data after the last chunk")

    def _chunks(self, packed: BundleEntry) -> Iterator[Chunk]:
        snapshot, stream, vulnerabilities = packed.snapshot, StreamDigest(), 0
        for number, checksum in enumerate(packed.checksums):
            name = chunk_name(snapshot.revision, number)
            encoded = self._member(name, MAX_ENCODED_BYTES, self._exactly(BLOCK))
            if hashlib.sha256(encoded).hexdigest() != checksum:
                raise BadBundle(f"{name}: its checksum is not the one in the manifest")
            try:
                body = chunk_body(encoded)
            except Damaged as error:
                raise BadBundle(f"{name}: {error}") from error
            chunk = Chunk(number, body.count(b"\n"), digest(body), encoded)
            stream.add(chunk.digest)
            vulnerabilities += chunk.vulnerabilities
            yield chunk
        if stream.hexdigest() != snapshot.digest:
            raise BadBundle(f"{snapshot.platform}: the digest of the whole list is not the one in the manifest")
        if vulnerabilities != snapshot.vulnerabilities:
            raise BadBundle(f"{snapshot.platform}: {vulnerabilities} vulnerabilities, not {snapshot.vulnerabilities}")

    def _verify(self, manifest: bytes, key: VerifyKey | None) -> None:
        position = self._file.tell()
        head = self._exactly(BLOCK)
        self.signed = head.startswith(SIGNATURE.encode("ascii") + b"\0")
        if not self.signed:
            self._file.seek(position)
            if key is not None:
                raise BadBundle("it is not signed")
            return
        signature = self._member(SIGNATURE, _MOST_SIGNATURE_BYTES, head)
        if key is not None:
            try:
                key.verify(manifest, signature.decode("latin-1"))
            except NotSigned as error:
                raise BadBundle(str(error)) from error

    def _member(self, name: str, most: int, head: bytes) -> bytes:
        """Read the member that must follow, whose header has been read."""
        size = int(head[_SIZE][:-1], 8) if _OCTAL.match(head[_SIZE]) else -1
        if size < 0 or head != member_head(name, size):
            raise BadBundle(f"{name} is not the next member")
        if size > most:
            raise BadBundle(f"{name}: longer than {most} bytes")
        content = self._exactly(size)
        if any(self._exactly(-size % BLOCK)):
            raise BadBundle(f"{name}: there is data after its end")
        return content

    def _exactly(self, size: int) -> bytes:
        read = self._file.read(size)
        if len(read) != size:
            raise BadBundle("it ends too early")
        return read
