"""One-shot work under the reactor, for the console command: it begins, it ends, and there is an exit code."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

INTERRUPTED = 130


class Work(Protocol):
    """Something to do, given a reactor; gives the exit code."""

    def __call__(self, reactor: Any, /) -> Coroutine[Deferred[Any], Any, int]: ...


def run(work: Work) -> int:
    """
    Run the reactor until the work is done.

    :return: the exit code: the work's, or that of a program that was interrupted.
    """
    codes: list[int] = []

    async def noted(reactor: Any) -> None:
        await deferLater(reactor, 0)  # only a reactor that runs is ended by Ctrl-C
        codes.append(await work(reactor))

    try:
        react(noted)
    except SystemExit as end:
        if end.code:
            raise
    return codes[0] if codes else INTERRUPTED
