"""
Bundles: snapshots in one file, for a catalogue behind an air gap.

A bundle is a tar (POSIX ustar) whose bytes are fully determined by its content: ``manifest.json``, ``manifest.sha256``,
``manifest.sig`` if it is signed, then the chunks of each snapshot in the order of the manifest, as gzip.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from patches.platforms import Platform
from patches.server.catalogue.snapshot import Snapshot, revision_of

FORMAT, VERSION = "patches-catalogue", 1
MANIFEST, CHECKSUM, SIGNATURE = "manifest.json", "manifest.sha256", "manifest.sig"
#: The longest manifest, in bytes: it has a checksum for each chunk, so this is enough for more than 200 000 chunks.
MOST_MANIFEST_BYTES = 16 * 1024 * 1024
BLOCK = 512
END = bytes(2 * BLOCK)

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_LATEST = 253402300799  # the last second of the year 9999


class BadBundle(Exception):
    """A bundle was refused; the text says why, in one line."""


@frozen
class BundleEntry:
    """
    A snapshot in a bundle.

    :ivar checksums: the SHA-256 of each chunk's gzip, in hexadecimal.
    """

    snapshot: Snapshot
    checksums: tuple[str, ...]


def chunk_name(revision: str, number: int) -> str:
    """Return the name of a chunk's member."""
    return f"chunks/{revision}/{number:08d}.gz"


def member_head(name: str, size: int) -> bytes:
    """
    Return the header of a member, in the one form that bundles use (POSIX.1-2001, pax, "ustar Interchange Format").
    """
    about = tarfile.TarInfo(name)
    about.size = size
    return about.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def checksum_line(manifest: bytes) -> bytes:
    """Return the content of ``manifest.sha256``, in the form of ``sha256sum``."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode("ascii")


def manifest_of(packed: Iterable[BundleEntry]) -> bytes:
    """
    Return the bytes of a manifest, the same each time.

    Its ``created`` is the time at which the newest list was checked.
    """
    entries = [_entry(each) for each in packed]
    created = max((entry["checked"] for entry in entries), default=0)
    document = {"format": FORMAT, "version": VERSION, "created": created, "snapshots": entries}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _entry(packed: BundleEntry) -> dict[str, Any]:
    snapshot = packed.snapshot
    return {
        "platform": snapshot.platform,
        "revision": snapshot.revision,
        "created": snapshot.created,
        "checked": snapshot.checked,
        "vulnerabilities": snapshot.vulnerabilities,
        "chunks": snapshot.chunks,
        "digest": snapshot.digest,
        "sources": dict(snapshot.sources),
        "sha256": list(packed.checksums),
    }


def read_manifest(manifest: bytes) -> list[BundleEntry]:
    """
    Parse the bytes of a manifest.

    :raises BadBundle: if they are not a manifest, or contradict themselves.
    """
    try:
        document = json.loads(manifest, parse_constant=_no_number)
        known = (document["format"], document["version"]) == (FORMAT, VERSION)
        packed = [_read_entry(entry) for entry in document["snapshots"]] if known else []
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadBundle(f"{MANIFEST}: not a manifest: {type(error).__name__}: {error}") from error
    if not known:
        raise BadBundle(f"{MANIFEST}: not of format {FORMAT}, version {VERSION}")
    names = [each.snapshot.platform for each in packed]
    if names != sorted(set(names)):
        raise BadBundle(f"{MANIFEST}: the platforms are not in order, or one is there twice")
    if manifest_of(packed) != manifest:
        raise BadBundle(f"{MANIFEST}: not in its canonical form")
    return packed


def _read_entry(entry: Mapping[str, Any]) -> BundleEntry:
    snapshot = Snapshot(
        revision=entry["revision"],
        platform=str(Platform.from_name(entry["platform"])),
        created=_time(entry["created"]),
        checked=_time(entry["checked"]),
        vulnerabilities=_count(entry["vulnerabilities"]),
        chunks=_count(entry["chunks"]),
        digest=_digest(entry["digest"]),
        sources=dict(entry["sources"]),
    )
    checksums = tuple(_digest(text) for text in entry["sha256"])
    if snapshot.platform != entry["platform"] or len(checksums) != snapshot.chunks:
        raise ValueError(f"{snapshot.platform}: not one checksum for each chunk, or not the name of a platform")
    if snapshot.revision != revision_of(snapshot.platform, snapshot.digest):
        raise ValueError(f"{snapshot.platform}: the revision is not the one of its platform and digest")
    return BundleEntry(snapshot, checksums)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a time must be a number of seconds")
    if not math.isfinite(value) or not 0 <= value <= _LATEST:
        raise ValueError(f"{value} is not a time")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(f"{value!r:.40} is not a count")
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not _DIGEST.match(value):
        raise ValueError(f"{value!r:.40} is not a SHA-256")
    return value
