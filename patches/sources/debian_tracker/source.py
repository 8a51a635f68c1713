"""Debian's security tracker as a source: one file for all releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.debian_tracker.parser import parse_tracker
from patches.sources.feed import FeedPart
from patches.sources.feed_config import feed_source, list_key, one_location, scratch_file
from patches.sources.parse_context import ParseContext
from patches.sources.regroup import file_fragments, regrouped
from patches.vulnerability import Vulnerability


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of Debian's security tracker.

    :raises BadSetting: if several locations are configured.
    """
    location, scratch = one_location(config), scratch_file(config, context)

    def parse(part: FeedPart, paths: Sequence[Path], context: ParseContext) -> Iterator[Vulnerability]:
        return regrouped(file_fragments(parse_tracker, paths, context), scratch)

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        return [FeedPart(list_key(location), (location,))]

    return feed_source(config, context, wanted, parse, parts)


KIND = SourceKind(VENDOR, create_source)
