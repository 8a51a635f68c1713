"""The exports of Clair v4 as a source."""

from __future__ import annotations

from collections.abc import Sequence

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import CONVERTED, SourceContext, SourceKind
from patches.sources.feed_config import feed_source, list_key, verified_fetch
from patches.sources.parse_job import FeedPart


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """Create a source of Clair v4's exports; several files form one list."""

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(list_key(config.locations[0]), config.locations)]

    return feed_source(config, context, wanted, parts, verified_fetch(config, context))


KIND = SourceKind(CONVERTED, create_source)
