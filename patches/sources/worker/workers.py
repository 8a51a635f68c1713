"""The workers of a server: one for each source that is being read; see :class:`~patches.sources.feed.Parsing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.sources.worker.process import Ceilings, WorkerProcess
from patches.sources.worker.staged_file import read_staged
from patches.vulnerability import Vulnerability

#: The code of a worker, which is not below its ceiling (measured: 8 to 12 MiB, most of it shared with the server).
CODE_BYTES = 12 * 1024 * 1024


class Workers:
    """
    Parses each list in the worker of its source.

    :param reactor: starts processes and has the time.
    :ivar worker_bytes: the memory of one worker, its code included; see :class:`~patches.sources.feed.Parsing`.
    """

    def __init__(self, reactor: Any, worker_bytes: int) -> None:
        self.worker_bytes = worker_bytes
        self._reactor = reactor
        self._workers: dict[str, WorkerProcess] = {}

    def pids(self) -> tuple[int, ...]:
        """Return the processes that run now."""
        return tuple(worker.pid for worker in self._workers.values() if worker.pid is not None)

    async def parse(self, job: ParseJob, context: ParseContext, /) -> Iterator[Vulnerability]:
        """
        Parse a list, and return its records, which are verified while they are consumed.

        :raises SourceError: if the list cannot be parsed.
        """
        worker = self._workers.get(job.source)
        if worker is None:
            worker = WorkerProcess(self._reactor, Ceilings(self.worker_bytes - CODE_BYTES))
            worker.start()
            self._workers[job.source] = worker
        try:
            reply = await worker.ask(job)
        except BaseException:
            self._workers.pop(job.source, None)
            worker.kill("it was interrupted")
            raise
        if reply.error is not None:
            raise SourceError(reply.error)
        return read_staged(job.staged, context)

    def rest(self, source: str, /) -> None:
        """End the worker of a source, if it has one."""
        worker = self._workers.pop(source, None)
        if worker is not None:
            worker.kill("its source was read")
