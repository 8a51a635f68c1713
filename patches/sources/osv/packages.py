"""Conversion of the elements of ``affected`` in an OSV record to the packages of a vulnerability on one platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import evolve, frozen

from patches.sources.fields import sorted_packages
from patches.sources.osv.ecosystems import Target
from patches.sources.osv.ranges import Range, ranges_of
from patches.sources.parse_context import ParseContext
from patches.tracks import ESM
from patches.vulnerability import FixedPackage

#: A module and its stream, as in the summaries of records: ``nodejs:20``.
_STREAM = re.compile(r"(?<![\w.+:-])([A-Za-z0-9][\w.+-]*:\w[\w.+-]*)")
_MODULAR = (".module+el", ".module_el")


@frozen
class Entry:
    """
    An element of ``affected``.

    :ivar name: the name of the package.
    :ivar content: the element itself.
    """

    place: Target
    name: str
    content: dict[str, Any]


def stream_in(summary: Any) -> str | None:
    """Return the module and stream that a summary names; ``None`` unless there is exactly one."""
    found = set(_STREAM.findall(summary)) if isinstance(summary, str) else set()
    return found.pop() if len(found) == 1 else None


def packages_of(entries: list[Entry], stream: str | None, context: ParseContext) -> tuple[FixedPackage, ...]:
    """
    Return the packages of a vulnerability: each range once, sorted.

    A package without a fix, even for subscribers, is affected on every host, and the main line will not fix it. A fix
    that is not marked as the subscribers' was published for everyone before. One that is stays in their track: the
    scanner decides what it means for other hosts.

    :param entries: all entries of one platform.
    :param stream: the module and stream of modular builds; ``None`` if unknown.
    :param context: counts what cannot be read.
    """
    packages = [package for entry in entries for package in _packages(entry, stream, context)]
    free = {entry.name for entry in entries if entry.place.track is None}
    theirs = (each for each in packages if each.track == ESM and each.name not in free)
    return sorted_packages([*packages, *(_for_everyone(each) for each in theirs if _concerns_everyone(each))])


def _concerns_everyone(package: FixedPackage) -> bool:
    """Return whether an entry for subscribers holds on every host; versions of kernels do not show whose they are."""
    if package.version is None:
        return package.status != "unreadable"
    return ESM not in package.version and not package.name.startswith("linux")


def _for_everyone(package: FixedPackage) -> FixedPackage:
    return evolve(package, track=None, status="will_not_fix" if package.status == "affected" else package.status)


def _packages(entry: Entry, stream: str | None, context: ParseContext) -> Iterator[FixedPackage]:
    ecosystem = entry.place.ecosystem
    for bounds in ranges_of(entry.content, ecosystem.scheme):
        if bounds.problem is not None:
            yield context.unreadable(entry.name, ecosystem.kind, bounds.problem, entry.place.track)
            continue
        is_harmless = bounds.fixed == "0"
        yield FixedPackage(
            entry.name,
            None if is_harmless else bounds.fixed,
            ecosystem.kind,
            introduced=bounds.introduced,
            status="not_affected" if is_harmless else _status(bounds, entry.content),
            module=stream if bounds.fixed and any(mark in bounds.fixed for mark in _MODULAR) else None,
            last_affected=bounds.last_affected,
            track=entry.place.track,
        )


def _status(bounds: Range, content: dict[str, Any]) -> str:
    if bounds.fixed:
        return "fixed"
    specific = content.get("ecosystem_specific")
    urgency = specific.get("urgency") if isinstance(specific, dict) else None
    return "end_of_life" if urgency == "end-of-life" else "affected"
