"""Signed descriptions of snapshots, of a server with a signing key."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from patches.server.catalogue.snapshot import Snapshot
from patches.server.http.representations import snapshot_document
from patches.signing import SigningKey, enriched_manifest_bytes, manifest_bytes, sized_manifest_bytes

#: The number of signatures that are remembered: up to three for each served list and time of check.
_REMEMBERED = 768


class SnapshotSigner:
    """
    Describes snapshots, each with a signature of its manifest.

    No signature is stored: a list that was published under an earlier key is signed with the current one.
    """

    def __init__(self, key: SigningKey) -> None:
        self.use(key)

    def use(self, key: SigningKey) -> None:
        """Sign with a key from now on."""
        self._sign = lru_cache(_REMEMBERED)(key.sign)

    def describe(self, snapshot: Snapshot) -> dict[str, Any]:
        """Describe a snapshot; signatures are in base64: scanners of earlier versions verify the first, or two."""
        document, platform = snapshot_document(snapshot), snapshot.platform
        enriched = enriched_manifest_bytes(platform, document) if "enrichments" in document else None
        return {
            **document,
            "signature": self._sign(manifest_bytes(platform, document)),
            "sizeSignature": self._sign(sized_manifest_bytes(platform, document)),
            **({"enrichmentsSignature": self._sign(enriched)} if enriched is not None else {}),
        }
