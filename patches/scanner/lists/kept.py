"""The facts of a kept list: where it is from, how old it is, and whether a scan would use it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from patches.platforms import InvalidPlatform, Platform
from patches.scanner.client.cache import CachedList, ListCache
from patches.scanner.client.verified_stream import VerifiedStream
from patches.service.text_table import TextTable
from patches.vulnerability import FOLLOWED, Vulnerability, canonical_id
from patches.wire import decode_lines, is_whole

FRESH, STALE, DAMAGED = "fresh", "stale", "damaged"
#: The number of characters of a revision in a table.
_SHOWN = 12
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_KIB, _MIB = 1024, 1024 * 1024


@frozen(kw_only=True)
class KeptFacts:
    """
    The facts of one kept list.

    :ivar origin: the server or the sources that it is from; ``None``: it was kept by an earlier version.
    :ivar checked: when it was last checked with its sources, as it was written; ``None``: not known.
    :ivar age: the seconds since then; negative: that is in the future.
    :ivar bytes: of its file.
    :ivar state: ``fresh``, ``stale`` or ``damaged``.
    """

    platform: str
    origin: str | None
    checked: str | None
    age: float | None
    state: str
    revision: str
    publication: int | None
    records: int | None
    bytes: int | None
    enrichments: tuple[str, ...]

    @classmethod
    def of(cls, platform: str, cached: CachedList, max_age: timedelta, now: float) -> KeptFacts:
        """
        Return the facts of a list, by its description; the list itself is not read.

        :param now: in seconds since the epoch.
        """
        told, size = cached.snapshot, _size(cached.path)
        checked, age = _text(told.get("checked")), None
        if checked is not None:
            age = _age(checked, now)
        is_stale = age is None or not -86_400 <= age <= max_age.total_seconds()
        made = told.get("enrichments")
        return cls(
            platform=platform,
            origin=cached.origin,
            checked=checked,
            age=age,
            state=DAMAGED if size is None else STALE if is_stale else FRESH,
            revision=cached.revision,
            publication=_number(told.get("publication")),
            records=_number(told.get("vulnerabilities")),
            bytes=size,
            enrichments=tuple(each for each in made if isinstance(each, str)) if isinstance(made, list) else (),
        )


def kept_lists(folder: Path) -> Iterator[tuple[str, CachedList]]:
    """Yield the platform of each list that is kept in a folder, with the list, in the order of their names."""
    for path in sorted(folder.glob("*.json")):
        try:
            platform = str(Platform.from_name(path.stem))
        except InvalidPlatform:
            continue
        cached = ListCache(folder, platform).cached()
        if cached is not None and platform == path.stem:
            yield platform, cached


def status_document(listed: list[KeptFacts]) -> dict[str, Any]:
    """Convert facts to a JSON document."""
    return {
        "lists": [
            {
                "platform": each.platform,
                "origin": each.origin,
                "state": each.state,
                "checked": each.checked,
                "age": None if each.age is None else round(each.age),
                "revision": each.revision,
                "publication": each.publication,
                "records": each.records,
                "bytes": each.bytes,
                "enrichments": list(each.enrichments),
            }
            for each in listed
        ]
    }


def status_table(listed: list[KeptFacts]) -> TextTable:
    """Convert facts to a table."""
    headings = ("Platform", "State", "Age", "From", "Revision", "Publication", "Records", "Size", "Enrichments")
    numbers = ("Age", "Publication", "Records", "Size")
    table = TextTable(*headings, numbers=numbers, optional=("Publication", "Enrichments", "Revision"))
    for each in listed:
        table.add_texts(
            each.platform,
            each.state,
            "?" if each.age is None else age_text(each.age),
            each.origin or "?",
            each.revision[:_SHOWN],
            _shown(each.publication),
            _shown(each.records),
            "?" if each.bytes is None else size_text(each.bytes),
            ", ".join(each.enrichments),
        )
    return table


def age_text(seconds: float) -> str:
    """Return a time in its largest unit: ``3 h``; one of less than a minute in seconds."""
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size_text(size: int) -> str:
    """Return a size in MiB, or in KiB if it is smaller."""
    return f"{size / _MIB:.1f} MiB" if size >= _MIB else f"{size / _KIB:.1f} KiB"


def verify_list(cached: CachedList) -> None:
    """
    Read a kept list to its end, and verify it.

    :raises NotVerified: if it is damaged.
    """
    pass_over = _read(cached.stream())
    try:
        pass_over.send(None)  # a list on disk is never waited for
    except StopIteration:
        return


async def _read(stream: VerifiedStream) -> None:
    async for _ in stream.bodies():
        pass


def record_lines(cached: CachedList, names: tuple[str, ...] = ()) -> Iterator[bytes]:
    """
    Yield the records of a kept list, each as its line; one line at a time is in memory.

    :param names: ids, aliases and packages, of which a record must have one; empty: all records.
    :raises NotVerified: if the file cannot be read.
    :raises MalformedWire: if a line is not a record.
    """
    wanted = {*names, *map(canonical_id, names)} - {FOLLOWED}
    texts = [name.encode("utf-8", "surrogateescape") for name in wanted]
    for line in cached.lines():
        is_near = not names or any(text in line for text in texts)  # to decode each line takes long
        if is_near and (not names or any(_has(each, wanted) for each in decode_lines(line))):
            yield line


def _has(record: Vulnerability, names: set[str]) -> bool:
    return not names.isdisjoint((record.name, *record.aliases, *(fixed.name for fixed in record.fixed_in)))


def _age(checked: str, now: float) -> float | None:
    try:
        told = datetime.fromisoformat(checked)
    except ValueError:
        return None
    return now - (told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if is_whole(value) else None


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)
