"""
Files of complete lists in the wire format, as a source.

``patches demo`` serves such a file, and lists that other programs produce can be served from one: with ``--list``, or
as a configured source.
"""

from __future__ import annotations

from pathlib import Path

from patches.interfaces import ISource, Run
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed import FeedFiles, FeedFormat, FeedSource, Parsing
from patches.sources.feed_config import feed_source, parts_of, verified_fetch
from patches.sources.fetch.local import LocalFiles


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """Create a source of files in the wire format, each a list; those at URLs are fetched if they have changed."""
    parts = parts_of(config.locations)
    return feed_source(config, context, wanted, lambda wanted: parts, verified_fetch(config, context))


def local_source(path: Path, parsing: Parsing, run: Run, folder: Path, name: str = "ndjson") -> FeedSource:
    """
    Create a source of one local file.

    :param run: runs blocking calls.
    :param folder: the folder of scratch files.
    """
    parts = parts_of([str(path)])
    files = FeedFiles(lambda wanted: parts, LocalFiles(run))
    return FeedSource(name, VENDOR, files, FeedFormat("ndjson", folder / f"{name}.regroup"), parsing, run)


KIND = SourceKind(VENDOR, create_source)
