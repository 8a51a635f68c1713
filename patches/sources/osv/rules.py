"""
The rules for the records of one distribution in OSV's format; the rules of each are in the table beside.

The format is shared, its use is not: a package name is that of the source package for one distribution and of the
binary package for another, and the CVE is in a different field for each. Epochs need no rule: a missing epoch is the
epoch 0 wherever binary packages are named, and source packages are compared without it.

Source: OSV schema 1.7, and the feeds themselves.
"""

from __future__ import annotations

import re

from attrs import field, frozen

from patches.skipped import NOT_SECURITY

_ANYWHERE = ("upstream", "related", "aliases")


def _all_compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, patterns))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@frozen
class Release:
    """
    The releases of a distribution.

    :ivar pattern: matches the whole name of an OSV ecosystem.
    :ivar platform: the platform, with ``{0}`` and so on for the groups of the pattern.
    :ivar track: the track of the fixes of these entries, with groups likewise; ``None``: the main line.
    """

    pattern: re.Pattern[str] = field(converter=_compiled)
    platform: str
    track: str | None = None


@frozen
class Ecosystem:
    """
    The rules by which the records of one distribution are read.

    :ivar name: the ecosystem as OSV writes it, without a release.
    :ivar releases: the releases that are platforms.
    :ivar others: match the names of other lineages, which are no platforms; any other name is an unknown release.
    :ivar scheme: the order of versions: ``dpkg``, ``rpm`` or ``apk``.
    :ivar kind: the kind of packages that records name: ``source`` or ``binary``.
    :ivar ids: the prefixes of the ids of those records that make the complete list; empty: all records do.
    :ivar cve_prefix: the text before the CVE in the id of a record about a single CVE; ``None`` if there are no such
        records.
    :ivar repeats: the prefixes of the ids of records that repeat other records.
    :ivar harmless: the prefixes of the ids of records that are not about security.
    :ivar cves: the fields that contain the CVEs.
    :ivar page: the URL of a description, with ``{name}``; empty: one of the references.
    :ivar home: the prefix of the reference that is preferred to others.
    :ivar follows: whether its records name every source package that the distribution follows.
    :ivar rated_in_summary: whether the summary begins with the severity: ``Important: …``.
    """

    name: str
    releases: tuple[Release, ...]
    scheme: str
    kind: str
    ids: tuple[str, ...] = ()
    cve_prefix: str | None = None
    repeats: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    cves: tuple[str, ...] = _ANYWHERE
    page: str = ""
    home: str = ""
    rated_in_summary: bool = False
    follows: bool = False
    others: tuple[re.Pattern[str], ...] = field(default=(), converter=_all_compiled)

    def refusal(self, record_id: str) -> str | None:
        """Return the reason to skip a record, by its id; ``None``: it is not skipped."""
        if record_id.startswith(self.repeats):
            return "repeats other records"
        if record_id.startswith(self.harmless):
            return NOT_SECURITY
        return f"not a record of {self.name}" if self.ids and not record_id.startswith(self.ids) else None
