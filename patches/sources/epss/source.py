"""FIRST's EPSS scores as a source: one file a day, about CVEs on all platforms."""

from __future__ import annotations

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import enriching_source, list_key, one_location
from patches.sources.parse_job import FeedPart

LOCATION = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of EPSS scores.

    :raises BadSetting: if several locations or platforms are configured.
    """
    location = one_location(config)
    return enriching_source(config, context, "epss", lambda _: [FeedPart(list_key(location), (location,))])


KIND = SourceKind(VENDOR, create_source)
