"""
NVD's JSON 2.0 feeds as a source: one list a year, about CVEs on all platforms.

The file of a year, ``nvdcve-2.0-2024.json.gz``, has one beside it, ``nvdcve-2.0-2024.meta``, with the checksum of its
unpacked text. Each year is a list by itself: one that has not changed is not read again, and a reading that was cut off
goes on with the years that are missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import enriching_source, list_key
from patches.sources.parse_job import FeedPart

#: The first year of the feeds; its file has the CVEs before it, too.
FIRST_YEAR = 2002
_YEAR_FILE = re.compile(r"(.*nvdcve-2\.0-(?:\d{4}|modified|recent))\.json(?:\.gz)?\Z", re.DOTALL)
_FILE = re.compile(r"\.(?:json|gz|xz|bz2|zst)\Z")
#: How long after the beginning of a year its file is expected, in seconds.
_LATE_SECONDS = 2 * 86_400


def create_source(
    config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None, wall: Callable[[], float] = time.time
) -> ISource:
    """
    Create a source of NVD's feeds.

    A location is a folder or a URL that has the files of the years, or one file.

    :param wall: returns the time in seconds since the epoch, which determines the last year.
    :raises BadSetting: if platforms are configured.
    """

    def parts(_: frozenset[str] | None) -> Sequence[FeedPart]:
        return list(_unique(part for location in config.locations for part in _parts(location, wall())))

    return enriching_source(config, context, "cvss", parts)


def _parts(location: str, now: float) -> Iterator[FeedPart]:
    if "://" in location and not _FILE.search(location):
        last = datetime.fromtimestamp(now - _LATE_SECONDS, UTC).year
        for year in range(FIRST_YEAR, last + 1):
            name = f"nvdcve-2.0-{year}"
            yield FeedPart(name, (f"{location.rstrip('/')}/{name}.json.gz", f"{location.rstrip('/')}/{name}.meta"))
    elif "://" not in location and Path(location).is_dir():
        found = sorted({*Path(location).glob("*.json"), *Path(location).glob("*.json.gz")})
        for path in found:
            yield _file(str(path))
        if not found:
            yield FeedPart(list_key(location), (f"{location.rstrip('/')}/nvdcve-2.0-{FIRST_YEAR}.json.gz",))
    else:
        yield _file(location)


def _file(location: str) -> FeedPart:
    """Return the list of one file; the ``.meta`` of a local one may be missing."""
    found = _YEAR_FILE.match(location)
    if found is None:
        return FeedPart(list_key(location), (location,))
    meta, key = f"{found[1]}.meta", list_key(found[1])
    has_meta = "://" in location or Path(meta).exists()
    return FeedPart(key, (location, meta) if has_meta else (location,))


def _unique(parts: Iterable[FeedPart]) -> Iterator[FeedPart]:
    """Yield the lists, each key once: the first location holds."""
    seen = set()
    for part in parts:
        if part.key not in seen:
            seen.add(part.key)
            yield part


KIND = SourceKind(VENDOR, create_source)
