"""The context of a parser: the platforms to read, and the counts of entries and of the reasons to skip them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import TypeVar

from attrs import define, field

T = TypeVar("T")

NO_RECORD = "not a record"
NO_PACKAGE = "not a package"
NO_RANGE = "not a range of versions"
NO_ID = "no vulnerability id"
INVALID_VERSION = "invalid version"
WITHDRAWN = "withdrawn"
NOT_SECURITY = "not security"

#: The number of distinct reasons up to which a reason may include a name from the feed.
_NAMED = 20


class NoPlatform(ValueError):
    """
    A distribution, a release or a product that is not a platform.

    :ivar reason: the reason to skip its entries.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@define(eq=False)
class ParseContext:
    """
    The input and the counts of a parser.

    :ivar source: the name that its vulnerabilities carry as their source.
    :ivar wanted: the platforms to read; ``None``: all.
    :ivar skipped: the number of entries that were skipped, by reason.
    :ivar found: the number of entries that were read.
    :ivar claimed: the number of entries that the source announces, or ``None``.
    """

    source: str
    wanted: Container[str] | None = None
    skipped: Counter[str] = field(factory=Counter)
    found: int = 0
    claimed: int | None = None

    def wants(self, platform: str) -> bool:
        """Return whether a platform is to be read."""
        return self.wanted is None or platform in self.wanted

    def skip(self, reason: str, count: int = 1) -> None:
        """Count skipped entries."""
        self.skipped[reason] += count

    def counted(self, entries: Iterable[T]) -> Iterator[T]:
        """Yield the entries, and count them as found."""
        for entry in entries:
            self.found += 1
            yield entry

    def unknown(self, what: str, name: str) -> str:
        """
        Return the reason for skipping an entry of an unknown kind.

        :param what: the unknown kind: ``release``.
        :param name: its name in the feed; the reason omits it once there are many reasons.
        """
        reason = f"unknown {what}: {ascii(name[:30])[1:-1]}"
        return reason if reason in self.skipped or len(self.skipped) < _NAMED else f"unknown {what}"
