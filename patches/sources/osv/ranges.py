"""Conversion of the events of an OSV record to ranges of versions, in the native order of the distribution."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from patches.sources.fields import is_name
from patches.sources.parse_context import invalid
from patches.versions import InvalidVersion, ordering

_EVENTS = ("introduced", "fixed", "last_affected")
_NONE = "it has no range of versions"
#: Azure Linux has versions with a blank after the epoch.
_BLANK = re.compile(r"(?<=^\d:) +")


class _NoRange(ValueError):
    """Events that do not form ranges; its text is the reason."""


@frozen
class Range:
    """
    A range of affected versions.

    :ivar introduced: the first version that is affected; ``None``: the first of all.
    :ivar fixed: the first later version that is not affected; ``0``: no version was ever affected.
    :ivar last_affected: the last version that is affected, where the record names that instead of a fix.
    :ivar problem: the reason why the range cannot be read; ``None`` if it could be read.
    """

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    problem: str | None = None


def ranges_of(entry: dict[str, Any], scheme: str) -> Iterator[Range]:
    """
    Yield the ranges of an affected package; ranges of other kinds, as of commits, are ignored beside one of versions.

    :param entry: an element of ``affected``; its ``versions`` are not used, as they repeat its ranges.
    :param scheme: the order of its versions.
    """
    ranges = entry.get("ranges")
    listed = [item for item in ranges if not _is_of_others(item)] if isinstance(ranges, list) else []
    for item in listed:
        try:
            yield from _ranges(item, _sort_key(scheme))
        except InvalidVersion as error:
            yield Range(problem=invalid(error.version))
        except _NoRange as error:
            yield Range(problem=str(error))
    if not listed:
        yield Range(problem=_NONE)


def _is_of_others(item: Any) -> bool:
    """Return whether a range is one of commits or of another order of versions."""
    return isinstance(item, dict) and item.get("type") in ("GIT", "SEMVER")


def _sort_key(scheme: str) -> Callable[[str], Any]:
    sort_key = ordering(scheme)
    if sort_key is None:
        raise ValueError(f"there is no order for versions of {scheme}")
    return sort_key


def _ranges(item: Any, sort_key: Callable[[str], Any]) -> list[Range]:
    """
    Convert the events to ranges: a range begins with ``introduced`` and ends with the next event that is another one.
    """
    found: list[Range] = []
    introduced: str | None = None
    is_open = False
    for kind, version in _in_order(_events(item), sort_key):
        if kind == "introduced" and not is_open:
            introduced, is_open = (None if version == "0" else version), True
        elif kind != "introduced" and is_open:
            is_open = False
            found.append(Range(introduced, **{kind: version}))
    if is_open:
        found.append(Range(introduced))
    if not found:
        raise _NoRange(_NONE)
    return found


def _events(item: Any) -> list[tuple[str, str]]:
    """
    Return the events of a range as pairs of kind and version.

    :raises InvalidVersion: if a version is not a text.
    :raises _NoRange: if there is an unknown event: it might narrow the range, so the range is unknown too.
    """
    events = item.get("events", []) if isinstance(item, dict) and item.get("type") == "ECOSYSTEM" else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise _NoRange("its range of versions is malformed")
    pairs = [pair for event in events for pair in event.items()]
    for kind, version in pairs:
        if kind not in _EVENTS:
            raise _NoRange(f"its range of versions has the event {kind[:32]!a}, which is not known")
        if not isinstance(version, str):
            raise InvalidVersion(repr(version), "it is not a text")
    if {"fixed", "last_affected"} <= {kind for kind, _ in pairs}:
        raise _NoRange("its range of versions has two ends")
    return [(kind, _BLANK.sub("", version)) for kind, version in pairs]


def _in_order(events: list[tuple[str, str]], sort_key: Callable[[str], Any]) -> list[tuple[str, str]]:
    """Sort events by version: ``0`` is first, its ``introduced`` before other events; equal ones keep their order."""
    keyed = []
    for kind, version in events:
        if version != "0" and not is_name(version):
            raise InvalidVersion(version, "it contains characters that cannot be printed")
        is_start = version == "0"
        keyed.append(((not is_start, is_start and kind != "introduced", sort_key(version)), kind, version))
    return [(kind, version) for _, kind, version in sorted(keyed, key=lambda event: event[0])]
