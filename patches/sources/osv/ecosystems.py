"""The platforms of OSV's ecosystems, from the rules of each distribution."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from patches.platforms import PATTERN
from patches.settings import BadSetting
from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.osv.rules import Ecosystem, Release
from patches.sources.osv.table import TABLE
from patches.sources.parse_context import NoPlatform, unknown

#: The highest number of ecosystem names that are remembered; a feed has a thousand at most.
_REMEMBERED = 4096


@frozen
class Target:
    """The target of an entry: a platform, its track, and the rules of its ecosystem."""

    ecosystem: Ecosystem
    platform: str
    track: str | None


class Ecosystems:
    """
    The rows of the table by the names of OSV's ecosystems.

    :param rows: of two rows for one ecosystem the later one is used, so that additional rows may follow the table.
    """

    def __init__(self, rows: tuple[Ecosystem, ...] = TABLE) -> None:
        self._rows = {row.name: row for row in rows}
        self._known: dict[str, Target] = {}
        self._refused: dict[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        """The names of the ecosystems, without releases."""
        return frozenset(self._rows)

    @property
    def following(self) -> dict[str, frozenset[str]]:
        """The ecosystems that name every package that they follow, with the families of their platforms."""
        return {row.name: _families(row) for row in self._rows.values() if row.follows}

    def of_family(self, family: str) -> frozenset[str]:
        """Return the names of the ecosystems that have platforms of a family."""
        return frozenset(row.name for row in self._rows.values() if family in _families(row))

    def place(self, name: str) -> Target:
        """
        Return the target of the entries of an ecosystem.

        :param name: as in a record, ``Ubuntu:22.04:LTS``.
        :raises NoPlatform: with the reason to skip the entries.
        """
        target = self._known.get(name)
        if target is not None:
            return target
        if name in self._refused:
            raise NoPlatform(self._refused[name])
        is_remembered = len(self._known) + len(self._refused) < _REMEMBERED
        try:
            target = self._find(name)
        except NoPlatform as error:
            if is_remembered:
                self._refused[name] = error.reason
            raise
        if is_remembered:
            self._known[name] = target
        return target

    def _find(self, name: str) -> Target:
        row = self._rows.get(name.partition(":")[0])
        if row is None:
            raise NoPlatform(unknown("ecosystem", name.partition(":")[0]))
        for release in row.releases:
            matched = release.pattern.fullmatch(name)
            if matched is None:
                continue
            platform = release.platform.format(*matched.groups()).lower()
            if len(platform) <= 64 and PATTERN.match(platform):
                return Target(row, platform, release.track and release.track.format(*matched.groups()))
        if any(pattern.fullmatch(name) for pattern in row.others):
            raise NoPlatform(f"another lineage of {row.name}")
        raise NoPlatform(unknown("release", name))


def _families(row: Ecosystem) -> frozenset[str]:
    return frozenset(release.platform.partition("-{")[0] for release in row.releases)


def with_configured(configs: Iterable[EcosystemConfig]) -> Ecosystems:
    """
    Return the table with configured ecosystems.

    :raises BadSetting: if the table has one of them.
    """
    names = {row.name for row in TABLE}
    for config in configs:
        if config.name in names:
            raise BadSetting(f'[ecosystem."{config.name}"]: this ecosystem is known, and cannot be configured')
    return Ecosystems((*TABLE, *(_row(config) for config in configs)))


def _row(config: EcosystemConfig) -> Ecosystem:
    name = re.escape(config.name)
    releases = Release(f"{name}:([^:]+)", f"{config.family}-{{0}}"), Release(name, config.family)
    return Ecosystem(config.name, releases, config.scheme, config.kind)


#: The table, ready for use.
ECOSYSTEMS = Ecosystems()
