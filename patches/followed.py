"""The records that list the source packages which a source follows: a package that is in none of them is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from patches.vulnerability import FOLLOWED, Vulnerability

#: The most names in one record, and their most characters, so that any chunk can hold it.
MOST_NAMES = 2_000
MOST_CHARACTERS = 40_000


def followed_records(platform: str, names: Iterable[str], source: str) -> Iterator[Vulnerability]:
    """
    Yield the records that list packages, all with the name :data:`~patches.vulnerability.FOLLOWED`.

    :param names: of source packages, in any order.
    :param source: the name of the source.
    """
    part: list[str] = []
    size = 0
    for name in sorted(set(names)):
        if part and (len(part) >= MOST_NAMES or size + len(name) > MOST_CHARACTERS):
            yield Vulnerability(FOLLOWED, platform, source=source, followed=tuple(part))
            part, size = [], 0
        part.append(name)
        size += len(name)
    if part:
        yield Vulnerability(FOLLOWED, platform, source=source, followed=tuple(part))
