"""The progress of the reading of a list, in words: what arrives, and what was read of it."""

from __future__ import annotations

from attrs import frozen

from patches.server.configured_sources import ConfiguredSources
from patches.server.refresh.refresher import Refresher

_MEGABYTE = 1_000_000


@frozen
class RefreshProgress:
    """
    The progress of the reading of a list.

    :ivar sources: the names of the sources.
    :ivar received: the bytes of the file that arrives; ``None``: none does.
    :ivar size: the bytes that it will have; ``None``: not announced.
    :ivar records: the records that were read so far; ``None``: no list is being read.
    """

    sources: tuple[str, ...] = ()
    received: int | None = None
    size: int | None = None
    records: int | None = None

    @classmethod
    def of(cls, refresher: Refresher, sources: ConfiguredSources) -> RefreshProgress:
        """Return the progress of a refresh."""
        arriving = next(iter(list(sources.files.arriving.values())), None)
        found = [listing.found for listing in refresher.listings.values()]
        records = sum(found) if found else None
        names = tuple(refresher.source_names)
        if arriving is None:
            return cls(names, records=records)
        return cls(names, arriving.received(), arriving.size, records)

    @property
    def is_known(self) -> bool:
        """Whether it is known what is read."""
        return self.received is not None or self.records is not None

    @property
    def what(self) -> str:
        """The sources that are read, in words."""
        name = ", ".join(self.sources) or "nothing"
        return name if self.size is None else f"{name}, {self.size / _MEGABYTE:.1f} MB"

    @property
    def text(self) -> str:
        """The progress in words."""
        name = ", ".join(self.sources) or "the sources"
        if self.received is not None:
            size = f" of {self.size / _MEGABYTE:.1f}" if self.size is not None else ""
            return f"{name}: {self.received / _MEGABYTE:.1f}{size} MB received"
        return f"{name}: asked for changes" if self.records is None else f"{name}: {self.records} records read"
