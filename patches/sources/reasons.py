"""Why something of a feed is left out: what parsers count it under."""

from __future__ import annotations

from collections.abc import Collection

NO_RECORD = "not a record"
NO_PACKAGE = "not a package"
NO_RANGE = "not a range of versions"
NO_FLAW = "no name of a flaw"
INVALID_VERSION = "invalid version"
WITHDRAWN = "withdrawn"
NOT_SECURITY = "not security"

#: Not more than so many reasons are told apart by a name out of the feed.
_NAMED = 20


def unknown(what: str, name: str, skipped: Collection[str]) -> str:
    """
    Give the reason for leaving out what nothing is known of.

    :param what: it is: ``release``.
    :param name: what the feed calls it.
    :param skipped: the reasons so far: where they are many, the name is left aside.
    """
    reason = f"unknown {what}: {ascii(name[:30])[1:-1]}"
    return reason if reason in skipped or len(skipped) < _NAMED else f"unknown {what}"
