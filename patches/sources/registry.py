"""Every kind of source there is, and how one is made of its configuration: the one place that knows all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import evolve, frozen

from patches.interfaces import ISource
from patches.settings import BadSetting
from patches.sources.configured import SourceConfig
from patches.sources.kinds_of_files import (
    clair_export_source,
    csaf_vex_source,
    debian_tracker_source,
    osv_source,
    secdb_source,
    updateinfo_source,
)
from patches.sources.means import Means

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
    ranked = evolve(config, rank=kind.rank if config.rank is None else config.rank)
    return kind.make(ranked, means, wanted)


def _ndjson(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    from patches.sources.ndjson import NdjsonSource

    return NdjsonSource(Path(config.locations[0]), means.reactor, config.name)


def _clair(config: SourceConfig, means: Means, wanted: frozenset[str] | None) -> ISource:
    from patches.sources.access import Access
    from patches.sources.clair import FULL_WALK, clair_source

    access = Access.from_config(config, means.environment)
    full_walk = config.full_walk or FULL_WALK
    return clair_source(means.reactor, config.locations[0], name=config.name, access=access, full_walk=full_walk)


KINDS = {
    "clair": Kind(CONVERTED, _clair),
    "clair-export": Kind(CONVERTED, clair_export_source),
    "csaf-vex": Kind(VENDOR, csaf_vex_source),
    "debian-tracker": Kind(VENDOR, debian_tracker_source),
    "ndjson": Kind(VENDOR, _ndjson),
    "osv": Kind(CONVERTED, osv_source),
    "secdb": Kind(VENDOR, secdb_source),
    "updateinfo": Kind(VENDOR, updateinfo_source),
}
