"""Delivery: sends what is in the outbox to the reporter API, in order, until everything is accepted."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.scanner.client.http_client import HttpClient, Unreachable
from patches.scanner.reporting.outbox import Outbox
from patches.service.backoff import Backoff

log = Logger()

#: No answer of a reporter API is read further.
MAX_REPORTER_ANSWER = 64 * 1024

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0
#: Answers that say that this report will never be accepted, as it is.
_NEVER = frozenset({400, 413, 415, 422})


class Delivery:
    """
    Sends reports.

    :param exchange: with the URL to which reports are posted.
    :param jitter: gives a number in [0, 1).
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

    async def tick(self) -> None:
        """Send what waits, unless it is too early to try again."""
        if self._clock.seconds() >= self._not_before:
            await self.send_all()

    async def send_all(self) -> str | None:
        """
        Send what waits, now; stop at the first that is not accepted.

        :return: why it stopped, or ``None`` if nothing waits any more.
        """
        for path in self._outbox.pending():
            problem, at_least = await self._send(path)
            if problem is not None:
                self._back_off(problem, at_least)
                return problem
            self._failures = 0
        return None

    async def _send(self, path: Path) -> tuple[str | None, float]:
        try:
            answer = await self._reporter_http.ask("POST", "", path.read_bytes())
        except Unreachable as error:
            return str(error), 0.0
        if 200 <= answer.status < 300:
            self._outbox.accepted(path)
            log.info("Report {name} was accepted", name=path.stem)
        elif answer.status in _NEVER:
            self._outbox.reject(path)
            log.error("Report {name} was rejected, and put aside: {why}", name=path.stem, why=answer.error_message)
        else:
            return f"the reporter API answered {answer.status}", answer.retry_after
        return None, 0.0

    def _back_off(self, problem: str, at_least: float) -> None:
        self._failures += 1
        pause = self._backoff.pause(self._failures, at_least)
        self._not_before = self._clock.seconds() + pause
        log.warn("Reports wait; retrying in {pause:.0f} s: {problem}", pause=pause, problem=problem)
