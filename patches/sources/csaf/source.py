"""Red Hat's VEX documents, as a source."""

from __future__ import annotations

from collections.abc import Sequence

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.csaf.fetch import CsafFetch
from patches.sources.feed_config import feed_source, list_key, one_location
from patches.sources.fetch.checks.published import VerifiedFetch
from patches.sources.parse_job import FeedPart


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of VEX documents.

    :raises BadSetting: if several locations are configured.
    """
    location = one_location(config)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        if wanted is not None and not any(platform.startswith("rhel-") for platform in wanted):
            return []
        return [FeedPart(list_key(location), (location,))]

    path = context.folder / f"{config.name}.documents"
    fetch = context.fetcher(config)
    verified = VerifiedFetch(fetch, context.run, context.files.drop)
    documents = CsafFetch(fetch, verified, context.run, path, context.files.use)
    return feed_source(config, context, wanted, parts, documents)


KIND = SourceKind(VENDOR, create_source)
