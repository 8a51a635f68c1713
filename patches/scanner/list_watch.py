"""
The watch over the list that was compared last: the server is asked, between scans, whether it has another one.

The answer is a hint: it makes the host be scanned at once, and the list is verified then. A server that cannot be
asked, or does not say, leaves the host to its schedule.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from patches.scanner.client.client import NotTold
from patches.scanner.client.http_client import Unreachable
from patches.service.log.trouble_log import TroubleLog
from patches.service.periodic import CoroutineService

log = Logger()

#: The part of a pause by which it is shortened at random, at most.
_JITTER_PART = 0.1


@frozen(eq=False)
class ComparedList:
    """
    The list with which a complete scan compared the host.

    :ivar is_confirmed: whether the server said that it is the current one; else the server was away, and a kept list
        was compared.
    """

    platform: str
    revision: str
    is_confirmed: bool = True


class ListWatch(CoroutineService):
    """
    A service that asks for the revision of a list, again and again.

    :param ask: returns whether a platform has another list than one of a revision.
    :param frequency: the longest time between two questions; the first one is asked at a random time within it, so that
        the questions of a fleet are spread.
    :param when_changed: called when there is another list.
    :param jitter: returns a random number in [0, 1).
    :ivar compared: the list that was compared last; ``None`` while a scan runs, or if the last one was not complete:
        then nothing is asked.
    """

    def __init__(
        self,
        ask: Callable[[str, str], Awaitable[bool]],
        frequency: timedelta,
        clock: IReactorTime,
        when_changed: Callable[[], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self.compared: ComparedList | None = None
        self._ask = ask
        self._frequency = frequency.total_seconds()
        self._clock = clock
        self._when_changed = when_changed
        self._jitter = jitter
        self._trouble = TroubleLog("The server does not say whether the list changed", "The server says it again")

    async def _go_on(self) -> None:
        await deferLater(self._clock, self._jitter() * self._frequency)
        while self.running:
            at_least = await self._check()
            pause = self._frequency * (1 - _JITTER_PART * self._jitter())
            await deferLater(self._clock, max(pause, at_least))

    async def _check(self) -> float:
        """Ask once. Return the seconds after which the server wants the next question, 0 if it does not say."""
        compared = self.compared
        if compared is None:
            return 0.0
        try:
            has_changed = await self._ask(compared.platform, compared.revision)
        except CancelledError:
            raise
        except Unreachable as error:
            self._trouble.begin(str(error))
            return error.retry_after if isinstance(error, NotTold) else 0.0
        except Exception:
            log.failure("The question whether the list changed failed")
            return 0.0
        self._trouble.end()
        if self.compared is compared:  # else a scan has begun meanwhile
            self._conclude(compared, has_changed)
        return 0.0

    def _conclude(self, compared: ComparedList, has_changed: bool) -> None:
        if has_changed:
            log.info("Scanning again: the list of {platform} has changed", platform=compared.platform)
        elif not compared.is_confirmed:
            log.info("Scanning again: the server is there again")
        if has_changed or not compared.is_confirmed:
            self._when_changed()
