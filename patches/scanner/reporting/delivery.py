"""Delivery of the reports in the outbox to the reporter API, in order, with retries until they are accepted."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from gzip import GzipFile
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.scanner.client.http_client import HttpClient, HttpResponse, Unreachable
from patches.scanner.reporting.outbox import Outbox
from patches.service.backoff import Backoff
from patches.service.log.trouble_log import TroubleLog
from patches.wording import file_problem

log = Logger()

#: The largest response of a reporter API, in bytes.
MAX_REPORTER_ANSWER = 64 * 1024

#: The largest report that is sent from memory, in bytes; a larger one is sent from its file.
MOST_IN_MEMORY = 1024 * 1024

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0
#: The statuses that mean that the report will never be accepted as it is.
_TOO_LARGE = 413
_NEVER = frozenset({400, _TOO_LARGE, 415, 422})


class Delivery:
    """
    Sends the reports in an outbox.

    :param reporter_http: sends requests to the URL to which reports are posted.
    :param jitter: returns a random number in [0, 1).
    :ivar rejected: why the last report that will never be accepted was set aside; ``None``: there was none.
    """

    def __init__(
        self,
        outbox: Outbox,
        reporter_http: HttpClient,
        clock: IReactorTime,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._reporter_http = reporter_http
        self._clock = clock
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, jitter)
        self._failures = 0
        self._not_before = 0.0
        self._was_asked = False
        self.rejected: str | None = None
        self._answered: dict[Path, Callable[[Path], None]] = {}
        self._outbox_trouble = TroubleLog(
            "Reports that were sent cannot be removed, and are not sent again", "Reports that were sent are removed"
        )

    async def tick(self) -> None:
        """Send the pending reports, unless the pause after a failure has not ended yet."""
        if self._clock.seconds() >= self._not_before:
            await self.send_all()

    def hurry(self) -> None:
        """End the pause after a failure, because its reason may be gone; not one that the reporter asked for."""
        if not self._was_asked:
            self._not_before = 0.0

    async def send_all(self) -> str | None:
        """
        Send the pending reports now; stop at the first one that cannot be delivered, to keep their order.

        :return: why the report was not delivered; ``None`` if no report is pending.
        """
        for path in self._outbox.pending():
            if path in self._answered:
                self._put_away(path, self._answered[path])
                continue
            problem, at_least = await self._send(path)
            if problem is not None:
                self._back_off(problem, at_least)
                return problem
            self._failures = 0
        return None

    def _put_away(self, path: Path, put: Callable[[Path], None]) -> None:
        """Remove or set aside a report that needs no further request; if that fails, it is tried at each tick."""
        try:
            put(path)
        except OSError as error:
            self._answered[path] = put
            self._outbox_trouble.begin(file_problem(error))
        else:
            self._answered.pop(path, None)
            if not self._answered:
                self._outbox_trouble.end()

    async def _send(self, path: Path) -> tuple[str | None, float]:
        try:
            is_whole = self._outbox.is_whole(path)
        except OSError as error:
            return f"{path}: {file_problem(error)}", 0.0
        if not is_whole:
            self._put_away(path, self._outbox.reject)
            log.error("Report {name} is damaged and was set aside; the next scan replaces it", name=path.stem)
            return None, 0.0
        try:
            answer = await self._post(path)
        except Unreachable as error:
            return str(error), 0.0
        except OSError as error:
            return f"{path}: {file_problem(error)}", 0.0
        if 200 <= answer.status < 300:
            self._put_away(path, self._outbox.accepted)
            log.info("Report {name} was accepted", name=path.stem)
        elif answer.status in _NEVER:
            self._put_away(path, self._outbox.reject)
            self.rejected = f"{answer.error_message} (status {answer.status})"
            log.error("Report {name} was rejected and set aside: {why}", name=path.stem, why=answer.error_message)
        else:
            return f"the reporter API answered {answer.status}", answer.retry_after
        return None, 0.0

    async def _post(self, path: Path) -> HttpResponse:
        """Send a report, and again compressed if it is too large as it is."""
        with path.open("rb") as file:
            body = file if path.stat().st_size > MOST_IN_MEMORY else file.read()
            answer = await self._reporter_http.ask("POST", "", body)
        if answer.status != _TOO_LARGE:
            return answer
        with path.open("rb") as file, TemporaryFile() as packed:
            with GzipFile(fileobj=packed, mode="wb", compresslevel=1) as compressed:
                copyfileobj(file, compressed)
            packed.seek(0)
            with os.fdopen(os.dup(packed.fileno()), "rb") as body:  # treq takes files that can only be read
                return await self._reporter_http.ask("POST", "", body, {"Content-Encoding": "gzip"})

    def _back_off(self, problem: str, at_least: float) -> None:
        self._failures += 1
        self._was_asked = at_least > 0
        pause = self._backoff.pause(self._failures, at_least)
        self._not_before = self._clock.seconds() + pause
        log.warn("Reports cannot be sent; retrying in {pause:.0f} s: {problem}", pause=pause, problem=problem)
