"""Kinds of sources whose lists are files: how each is made of its configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from patches.interfaces import ISource
from patches.settings import BadSetting
from patches.sources.configured import SourceConfig
from patches.sources.csaf import CsafFetch
from patches.sources.feed import FeedSource, Fetch, Format, Part
from patches.sources.formats import (
    clair_export_format,
    csaf_format,
    debian_tracker_format,
    osv_format,
    secdb_format,
    updateinfo_format,
)
from patches.sources.means import Means
from patches.sources.osv_ecosystems import TABLE
from patches.sources.updateinfo import UpdateinfoFetch

#: The branches that Alpine's security database has.
ALPINE = (*(f"alpine-3.{minor}" for minor in range(3, 25)), "alpine-edge")


def _feed(
    config: SourceConfig,
    means: Means,
    wanted: frozenset[str] | None,
    form: Format,
    parts: Callable[[frozenset[str] | None], Sequence[Part]],
    fetch: Fetch | None = None,
) -> FeedSource:
    return FeedSource(config.name, config.rank or 0, form, parts, fetch or means.fetch(config), means.run, wanted)


def _scratch(config: SourceConfig, means: Means) -> Path:
    return means.folder / f"{config.name}.gathering"


def _one_platform(config: SourceConfig) -> str:
    if len(config.platforms or ()) != 1:
        raise BadSetting(f'[source.{config.name}]: needs the one platform it is about: "platforms"')
    (platform,) = config.platforms or ("",)
    return platform


def osv_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """
    Make a source of OSV records: a bucket has a folder for each ecosystem; anything else is one archive, or one folder.

    :raises BadSetting: if there is no such ecosystem.
    """
    unknown = sorted(set(config.ecosystems) - {row.name for row in TABLE})
    if unknown:
        raise BadSetting(f"[source.{config.name}]: there is no ecosystem {unknown[0]!r}")

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        if not config.ecosystems:
            return [Part(_key(location), (location,)) for location in config.locations]
        base = config.locations[0].rstrip("/")
        return [
            Part(name, (f"{base}/{name.replace(' ', '%20') if '://' in base else name}/all.zip",))
            for name in config.ecosystems
        ]

    return _feed(config, means, wanted, osv_format(), parts)


def secdb_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """
    Make a source of security databases: Alpine's has two files for each branch, a rolling distribution's is one file.

    :raises BadSetting: if it is not told of which platform a single file is.
    """

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        base = config.locations[0].rstrip("/")
        if base.endswith(".json"):
            platform = _one_platform(config)
            return [Part(platform, config.locations, platform)]
        branches = sorted(wanted) if wanted is not None else _branches(base)
        return [_branch(base, platform) for platform in branches if platform.startswith("alpine-")]

    if config.locations[0].endswith(".json"):
        _one_platform(config)
    return _feed(config, means, wanted, secdb_format(_scratch(config, means)), parts)


def _branches(base: str) -> Sequence[str]:
    if "://" in base or not Path(base).is_dir():
        return ALPINE
    names = sorted(entry.name for entry in Path(base).iterdir() if re.fullmatch(r"v\d+\.\d+|edge", entry.name))
    return [f"alpine-{name.removeprefix('v')}" for name in names]


def _branch(base: str, platform: str) -> Part:
    version = platform.removeprefix("alpine-")
    folder = f"{base}/{version if version == 'edge' else f'v{version}'}"
    return Part(platform, (f"{folder}/main.json", f"{folder}/community.json"), platform)


def debian_tracker_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """Make a source of Debian's security tracker."""

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(_key(config.locations[0]), config.locations[:1])]

    return _feed(config, means, wanted, debian_tracker_format(_scratch(config, means)), parts)


def clair_export_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """Make a source of what Clair v4 exports; several files make one list."""

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(_key(config.locations[0]), config.locations)]

    return _feed(config, means, wanted, clair_export_format(_scratch(config, means)), parts)


def csaf_vex_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """
    Make a source of Red Hat's VEX documents.

    :raises BadSetting: if they are to come from several places.
    """
    if len(config.locations) != 1:
        raise BadSetting(f'[source.{config.name}]: its documents are in one place: give one "url" or one "path"')

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        if wanted is not None and not any(platform.startswith("rhel-") for platform in wanted):
            return []
        return [Part(_key(config.locations[0]), config.locations)]

    path = means.folder / f"{config.name}.documents"
    fetch = CsafFetch(means.fetch(config), means.run, path, means.kept.use)
    return _feed(config, means, wanted, csaf_format, parts, fetch)


def updateinfo_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """
    Make a source of rpm repositories; those of one release make one list.

    :raises BadSetting: if it is not told of which platform they are.
    """
    platform = _one_platform(config)

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(platform, config.locations, platform)] if wanted is None or platform in wanted else []

    fetch = UpdateinfoFetch(means.fetch(config), means.run, means.kept.use)
    return _feed(config, means, wanted, updateinfo_format(_scratch(config, means)), parts, fetch)


def _key(location: str) -> str:
    return location.rstrip("/").rpartition("/")[2] or location
