"""
The reasons for which entries of a source are skipped, and which of them mean that something was lost.

An entry is lost if it may be about a package on a host, and nobody can say which. An unreadable entry whose package is
known is not lost: it is in the list, with the status ``unreadable``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NO_RECORD = "not a record"
NO_PACKAGE = "not a package"
NO_RANGE = "not a range of versions"
NO_ID = "no vulnerability id"
NO_TYPE = "no type"
NO_NAME = "no name"
NO_PACKAGE_NAME = "package without a name"
INVALID_VERSION = "invalid version"
SLASH = "name with a slash"
#: Not lost: the record says that it could not be read.
UNREADABLE = "unreadable"
WITHDRAWN = "withdrawn"
NOT_SECURITY = "not security"
#: Named only where a list is empty for this reason.
UNWANTED = "not a wanted platform"

_LOST = (NO_RECORD, NO_PACKAGE, NO_RANGE, NO_ID, NO_TYPE, NO_NAME, NO_PACKAGE_NAME, INVALID_VERSION, SLASH)
#: The beginning of the reasons that name an unknown release, distribution or ecosystem.
UNKNOWN = "unknown "
#: The beginning of the reasons that name a part of a source which could not be fetched.
UNREAD = "unread "


def is_lost(reason: str) -> bool:
    """Return whether an entry that was skipped for a reason is lost."""
    return reason in _LOST or reason.startswith((UNKNOWN, UNREAD))


def unread(sources: Mapping[str, Mapping[str, Any]]) -> int:
    """
    Return the number of entries that were lost.

    :param sources: by source, an object with the counts of ``skipped`` entries, by reason.
    """
    counts = (counts.get("skipped", {}) for counts in sources.values())
    return sum(number for skipped in counts for reason, number in skipped.items() if is_lost(reason))


def in_words(skipped: Mapping[str, int], most: int = 3) -> str:
    """
    Return the most frequent reasons in words: ``222 records of the unknown ecosystem Photon OS``.

    :param most: the highest number of reasons.
    """
    rows = sorted(skipped.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(_words(reason, count) for reason, count in rows[:most] if count > 0)


def _words(reason: str, count: int) -> str:
    what, colon, name = reason.partition(": ")
    records = "1 record" if count == 1 else f"{count} records"
    return f"{records} of the {what} {name}" if colon and what.startswith((UNKNOWN, UNREAD)) else f"{records}: {reason}"
