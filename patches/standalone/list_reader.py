"""
The reader of one platform's list: sources are asked with validators, and what changed is read and kept.

Theory of operation. The folder has what a server's state folder has: fetched files, staged lists, the catalogue. The
refresher is ticked until nothing is left to do for the platform; its current snapshot is then put into the list cache,
from which the scan reads and verifies it like any other cached list.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.task import deferLater
from twisted.logger import Logger

from patches.interfaces import Run
from patches.scanner.client.cache import ListCache
from patches.server.assembly.refresh import Refresh, create_refresh, verify_staged
from patches.server.assembly.shared import Shared, create_budget
from patches.server.assembly.storage import Storage, open_storage
from patches.server.budget import worker_bytes
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.catalogue.snapshot import Snapshot
from patches.server.configured_sources import ConfiguredSources, create_sources
from patches.server.errors import CatalogueError
from patches.server.http.representations import snapshot_document
from patches.server.options import CatalogueSettings, RefreshSettings, SourceSettings
from patches.server.refresh.status import NO_SOURCE
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.service.daemon import LOCK_NAME, lock_folder
from patches.service.threads import ThreadService
from patches.settings import BadSetting
from patches.standalone.progress import RefreshProgress
from patches.storage.atomic_file import write_atomically
from patches.wire import unpack_chunk
from patches.wording import file_problem

log = Logger()

#: The memory of a command that reads a list, its worker included.
MEMORY_LIMIT = 512 * 1024 * 1024
#: The command that accepts a list which is held back.
_ACCEPTS = "patches list update --accept"
_STEP_SECONDS = 0.1
#: The file that names whose lists the folder has.
_MARK = "asked"
_AT_ONCE = timedelta(0)

Watch = Callable[[RefreshProgress], None]


@frozen
class RefreshResult:
    """
    The end of the reading of a list.

    :ivar problem: why the list is not what the sources have now; ``None``: it is.
    :ivar is_covered: whether a source has, or may have, a list of the platform.
    """

    problem: str | None
    is_covered: bool = True


@frozen
class _Parts:
    """The parts that read the list of one platform."""

    storage: Storage
    sources: ConfiguredSources
    refresh: Refresh


class ListReader:
    """
    Reads the list of one platform.

    :param folder: the folder of the reader; one reader at a time uses it.
    :param settings: the sources; without any the public feed of the platform is read.
    :param environment: may name proxies.
    """

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        platform: str,
        settings: SourceSettings,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._platform = platform
        self._settings = settings
        self._environment = environment

    async def read(self, cache: ListCache, watch: Watch, is_accepting: bool = False) -> RefreshResult:
        """
        Read what has changed, and put the list into the cache.

        :param watch: called with the progress, again and again.
        :param is_accepting: whether a list that is held back is accepted first.
        :raises BadSetting: if a source or the folder cannot be used, or there is no list to accept.
        """
        lock = await self._lock()
        threads, asking = ThreadService(self._reactor), ThreadService(self._reactor, 1)
        try:
            self._begin(cache.asked or "")
            for each in (threads, asking):
                each.startService()
            parts = self._create(threads.run, asking.run)
            try:
                if is_accepting:
                    await self._accept(parts, threads.run)
                problem = await self._refresh(parts, watch)
                return await self._keep(parts, cache, threads.run, problem)
            finally:
                parts.refresh.refresher.stop()
                parts.storage.catalogue.close()
        finally:
            for each in (threads, asking):
                await each.stopService()
            os.close(lock)

    def _begin(self, asked: str) -> None:
        """
        Begin anew if the folder has what another source said: it must not stand in for this one.

        :raises BadSetting: if the folder cannot be used.
        """
        mark = self._folder / _MARK
        try:
            if mark.is_file() and mark.read_text("utf-8", "replace") == asked:
                return
            for each in self._folder.iterdir():
                if each.name != LOCK_NAME:
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
            write_atomically(mark, asked.encode())
        except OSError as error:
            raise BadSetting(f"{self._folder}: {file_problem(error)}") from error

    async def _lock(self) -> int:
        """Lock the folder; wait while another reader uses it. Return the descriptor, which holds the lock."""
        while (lock := lock_folder(self._folder)) is None:
            await deferLater(self._reactor, _STEP_SECONDS)
        return lock

    def _create(self, run: Run, ask: Run) -> _Parts:
        refreshing = RefreshSettings(platforms=(self._platform,), keep_replaced=_AT_ONCE)
        sources = create_sources(self._reactor, self._settings, refreshing, run, self._folder, self._environment)
        verify_staged(self._folder)
        storage = open_storage(CatalogueSettings(state_dir=self._folder), self._folder, run)
        budget = create_budget(MEMORY_LIMIT, MAX_RESPONSE_BYTES)
        sources.workers.worker_bytes = worker_bytes(budget)
        watch = CatalogueWatch(storage.connections, run, ask, self._reactor)
        shared = Shared(self._reactor, run, watch, budget, self._folder)
        return _Parts(storage, sources, create_refresh(refreshing, shared, storage, sources, set, _ACCEPTS))

    async def _accept(self, parts: _Parts, run: Run) -> None:
        """Publish the list that is held back, as ``patches catalogue publish`` does at a server."""
        try:
            accepted = await run(parts.storage.catalogue.accept, self._platform, time.time())
        except CatalogueError as error:
            raise BadSetting(f"--accept: the catalogue cannot be used: {error}") from error
        if accepted is None:
            raise BadSetting(f"--accept: no list of {self._platform} is held back in {self._folder}")

    async def _refresh(self, parts: _Parts, watch: Watch) -> str | None:
        """Refresh until nothing is left to do. Return what went wrong; ``None``: nothing."""
        refresher = parts.refresh.refresher
        try:
            await refresher.load_current()
            before = self._current(parts)
            await refresher.tick()
            while not refresher.is_at_rest(self._platform):
                watch(RefreshProgress.of(refresher, parts.sources))
                await deferLater(self._reactor, _STEP_SECONDS)
                await refresher.tick()
            read = self._current(parts)
            if read is not None and (before is None or read.revision != before.revision):
                # it may all have been between two looks
                watch(RefreshProgress(tuple(refresher.source_names), records=read.vulnerabilities))
        except CatalogueError as error:
            return f"the catalogue cannot be used: {error}"
        return self._problem(parts)

    def _current(self, parts: _Parts) -> Snapshot | None:
        status = parts.refresh.refresher.statuses.get(self._platform)
        return status.snapshot if status is not None else None

    def _problem(self, parts: _Parts) -> str | None:
        refresher = parts.refresh.refresher
        status = refresher.statuses.get(self._platform)
        problem = refresher.problem_of(self._platform) or (status.error if status is not None else None)
        alarm = status.alarm if status is not None else None
        return problem or (f"a newer list is held back: {alarm}" if alarm is not None else None)

    async def _keep(self, parts: _Parts, cache: ListCache, run: Run, problem: str | None) -> RefreshResult:
        """Put the current list into the cache, and forget those before it."""
        snapshot = self._current(parts)
        if snapshot is None:
            is_absent = problem in (None, NO_SOURCE)
            return RefreshResult(f"no source has a list of {self._platform}" if is_absent else problem, not is_absent)
        try:
            await self._copy(parts.storage, snapshot, cache, run)
            await parts.refresh.refresher.registry.prune(set())
            await run(parts.sources.forget_files)
        except CatalogueError as error:
            return RefreshResult(f"the catalogue cannot be used: {error}")
        return RefreshResult(problem)

    async def _copy(self, storage: Storage, snapshot: Snapshot, cache: ListCache, run: Run) -> None:
        cached, document = cache.cached(), snapshot_document(snapshot)
        cache.origin = ", ".join(snapshot.sources)
        if cached is not None and cached.revision == snapshot.revision and cached.path.exists():
            cache.describe(document)
            return
        writer = cache.keep()
        if writer is None:
            return
        try:
            for number in range(snapshot.chunks):
                chunk = await run(storage.catalogue.chunk, snapshot.revision, number)
                writer.add(unpack_chunk(chunk.encoded))
            writer.commit(document)
        finally:
            writer.close()
