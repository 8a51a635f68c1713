"""One-shot runs of the reactor, for the console command: the work ends, and its result is the exit code."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater, react
from twisted.logger import Logger

from patches.service.clocks import use_monotonic_time
from patches.service.name_resolver import use_own_resolver

log = Logger()

INTERRUPTED = 130
#: How long work that was interrupted may take to end, in seconds.
END_SECONDS = 1.5


class Work(Protocol):
    """Work that is done under a reactor; returns the exit code."""

    def __call__(self, reactor: Any, /) -> Coroutine[Deferred[Any], Any, int]: ...


def run(work: Work) -> int:
    """
    Run the reactor until the work is done, or until a signal stops it: then the work is cancelled, and may still end.

    :return: the exit code of the work, or that of an interrupted program. An error of the work is raised.
    """
    codes: list[int] = []
    errors: list[Exception] = []

    async def noted(reactor: Any) -> None:
        use_monotonic_time(reactor)
        use_own_resolver(reactor)
        await deferLater(reactor, 0)  # Ctrl-C ends only a reactor that is running already
        working, ended = Deferred.fromCoroutine(work(reactor)), Deferred[None]()
        reactor.addSystemEventTrigger("before", "shutdown", _interrupt, reactor, working, ended)
        try:
            codes.append(await working)
        except CancelledError:
            log.debug("The work was interrupted")
        except Exception as error:
            errors.append(error)
        finally:
            ended.callback(None)

    try:
        react(noted)
    except SystemExit as end:
        if end.code:
            raise
    if errors:
        raise errors[0]
    return codes[0] if codes else INTERRUPTED


def _interrupt(reactor: Any, working: Deferred[Any], ended: Deferred[None]) -> Deferred[None]:
    """Cancel work that is not done. Return a Deferred that fires when it has ended, or has taken too long for that."""
    working.cancel()
    return ended.addTimeout(END_SECONDS, reactor, onTimeoutCancel=lambda result, seconds: None)
