"""Every kind of source there is, and how one is made of its configuration: the one place that knows all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

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
VENDOR, CONVERTED = 0, 1


@frozen
class Kind:
    """
    A kind of source.

    :ivar rank: see :class:`~patches.interfaces.ISource`.
    :ivar make: makes a source; raises :class:`BadSetting`.
    """

    rank: int
    make: Callable[[SourceConfig, Means, frozenset[str] | None], ISource]


def make_source(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """
    Make a source.

    :param wanted: the platforms that are served; ``None``: whatever there is.
    :raises BadSetting: if there is no such kind, or its configuration cannot be used.
    """
    kind = KINDS.get(config.kind)
    if kind is None:
        raise BadSetting(f"[source.{config.name}]: there is no kind {config.kind!r}, only {', '.join(sorted(KINDS))}")
    if config.platforms is not None:
        wanted = frozenset(config.platforms) if wanted is None else wanted & frozenset(config.platforms)
    return kind.make(config, means, wanted)


def _feed(
    config: SourceConfig,
    means: Means,
    wanted: frozenset[str] | None,
    form: Format,
    parts: Callable[[frozenset[str] | None], Sequence[Part]],
    fetch: Fetch | None = None,
) -> FeedSource:
    rank = KINDS[config.kind].rank if config.rank is None else config.rank
    return FeedSource(config.name, rank, form, parts, fetch or means.fetch(config), means.run, wanted)


def _scratch(config: SourceConfig, means: Means) -> Path:
    return means.folder / f"{config.name}.gathering"


def _one_platform(config: SourceConfig) -> str:
    if len(config.platforms or ()) != 1:
        raise BadSetting(f'[source.{config.name}]: needs the one platform it is about: "platforms"')
    (platform,) = config.platforms or ("",)
    return platform


def _osv(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """A bucket has a folder for each ecosystem; anything else is one archive, or one folder of records."""
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


def _secdb(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """Alpine's database has two files for each branch; that of a rolling distribution is one file."""

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


def _debian_tracker(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(_key(config.locations[0]), config.locations[:1])]

    return _feed(config, means, wanted, debian_tracker_format(_scratch(config, means)), parts)


def _clair_export(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """The exports of several Clairs make one list."""

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(_key(config.locations[0]), config.locations)]

    return _feed(config, means, wanted, clair_export_format(_scratch(config, means)), parts)


def _csaf_vex(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(_key(config.locations[0]), config.locations[:1])]

    fetch = CsafFetch(means.fetch(config), means.run, means.folder / f"{config.name}.documents")
    return _feed(config, means, wanted, csaf_format, parts, fetch)


def _updateinfo(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    """The repositories of one release make one list."""
    platform = _one_platform(config)

    def parts(wanted: frozenset[str] | None) -> Sequence[Part]:
        return [Part(platform, config.locations, platform)] if wanted is None or platform in wanted else []

    fetch = UpdateinfoFetch(means.fetch(config), means.run)
    return _feed(config, means, wanted, updateinfo_format(_scratch(config, means)), parts, fetch)


def _ndjson(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    from patches.sources.ndjson import NdjsonSource

    return NdjsonSource(Path(config.locations[0]), means.reactor, config.name)


def _clair(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    from patches.sources.access import Access
    from patches.sources.clair import clair_source

    access = Access.from_config(config, means.environment)
    return clair_source(means.reactor, config.locations[0], name=config.name, access=access)


def _key(location: str) -> str:
    return location.rstrip("/").rpartition("/")[2] or location


KINDS = {
    "clair": Kind(CONVERTED, _clair),
    "clair-export": Kind(CONVERTED, _clair_export),
    "csaf-vex": Kind(VENDOR, _csaf_vex),
    "debian-tracker": Kind(VENDOR, _debian_tracker),
    "ndjson": Kind(VENDOR, _ndjson),
    "osv": Kind(CONVERTED, _osv),
    "secdb": Kind(VENDOR, _secdb),
    "updateinfo": Kind(VENDOR, _updateinfo),
}
