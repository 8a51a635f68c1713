"""A snapshot, as the catalogue describes it: a value without its chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from patches.skipped import unread

#: The facts that enriching sources add.
ENRICHMENTS = ("cvss", "epss", "kev")


def revision_of(platform: str, digest: str) -> str:
    """Return the revision of a list, which is the same on every machine."""
    return hashlib.sha256(f"{platform} {digest}".encode()).hexdigest()[:32]


def _enriches(facts: Any) -> str | None:
    """Return what a source adds to the records of others; ``None``: it has records of its own."""
    found = facts.get("enriches") if isinstance(facts, Mapping) else None
    return found if found in ENRICHMENTS else None


@frozen
class Snapshot:
    """
    One complete list of one platform.

    :ivar revision: its name, derived from platform and digest.
    :ivar created: the time of its first publication, in seconds since the epoch.
    :ivar checked: the time at which its sources last had exactly this list; likewise.
    :ivar vulnerabilities: the number of its records.
    :ivar chunks: the number of its chunks.
    :ivar digest: the digest of the whole stream, in hexadecimal.
    :ivar sources: for each source, the numbers of records that were ``read`` and ``skipped`` (by reason), and that it
        ``claimed`` to have, if it said so.
    :ivar held_back: the reason for which it was not made current; ``None`` if it was made current.
    :ivar publication: the number of its latest publication; ``None`` if it was never current, or not yet numbered.
        It is a fact about a catalogue: another one with the same snapshot may have numbered it differently.
    :ivar damaged: what is wrong with its chunks in this catalogue; ``None``: nothing that is known.
    :ivar least_serial: the least serial number with which it is served; see :attr:`serial`.
    :ivar body_bytes: the sum of the sizes of its chunks' bodies, uncompressed; 0 until its chunks were read.
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
    publication: int | None = field(default=None, eq=False)
    body_bytes: int = field(default=0, eq=False)
    damaged: str | None = field(default=None, eq=False)
    least_serial: int = field(default=0, eq=False)

    @property
    def serial(self) -> int:
        """
        The number that grows with each check and each new list of a platform, also while the time of day is set back.

        It is the time of its check in seconds since the epoch, unless that would be less than it was before. Scanners
        find by it that a list is older than one that they have seen.
        """
        return max(self.least_serial, int(self.checked))

    def checked_at(self, checked: float) -> Snapshot:
        """Return it with another time of check; its serial number does not become less."""
        return evolve(self, checked=checked, least_serial=self.serial)

    @property
    def target(self) -> Snapshot:
        """The snapshot that a reader has in the end: this one."""
        return self

    @property
    def unread(self) -> int:
        """The number of entries of its sources that were lost: nobody can say which packages they are about."""
        return unread(self.sources)

    @property
    def enriching_sources(self) -> frozenset[str]:
        """The names of the sources that added facts to the records of others."""
        return frozenset(name for name, facts in self.sources.items() if _enriches(facts) is not None)

    @property
    def enrichments(self) -> tuple[str, ...]:
        """The facts that were added, ``cvss``, ``epss`` and ``kev``, sorted; without one, its absence says nothing."""
        return tuple(sorted({each for facts in self.sources.values() if (each := _enriches(facts)) is not None}))

    def delta_document(self) -> None:
        """Return ``None``: a snapshot is read whole."""
