"""The sources of a server's options; each module is imported only where it is needed, as it takes memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from patches.interfaces import ISource, Run
from patches.server.budget import LEAST_WORKER_BYTES
from patches.server.options import RefreshSettings, SourceSettings
from patches.server.refresh.schedule import NoPublicSources, PublicSourceProvider
from patches.service.clocks import SteadyTime
from patches.settings import BadSetting, Sections
from patches.sources.feed import Parsing
from patches.sources.fetch.cache import FileCache
from patches.sources.worker.workers import Workers
from patches.wording import NO_FILE

if TYPE_CHECKING:
    from patches.sources.ecosystem_config import EcosystemConfig

#: The folder of the feeds in the state folder, and the folder of the fetched files in that.
FEEDS, FILES = "feeds", "files"
#: A fetched file is removed when no source has used it for so long, and for two intervals.
_UNUSED = timedelta(days=7)


@frozen
class ConfiguredSources:
    """
    The sources of a server.

    :ivar configured: in the order of the configuration.
    :ivar public: provides public sources for platforms that those do not have.
    :ivar intervals: the intervals of sources that have their own, by name.
    :ivar files: the fetched files.
    :ivar workers: parse the lists of feeds; their memory may be set before a list is read.
    :ivar forget_files: deletes fetched files that no source uses any more; blocks.
    """

    configured: tuple[ISource, ...]
    public: PublicSourceProvider
    intervals: Mapping[str, timedelta]
    forget_files: Callable[[], object]
    workers: Workers
    files: FileCache


def create_sources(
    reactor: Any,
    settings: SourceSettings,
    refresh: RefreshSettings,
    run: Run,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
) -> ConfiguredSources:
    """
    Create the sources.

    :param refresh: the platforms to serve, and the interval of sources without their own.
    :param folder: the state folder.
    :param environment: may name proxies.
    :raises BadSetting: if a source cannot be created.
    """
    workers = Workers(reactor, LEAST_WORKER_BYTES)
    made = [*_of_options(reactor, settings, run, folder, workers, environment)]
    intervals: dict[str, timedelta] = {}
    public: PublicSourceProvider = NoPublicSources()
    steady = SteadyTime()
    kept = FileCache(folder / FEEDS / FILES, steady)
    ecosystems = _ecosystems(settings.ecosystem)
    if settings.source or not settings.no_public_sources:
        from patches.sources.config import SourceConfig
        from patches.sources.context import SourceContext

        context = SourceContext.create(reactor, run, folder / FEEDS, kept, workers, environment, ecosystems)
        configs = [SourceConfig.from_section(name, section) for name, section in settings.source.items()]
        if configs:
            from patches.sources.registry import create_source

            wanted = frozenset(refresh.platforms) if refresh.platforms is not None else None
            made += [create_source(config, context, wanted) for config in configs]
            intervals = {config.name: config.interval for config in configs if config.interval is not None}
        if not settings.no_public_sources:
            public = _PublicWhenAsked(context)
    names = [source.name for source in made]
    if len(names) > len(set(names)):
        raise BadSetting(f"two sources are named {max(names, key=names.count)}")
    unused = max(_UNUSED, 2 * max([refresh.refresh_interval, *intervals.values()]))
    return ConfiguredSources(
        tuple(made), public, intervals, partial(_forget_files, kept, unused, steady), workers, kept
    )


def _ecosystems(sections: Sections) -> tuple[EcosystemConfig, ...]:
    """
    Parse the configured ecosystems, even if no source has them.

    :raises BadSetting: if one of them cannot be used.
    """
    if not sections:
        return ()
    from patches.sources.ecosystem_config import EcosystemConfig
    from patches.sources.osv.ecosystems import with_configured

    found = tuple(EcosystemConfig.from_section(name, section) for name, section in sections.items())
    with_configured(found)
    return found


def _forget_files(kept: FileCache, unused: timedelta, steady: Callable[[], float]) -> None:
    kept.forget_unused(steady() - unused.total_seconds())


def _of_options(
    reactor: Any,
    settings: SourceSettings,
    run: Run,
    folder: Path,
    parsing: Parsing,
    environment: Mapping[str, str],
) -> list[ISource]:
    made: list[ISource] = []
    if settings.list_file is not None:
        if not settings.list_file.is_file():
            reason = "it is not a file" if settings.list_file.exists() else NO_FILE
            raise BadSetting(f"--list {settings.list_file}: {reason}")
        from patches.sources.ndjson.source import local_source

        made.append(local_source(settings.list_file, parsing, run, folder / FEEDS))
    if settings.clair is not None:
        from patches.http.access.proxies import Proxies
        from patches.sources.clair.source import clair_source, ledger_folder
        from patches.sources.fetch.access import Access

        access = Access(Proxies.from_environment(environment))
        made.append(
            clair_source(
                reactor,
                settings.clair,
                settings.clair_rate,
                access=access,
                full_walk=settings.clair_full_walk,
                folder=ledger_folder(folder / FEEDS, "clair"),
            )
        )
    return made


class _PublicWhenAsked:
    """Public sources whose modules are loaded with the first; see :class:`.PublicSourceProvider`."""

    def __init__(self, context: Any) -> None:
        self._context = context

    @cached_property
    def _public(self) -> PublicSourceProvider:
        from patches.sources.public import PublicSources

        return PublicSources(self._context)

    def has(self, platform: str) -> bool:
        return self._public.has(platform)

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        return self._public.sources(platforms) if platforms else {}

    def enriching(self) -> Sequence[ISource]:
        return self._public.enriching()
