"""CISA's catalogue of known exploited vulnerabilities as a source: one file, about CVEs on all platforms."""

from __future__ import annotations

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import enriching_source, list_key, one_location
from patches.sources.parse_job import FeedPart

LOCATION = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of CISA's catalogue.

    :raises BadSetting: if several locations or platforms are configured.
    """
    location = one_location(config)
    return enriching_source(config, context, "kev", lambda _: [FeedPart(list_key(location), (location,))])


KIND = SourceKind(VENDOR, create_source)
