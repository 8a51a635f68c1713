"""The advisories of rpm repositories as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve

from patches.interfaces import ISource
from patches.skipped import UNREAD
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed import FeedPart
from patches.sources.feed_config import feed_source, one_platform, scratch_file
from patches.sources.parse_context import ParseContext
from patches.sources.regroup import one_platform_fragments, regrouped
from patches.sources.updateinfo.extras import ExtrasFetch, is_extras_index, read_topics
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
        return regrouped(_fragments(part, paths, context), scratch)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(platform, config.locations, platform)] if wanted is None or platform in wanted else []

    fetch = context.fetcher(config)
    repository = UpdateinfoFetch(fetch, context.run, context.files.use)
    fetch = ExtrasFetch(fetch, repository, context.run, context.folder / f"{config.name}.extras")
    return feed_source(config, context, wanted, parse, parts, fetch)


def _fragments(part: FeedPart, paths: Sequence[Path], context: ParseContext) -> Iterator[Vulnerability]:
    """Yield the advisories of repositories, and of the topics of catalogues: their builds are in a track each."""
    for location, path in zip(part.locations, paths, strict=True):
        if not is_extras_index(location):
            yield from one_platform_fragments(parse_updateinfo, part, [path], context)
            continue
        for topic in read_topics(path):
            if topic.problem is not None:
                context.skip(f"{UNREAD}extra: {topic.name}")
            elif topic.path is not None:
                for each in one_platform_fragments(parse_updateinfo, part, [Path(topic.path)], context):
                    packages = (evolve(package, track=topic.name.lower()) for package in each.fixed_in)
                    yield evolve(each, fixed_in=tuple(packages))


KIND = SourceKind(VENDOR, create_source)
