"""The context of a parser: the platforms to read, and the counts of entries and of the reasons to skip them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import TypeVar

from attrs import define, field

from patches.skipped import UNKNOWN, UNREADABLE
from patches.vulnerability import FixedPackage

T = TypeVar("T")

#: The number of distinct reasons up to which a reason may include a name from the feed.
_NAMED = 20
#: The most characters of a note.
_LONGEST = 120


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
    :ivar unwanted: the number of entries about platforms that are not to be read.
    """

    source: str
    wanted: Container[str] | None = None
    skipped: Counter[str] = field(factory=Counter)
    found: int = 0
    claimed: int | None = None
    unwanted: int = 0

    def wants(self, platform: str) -> bool:
        """Return whether a platform is to be read; what is not is counted as ``unwanted``."""
        if self.wanted is None or platform in self.wanted:
            return True
        self.unwanted += 1
        return False

    def skip(self, reason: str, count: int = 1) -> None:
        """Count skipped entries."""
        self.skipped[reason] += count

    def unreadable(
        self, name: str, kind: str, note: str, track: str | None = None, module: str | None = None
    ) -> FixedPackage:
        """
        Return a package about which the feed has a statement that cannot be read, and count it.

        :param note: the reason, for users: ``the version 1_0 is not valid``.
        """
        self.skip(UNREADABLE)
        note = note if note.isascii() and note.isprintable() else ascii(note)[1:-1]
        return FixedPackage(
            name, None, kind, status="unreadable", track=track, module=module, note=note[:_LONGEST].rstrip()
        )

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
        return self.bounded(unknown(what, name))

    def bounded(self, reason: str) -> str:
        """Return a reason, without the name in it once there are many reasons."""
        return reason if reason in self.skipped or len(self.skipped) < _NAMED else reason.partition(":")[0]


def unknown(what: str, name: str) -> str:
    """
    Return the reason for skipping an entry of an unknown kind, with its name.

    :param what: the unknown kind: ``release``.
    """
    return f"{UNKNOWN}{what}: {ascii(name[:30])[1:-1]}"


def invalid(version: object) -> str:
    """Return the note of a package whose version in the feed is not valid."""
    text = version if isinstance(version, str) else repr(version)
    if not text:
        return "the version is missing"
    return f"the version {ascii(text)[1:-1][:64]} is not valid"
