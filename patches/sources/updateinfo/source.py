"""The advisories of rpm repositories as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed import FeedPart
from patches.sources.feed_config import feed_source, one_platform, scratch_file
from patches.sources.parse_context import ParseContext
from patches.sources.regroup import one_platform_fragments, regrouped
from patches.sources.updateinfo.fetch import UpdateinfoFetch
from patches.sources.updateinfo.parser import parse_updateinfo
from patches.vulnerability import Vulnerability


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of rpm repositories; the repositories of one release form one list.

    :raises BadSetting: if their platform is not configured.
    """
    platform, scratch = one_platform(config), scratch_file(config, context)

    def parse(part: FeedPart, paths: Sequence[Path], context: ParseContext) -> Iterator[Vulnerability]:
        return regrouped(one_platform_fragments(parse_updateinfo, part, paths, context), scratch)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(platform, config.locations, platform)] if wanted is None or platform in wanted else []

    fetch = UpdateinfoFetch(context.fetcher(config), context.run, context.files.use)
    return feed_source(config, context, wanted, parse, parts, fetch)


KIND = SourceKind(VENDOR, create_source)
