"""A snapshot, as the catalogue describes it: a value, without its chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import frozen


def revision_of(platform: str, digest: str) -> str:
    """Give the revision of a list: the same list has the same one on every machine."""
    return hashlib.sha256(f"{platform} {digest}".encode()).hexdigest()[:32]


@frozen
class Snapshot:
    """
    One complete list of one platform.

    :ivar revision: its name, derived from platform and digest.
    :ivar created: when it was first published; seconds since the epoch.
    :ivar checked: when its sources last gave this very list; likewise.
    :ivar vulnerabilities: how many it has.
    :ivar chunks: into how many chunks they are cut.
    :ivar digest: the digest of the whole stream, in hexadecimal.
    :ivar sources: by source: how many records were ``read``, how many ``skipped``, by reason, and how many it
        ``claimed`` to have, if it did.
    :ivar held_back: the reason for which it was not made current; ``None`` if it was.
    """

    revision: str
    platform: str
    created: float
    checked: float
    vulnerabilities: int
    chunks: int
    digest: str
    sources: Mapping[str, Any]
    held_back: str | None = None

    @property
    def target(self) -> Snapshot:
        """The snapshot that a reader has in the end: this one."""
        return self

    def delta_document(self) -> None:
        """Return ``None``: a snapshot is read whole."""
