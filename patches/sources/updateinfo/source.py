"""The advisories of rpm repositories as a source."""

from __future__ import annotations

from collections.abc import Sequence

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import feed_source, one_platform
from patches.sources.parse_job import FeedPart
from patches.sources.updateinfo.extras import ExtrasFetch
from patches.sources.updateinfo.fetch import UpdateinfoFetch


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of rpm repositories; the repositories of one release form one list.

    :raises BadSetting: if their platform is not configured.
    """
    platform = one_platform(config)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(platform, config.locations, platform)] if wanted is None or platform in wanted else []

    fetch = context.fetcher(config)
    repository = UpdateinfoFetch(fetch, context.run, context.files.use, context.files.drop)
    fetch = ExtrasFetch(fetch, repository, context.run, context.folder / f"{config.name}.extras")
    return feed_source(config, context, wanted, parts, fetch)


KIND = SourceKind(VENDOR, create_source)
