"""Fetchers of the files of configured sources: URLs are downloaded, paths are used where they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import frozen

from patches.errors import SourceError
from patches.http.access.routed_agent import pooled_agent
from patches.interfaces import Run
from patches.sources.config import SourceConfig
from patches.sources.feed import Fetch, FetchedFile
from patches.sources.fetch.access import Access
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.clients import verbatim_client
from patches.sources.fetch.download import Downloader
from patches.sources.fetch.local import LocalFiles
from patches.sources.fetch.retry import FetchSettings

_CONNECTIONS = 2
_CONNECT_SECONDS = 60.0
#: The number of tries of a download: fewer than for a request to an API, as a try resumes the one before.
TRIES = 5


@frozen
class AnyFetcher:
    """
    Fetches files by URL or by path.

    :ivar web: fetches ``http://`` and ``https://`` URLs.
    :ivar local: fetches paths and ``file://`` URLs.
    """

    web: Fetch
    local: Fetch

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Fetch a file.

        :raises SourceError: if it cannot be fetched.
        """
        scheme, slashes, _ = location.partition("://")
        if not slashes or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
            return await self.local(location)
        if scheme.lower() in ("http", "https"):
            return await self.web(location)
        parts = urlsplit(location)
        if scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
            raise SourceError(f"{location}: is neither a path nor an http, https or file URL")
        return await self.local(unquote(parts.path))


class FetcherFactory:
    """
    Creates a fetcher for each configured source.

    All fetchers share one folder, so that a file of two sources is downloaded once. Each has its own headers and proxy.

    :param run: runs blocking calls.
    :param files: the folder of downloaded files.
    :param environment: the variables of the process, which may name proxies.
    """

    def __init__(self, reactor: Any, run: Run, files: FileCache, environment: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._run = run
        self._files = files
        self._environment = environment

    def __call__(self, config: SourceConfig) -> Fetch:
        """
        Create the fetcher of a source.

        :raises BadSetting: if its certificates or its proxy cannot be used, or a proxy of the environment.
        """
        access = Access.from_config(config, self._environment)
        client = verbatim_client(pooled_agent(self._reactor, _CONNECTIONS, _CONNECT_SECONDS, access))
        web = Downloader(client, self._reactor, self._run, self._files, access.headers, FetchSettings(tries=TRIES))
        return AnyFetcher(web, LocalFiles(self._run))
