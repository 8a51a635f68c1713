"""The real feeds in OSV's format, each parsed once for all tests of a process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from attrs import evolve, field, frozen

from patches.sources.archive.members import members
from patches.sources.osv.ecosystems import ECOSYSTEMS, Ecosystems
from patches.sources.osv.parser import parse_osv
from patches.sources.osv.table import TABLE
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability
from tests.shared_data import shared

#: With AlmaLinux's other advisories too.
ALMALINUX = evolve(next(row for row in TABLE if row.name == "AlmaLinux"), ids=(), harmless=())
EVERY_ADVISORY = Ecosystems((*TABLE, ALMALINUX))


@frozen
class RealFeed:
    """
    The result of parsing a feed.

    :ivar members: the number of vulnerabilities of each member of the archive.
    """

    members: Counter[str] = field(factory=Counter)
    skipped: Counter[str] = field(factory=Counter)
    vulnerabilities: list[Vulnerability] = field(factory=list)


def real_feed(name: str, ecosystems: Ecosystems = ECOSYSTEMS) -> RealFeed:
    """
    Return a complete feed.

    :raises SkipTest: if it is not here.
    """
    return _read(name, ecosystems)


@cache
def _read(name: str, ecosystems: Ecosystems) -> RealFeed:
    feed = RealFeed()

    def counted() -> Iterator[tuple[str, bytes]]:
        for member, content in members(shared(f"data/osv/{name}/all.zip")):
            feed.members[member] = 0
            yield member, content

    for vulnerability in parse_osv(counted(), ParseContext("osv", skipped=feed.skipped), ecosystems):
        feed.members[next(reversed(feed.members))] += not vulnerability.followed
        feed.vulnerabilities.append(vulnerability)
    return feed
