"""One-shot runs of the reactor, for the console command: the work ends, and its result is the exit code."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from patches.service.clocks import use_monotonic_time

INTERRUPTED = 130


class Work(Protocol):
    """Work that is done under a reactor; returns the exit code."""

    def __call__(self, reactor: Any, /) -> Coroutine[Deferred[Any], Any, int]: ...


def run(work: Work) -> int:
    """
    Run the reactor until the work is done.

    :return: the exit code of the work, or that of an interrupted program.
    """
    codes: list[int] = []

    async def noted(reactor: Any) -> None:
        use_monotonic_time(reactor)
        await deferLater(reactor, 0)  # Ctrl-C ends only a reactor that is running already
        codes.append(await work(reactor))

    try:
        react(noted)
    except SystemExit as end:
        if end.code:
            raise
    return codes[0] if codes else INTERRUPTED
