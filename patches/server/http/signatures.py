"""Signed descriptions of snapshots, of a server with a signing key."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from patches.server.catalogue.snapshot import Snapshot
from patches.server.http.representations import snapshot_document
from patches.signing import SigningKey, manifest_bytes

#: The number of signatures that are remembered: one for each served list and time of check.
_REMEMBERED = 256


class SnapshotSigner:
    """Describes snapshots, each with a signature of its manifest."""

    def __init__(self, key: SigningKey) -> None:
        self._sign = lru_cache(_REMEMBERED)(key.sign)

    def describe(self, snapshot: Snapshot) -> dict[str, Any]:
        """Describe a snapshot; its ``signature`` is in base64."""
        document = snapshot_document(snapshot)
        return {**document, "signature": self._sign(manifest_bytes(snapshot.platform, document))}
