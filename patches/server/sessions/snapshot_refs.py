"""Reference counts of snapshots, so that pruning keeps those that sessions read or will read."""

from __future__ import annotations

from patches.server.catalogue.delta import ReadableList


class SnapshotRefs:
    """Snapshots by revision, with the number of their users."""

    def __init__(self) -> None:
        self._snapshots: dict[str, tuple[ReadableList, int]] = {}

    def take(self, snapshot: ReadableList) -> None:
        """Add a user of a snapshot."""
        _, users = self._snapshots.get(snapshot.revision, (snapshot, 0))
        self._snapshots[snapshot.revision] = (snapshot, users + 1)

    def release(self, revision: str) -> None:
        """Remove a user of a snapshot."""
        snapshot, users = self._snapshots.pop(revision)
        if users > 1:
            self._snapshots[revision] = (snapshot, users - 1)

    def get(self, revision: str) -> ReadableList:
        """Return a snapshot that is in use."""
        return self._snapshots[revision][0]

    def revisions(self) -> set[str]:
        """Return the revisions that are in use."""
        return set(self._snapshots)
