"""The configuration that all feeds share: their source, their lists, their only platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.feed import FeedFiles, FeedFormat, FeedSource, Fetch
from patches.sources.fetch.checks.published import VerifiedFetch
from patches.sources.parse_job import FeedPart


def feed_source(
    config: SourceConfig,
    context: SourceContext,
    wanted: frozenset[str] | None,
    parts: Callable[[frozenset[str] | None], Sequence[FeedPart]],
    fetch: Fetch | None = None,
    enriches: str | None = None,
) -> FeedSource:
    """
    Create a source of files.

    :param parts: returns the lists of the wanted platforms; ``None``: of all.
    :param fetch: fetches the files; ``None``: each location is one file.
    :param enriches: see :class:`~patches.sources.feed.FeedFormat`.
    """
    files = FeedFiles(parts, fetch or context.fetcher(config))
    form = FeedFormat(config.kind, context.folder / f"{config.name}.regroup", context.ecosystems, enriches)
    return FeedSource(config.name, config.rank or 0, files, form, context.parsing, context.run, wanted)


def enriching_source(
    config: SourceConfig,
    context: SourceContext,
    enriches: str,
    parts: Callable[[frozenset[str] | None], Sequence[FeedPart]],
) -> FeedSource:
    """
    Create a source of files about vulnerability ids on all platforms.

    :param enriches: what its records add to those of other sources: ``cvss``, ``kev`` or ``epss``.
    :raises BadSetting: if platforms are configured.
    """
    if config.platforms is not None:
        raise BadSetting(f'[source.{config.name}]: its records are about all platforms: it has no "platforms"')
    return feed_source(config, context, None, parts, enriches=enriches)


def verified_fetch(config: SourceConfig, context: SourceContext) -> Fetch:
    """Create a fetcher of files that verifies those which have a checksum beside them."""
    return VerifiedFetch(context.fetcher(config), context.run, context.files.drop)


def one_platform(config: SourceConfig) -> str:
    """
    Return the only platform of a source whose files do not name it.

    :raises BadSetting: if not exactly one is configured.
    """
    if len(config.platforms or ()) != 1:
        raise BadSetting(f'[source.{config.name}]: needs exactly one platform in "platforms"')
    (platform,) = config.platforms or ("",)
    return platform


def parts_of(locations: Sequence[str]) -> Sequence[FeedPart]:
    """Return a list for each location; of several with the same last part of the path the key is the whole location."""
    keys = Counter(map(list_key, dict.fromkeys(locations)))
    named = {location: list_key(location) for location in locations}
    return [FeedPart(key if keys[key] == 1 else location, (location,)) for location, key in named.items()]


def one_location(config: SourceConfig) -> str:
    """
    Return the only location of a source.

    :raises BadSetting: if several are configured.
    """
    if len(config.locations) != 1:
        raise BadSetting(f'[source.{config.name}]: what it reads is in one place: configure one "url" or one "path"')
    return config.locations[0]


def list_key(location: str) -> str:
    """Return the key of the list of a location: the last part of its path."""
    return location.rstrip("/").rpartition("/")[2] or location
