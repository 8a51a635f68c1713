"""The dependencies that all sources share, and the description of a kind of source."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from patches.interfaces import ISource, Run
from patches.sources.config import SourceConfig
from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.feed import Fetch, Parsing
from patches.sources.fetch.cache import FileCache
from patches.sources.parsing import ParsingHere

#: The ranks of kinds: the vendor's own data takes precedence over data converted by others.
VENDOR, CONVERTED = 0, 1


@frozen
class SourceContext:
    """
    The dependencies that all sources share.

    :ivar reactor: provides the time and connections.
    :ivar run: runs blocking calls.
    :ivar folder: the folder of fetched files and scratch files.
    :ivar fetcher: creates the fetcher of a configured source.
    :ivar files: the fetched files.
    :ivar parsing: parses the lists.
    :ivar environment: the variables of the process, which may name proxies.
    :ivar ecosystems: OSV: the ecosystems that are configured, besides those in the table.
    """

    reactor: Any
    run: Run
    folder: Path
    fetcher: Callable[[SourceConfig], Fetch]
    files: FileCache
    parsing: Parsing = field(factory=ParsingHere)
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    ecosystems: tuple[EcosystemConfig, ...] = ()

    @classmethod
    def create(
        cls,
        reactor: Any,
        run: Run,
        folder: Path,
        files: FileCache,
        parsing: Parsing,
        environment: Mapping[str, str] | None = None,
        ecosystems: tuple[EcosystemConfig, ...] = (),
    ) -> SourceContext:
        """
        Create the context of a server.

        :param folder: created when it is first used.
        :param environment: may name proxies; ``None``: that of the process.
        """
        from patches.sources.fetch.fetcher import FetcherFactory  # imports treq and TLS, which take memory

        environment = os.environ if environment is None else environment
        fetcher = FetcherFactory(reactor, run, files, environment)
        return cls(reactor, run, folder, fetcher, files, parsing, environment, ecosystems)


@frozen
class SourceKind:
    """
    A kind of source.

    :ivar rank: see :class:`~patches.interfaces.ISource`.
    :ivar create: creates a source that reads the given platforms (``None``: all); raises :class:`BadSetting`.
    """

    rank: int
    create: Callable[[SourceConfig, SourceContext, frozenset[str] | None], ISource]
