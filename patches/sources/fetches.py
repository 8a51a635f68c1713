"""What fetches the files of a configured source: from web servers what is a URL, and from here what is a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import frozen

from patches.interfaces import Run, SourceError
from patches.sources.access import Access
from patches.sources.asking import DownloadSettings
from patches.sources.configured import SourceConfig
from patches.sources.connections import verbatim_client
from patches.sources.download import Downloads
from patches.sources.feed import Fetch, Fetched
from patches.sources.kept import KeptFiles
from patches.sources.local import LocalFiles
from patches.sources.routes import pooled_agent

_CONNECTIONS = 2
_CONNECT_SECONDS = 60.0


@frozen
class Anywhere:
    """
    Has files here, wherever they are.

    :ivar web: has the files of ``http://`` and ``https://`` URLs.
    :ivar here: has those of paths, and of ``file://`` URLs.
    """

    web: Fetch
    here: Fetch

    async def __call__(self, location: str, /) -> Fetched:
        """
        Have a file here.

        :raises SourceError: if it cannot be had.
        """
        scheme, slashes, _ = location.partition("://")
        if not slashes or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
            return await self.here(location)
        if scheme.lower() in ("http", "https"):
            return await self.web(location)
        parts = urlsplit(location)
        if scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
            raise SourceError(f"{location}: is neither a path nor a URL of http, https or file")
        return await self.here(unquote(parts.path))


class Fetches:
    """
    Makes what fetches, of the configuration of a source.

    All have one folder: a file that two sources want is had once. Each sends its own headers, by its own proxy.
    """

    def __init__(self, reactor: Any, run: Run, kept: KeptFiles, environment: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._run = run
        self._kept = kept
        self._environment = environment

    def __call__(self, config: SourceConfig) -> Fetch:
        """
        Make what fetches the files of a source.

        :raises BadSetting: if its certificates or its proxy cannot be used, or the environment's.
        """
        access = Access.from_config(config, self._environment)
        client = verbatim_client(pooled_agent(self._reactor, _CONNECTIONS, _CONNECT_SECONDS, access))
        web = Downloads(client, self._reactor, self._run, self._kept, access.headers, DownloadSettings())
        return Anywhere(web, LocalFiles(self._run))


def make_fetch(reactor: Any, run: Run, kept: KeptFiles, environment: Mapping[str, str]) -> Fetches:
    """
    Make what makes what fetches.

    :param run: runs what blocks.
    :param kept: where downloaded files are.
    :param environment: the variables of the process, which may name proxies.
    """
    return Fetches(reactor, run, kept, environment)
