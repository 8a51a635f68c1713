"""The registry of kinds of sources, by their names in a configuration."""

from __future__ import annotations

from attrs import evolve

from patches.interfaces import ISource
from patches.settings import BadSetting
from patches.sources.clair import source as clair
from patches.sources.clair_export import source as clair_export
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.csaf import source as csaf
from patches.sources.debian_tracker import source as debian_tracker
from patches.sources.epss import source as epss
from patches.sources.kev import source as kev
from patches.sources.ndjson import source as ndjson
from patches.sources.nvd import source as nvd
from patches.sources.osv import source as osv
from patches.sources.secdb import source as secdb
from patches.sources.updateinfo import source as updateinfo

KINDS = {
    "clair": clair.KIND,
    "clair-export": clair_export.KIND,
    "csaf-vex": csaf.KIND,
    "debian-tracker": debian_tracker.KIND,
    "epss": epss.KIND,
    "kev": kev.KIND,
    "ndjson": ndjson.KIND,
    "nvd": nvd.KIND,
    "osv": osv.KIND,
    "secdb": secdb.KIND,
    "updateinfo": updateinfo.KIND,
}


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source.

    :param wanted: the platforms that are served; ``None``: all.
    :raises BadSetting: if the kind is unknown, or the configuration cannot be used.
    """
    kind = KINDS.get(config.kind)
    if kind is None:
        raise BadSetting(f"[source.{config.name}]: there is no kind {config.kind!r}, only {', '.join(sorted(KINDS))}")
    if config.platforms is not None:
        wanted = frozenset(config.platforms) if wanted is None else wanted & frozenset(config.platforms)
    ranked = evolve(config, rank=kind.rank if config.rank is None else config.rank)
    return kind.create(ranked, context, wanted)
