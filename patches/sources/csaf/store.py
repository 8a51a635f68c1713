"""
The local documents of a CSAF provider: an archive, and the documents that changed or were deleted since.

The store is a file of its own, from which the parser reads all documents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from attrs import field, frozen

from patches.errors import SourceError
from patches.sources.archive.decompress import UnpackLimits, decompression_errors, open_feed
from patches.sources.archive.members import members
from patches.storage.atomic_file import write_atomically

_VERSION = 1


@frozen
class Change:
    """
    A document that is newer than the archive.

    :ivar time: the time of its change.
    :ivar path: the file that contains it.
    """

    time: datetime
    path: Path


@frozen
class DocumentStore:
    """
    All documents of a provider.

    :ivar archive: a file or a folder.
    :ivar state: a value that changes when the content of the archive changes.
    :ivar changed: the documents that replace those in the archive, by name, ``2024/cve-2024-0001.json``.
    :ivar deleted: the documents in the archive that are not valid any more.
    """

    archive: Path
    state: str
    changed: Mapping[str, Change] = field(factory=dict)
    deleted: frozenset[str] = frozenset()

    @classmethod
    def from_file(cls, path: Path) -> DocumentStore:
        """
        Read a file that :meth:`keep` wrote.

        :raises SourceError: if it does not exist, or is not a document store.
        """
        with decompression_errors(path):
            content = path.read_bytes()
        try:
            document = json.loads(content)
            if document["version"] != _VERSION:
                raise ValueError(document["version"])
            times = {name: (datetime.fromisoformat(time), Path(file)) for name, time, file in document["changed"]}
            changed = {name: Change(*each) for name, each in times.items()}
            return cls(Path(document["archive"]), str(document["state"]), changed, frozenset(document["deleted"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path}: not a list of documents") from error

    def keep(self, path: Path) -> None:
        """
        Write the store to a file, atomically.

        :raises SourceError: if it cannot be written.
        """
        changed = [(name, each.time.isoformat(), str(each.path)) for name, each in sorted(self.changed.items())]
        document = {
            "version": _VERSION,
            "archive": str(self.archive),
            "state": self.state,
            "changed": changed,
            "deleted": sorted(self.deleted),
        }
        with decompression_errors(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, json.dumps(document).encode())

    def fingerprint(self) -> str:
        """Return a value that changes when any of the documents changes."""
        found = hashlib.sha256(self.state.encode())
        for name, change in sorted(self.changed.items()):
            found.update(f"\n{name} {change.time.isoformat()}".encode())
        for name in sorted(self.deleted):
            found.update(f"\n{name} deleted".encode())
        return found.hexdigest()

    def documents(self, limits: UnpackLimits | None = None) -> Iterator[tuple[str, bytes]]:
        """
        Yield the name and the content of each document, one at a time.

        :raises SourceError: if a file is damaged, or exceeds its limits.
        """
        limits = limits or UnpackLimits()
        for member, content in members(self.archive, limits):
            name = "/".join(member.split("/")[-2:])
            if name not in self.changed and name not in self.deleted:
                yield name, content
        one = UnpackLimits(total_bytes=limits.member_bytes)
        for name, change in sorted(self.changed.items()):
            with open_feed(change.path, one) as stream:
                yield name, stream.read()
