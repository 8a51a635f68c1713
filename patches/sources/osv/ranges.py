"""From the events of an OSV record to ranges of versions, in the native order of the distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from patches.sources.fields import is_name
from patches.sources.parse_context import INVALID_VERSION, NO_RANGE, ParseContext
from patches.versions import InvalidVersion, ordering

_EVENTS = ("introduced", "fixed", "last_affected")


class _NoRange(ValueError):
    """Events that do not make ranges."""


@frozen
class Range:
    """
    A range of affected versions.

    :ivar introduced: the first version that is affected; ``None``: from the start.
    :ivar fixed: the first version after it that is not; ``0``: none ever was.
    :ivar last_affected: the last version that is, where that is told in place of a fix.
    """

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


def ranges_of(entry: dict[str, Any], scheme: str, context: ParseContext) -> Iterator[Range]:
    """
    Give the ranges of an affected package.

    :param entry: an element of ``affected``. Versions that it lists one by one repeat its ranges.
    :param scheme: how its versions compare.
    :param context: counts the ranges that are skipped.
    """
    listed = entry.get("ranges")
    if not isinstance(listed, list) or not listed:
        context.skip(NO_RANGE)
        return
    for item in listed:
        try:
            yield from _ranges(item, _sort_key(scheme))
        except InvalidVersion:
            context.skip(INVALID_VERSION)
        except _NoRange:
            context.skip(NO_RANGE)


def _sort_key(scheme: str) -> Callable[[str], Any]:
    sort_key = ordering(scheme)
    if sort_key is None:
        raise ValueError(f"there is no order for versions of {scheme}")
    return sort_key


def _ranges(item: Any, sort_key: Callable[[str], Any]) -> list[Range]:
    """Walk along the events: a range is open from an ``introduced`` to whatever event is next that ends it."""
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
        raise _NoRange
    return found


def _events(item: Any) -> list[tuple[str, str]]:
    """Take the events out; those that are not known may narrow the range, so nothing can be said then."""
    events = item.get("events") if isinstance(item, dict) and item.get("type") == "ECOSYSTEM" else None
    if not isinstance(events, list):
        raise _NoRange
    pairs = [pair for event in events if isinstance(event, dict) for pair in event.items()]
    for kind, version in pairs:
        if kind not in _EVENTS or not isinstance(version, str):
            raise _NoRange
    if {"fixed", "last_affected"} <= {kind for kind, _ in pairs}:
        raise _NoRange
    return pairs


def _in_order(events: list[tuple[str, str]], sort_key: Callable[[str], Any]) -> list[tuple[str, str]]:
    """Sort events by version: ``0`` before all, an ``introduced`` of it first; equal ones stay as they stand."""
    keyed = []
    for kind, version in events:
        if version != "0" and not is_name(version):
            raise InvalidVersion(version, "it cannot be printed")
        is_start = version == "0"
        keyed.append(((not is_start, is_start and kind != "introduced", sort_key(version)), kind, version))
    return [(kind, version) for _, kind, version in sorted(keyed, key=lambda event: event[0])]
