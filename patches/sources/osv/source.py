"""OSV as a source: archives or folders of records, or a bucket with one archive per ecosystem."""

from __future__ import annotations

from collections.abc import Sequence

from patches.interfaces import ISource
from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import CONVERTED, SourceContext, SourceKind
from patches.sources.feed_config import feed_source, one_location, parts_of
from patches.sources.osv.ecosystems import with_configured
from patches.sources.parse_job import FeedPart


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of OSV records.

    :raises BadSetting: if an ecosystem is unknown, or those of several buckets are configured.
    """
    ecosystems = with_configured(context.ecosystems)
    unknown = sorted(set(config.ecosystems) - ecosystems.names)
    if unknown:
        raise BadSetting(
            f"[source.{config.name}]: there is no ecosystem {unknown[0]!r}; "
            f'a section [ecosystem."{unknown[0]}"] adds it'
        )
    base = one_location(config).rstrip("/") if config.ecosystems else ""

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        if not config.ecosystems:
            return parts_of(config.locations)
        return [
            FeedPart(name, (f"{base}/{name.replace(' ', '%20') if '://' in base else name}/all.zip",))
            for name in config.ecosystems
        ]

    return feed_source(config, context, wanted, parts)


KIND = SourceKind(CONVERTED, create_source)
