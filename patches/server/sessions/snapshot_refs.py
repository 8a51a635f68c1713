"""The snapshots that sessions read, or are about to; they stay in the catalogue for that long."""

from __future__ import annotations

from patches.server.catalogue.delta import ReadableList


class SnapshotRefs:
    """Snapshots by revision, as long as somebody uses them."""

    def __init__(self) -> None:
        self._snapshots: dict[str, tuple[ReadableList, int]] = {}

    def take(self, snapshot: ReadableList) -> None:
        """Begin to use a snapshot."""
        _, users = self._snapshots.get(snapshot.revision, (snapshot, 0))
        self._snapshots[snapshot.revision] = (snapshot, users + 1)

    def release(self, revision: str) -> None:
        """Use it no longer."""
        snapshot, users = self._snapshots.pop(revision)
        if users > 1:
            self._snapshots[revision] = (snapshot, users - 1)

    def get(self, revision: str) -> ReadableList:
        """Give a snapshot that is in use."""
        return self._snapshots[revision][0]

    def revisions(self) -> set[str]:
        """Tell which are in use."""
        return set(self._snapshots)
