"""What sources are created with: the dependencies that all of them share, and the kinds that there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from patches.interfaces import ISource, Run
from patches.sources.config import SourceConfig
from patches.sources.feed import Fetch
from patches.sources.fetch.cache import FileCache

#: The ranks of kinds: the vendor's own data goes before data converted by others.
VENDOR, CONVERTED = 0, 1


@frozen
class SourceContext:
    """
    The dependencies that all sources share.

    :ivar reactor: provides the time and connections.
    :ivar run: runs what blocks.
    :ivar folder: the folder of fetched files and scratch files.
    :ivar fetcher: creates the fetcher of a configured source.
    :ivar kept: the fetched files.
    :ivar environment: the variables of the process, which may name proxies.
    """

    reactor: Any
    run: Run
    folder: Path
    fetcher: Callable[[SourceConfig], Fetch]
    files: FileCache
    environment: Mapping[str, str] = field(factory=dict, repr=False)

    @classmethod
    def create(
        cls, reactor: Any, run: Run, folder: Path, files: FileCache, environment: Mapping[str, str] | None = None
    ) -> SourceContext:
        """
        Create the context of a server.

        :param folder: is created when it is needed.
        :param environment: may name proxies; ``None``: that of the process.
        """
        from patches.sources.fetch.fetcher import FetcherFactory  # treq and TLS, which take memory

        environment = os.environ if environment is None else environment
        return cls(reactor, run, folder, FetcherFactory(reactor, run, files, environment), files, environment)


@frozen
class Kind:
    """
    A kind of source.

    :ivar rank: see :class:`~patches.interfaces.ISource`.
    :ivar create: creates a source that reads the given platforms (``None``: all); raises :class:`BadSetting`.
    """

    rank: int
    create: Callable[[SourceConfig, SourceContext, frozenset[str] | None], ISource]
