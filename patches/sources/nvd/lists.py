"""The lists of NVD, parsed from the file of a year; the checksum in the file ``.meta`` beside it is verified."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from patches.errors import SourceError
from patches.sources.archive.decompress import open_feed
from patches.sources.nvd.parser import parse_nvd
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.vulnerability import Vulnerability

_LINE = re.compile(r"sha256:([0-9A-Fa-f]{64})\s*\Z")
#: A file of five short lines.
_MOST_META_BYTES = 4096


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Parse the file of a year, which may have its ``.meta`` as the second path.

    The checksum is that of the unpacked text, which is read once: it is compared at the end, before the list counts.
    """
    path, *beside = job.paths
    expected = meta_checksum(beside[0]) if beside else None
    with open_feed(path) as stream:
        hashed = _Hashed(stream)
        yield from parse_nvd(hashed, context)
        found = hashed.rest()
    if expected is not None and found != expected:
        raise SourceError(f"{job.part.key}: does not have the checksum of its .meta file")


def meta_checksum(path: Path) -> str:
    """
    Return the SHA-256 in a file ``.meta``, in hexadecimal.

    :raises SourceError: if it has none.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_META_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    found = next(filter(None, map(_LINE.match, text.splitlines())), None)
    if found is None:
        raise SourceError("its .meta file has no sha256")
    return found[1].lower()


class _Hashed:
    """A stream whose checksum is computed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._digest.update(block)
        return block

    def rest(self) -> str:
        """Read the rest of the stream. Return the checksum of the whole, in hexadecimal."""
        while self.read(1 << 16):
            pass
        return self._digest.hexdigest()
