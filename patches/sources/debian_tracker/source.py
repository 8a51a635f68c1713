"""Debian's security tracker as a source: one file for all releases."""

from __future__ import annotations

from collections.abc import Sequence

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import feed_source, list_key, one_location
from patches.sources.parse_job import FeedPart


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of Debian's security tracker.

    :raises BadSetting: if several locations are configured.
    """
    location = one_location(config)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(list_key(location), (location,))]

    return feed_source(config, context, wanted, parts)


KIND = SourceKind(VENDOR, create_source)
