"""
The watch over the database of a catalogue: whether it answers, told in words, and in one line of the log each way.

The database is asked twice a second, in a thread of its own. If it fails, or has not answered in time, it is *away*:
requests that wait for it, and those that come, are refused at once, so nobody waits for a database that hangs. If it
has not answered for longer its connections are cut, so that no thread waits for ever either. A file is not asked, as it
would answer from memory: it is away when a call fails, and the same call is what it is asked from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from patches.interfaces import Run
from patches.server.errors import CatalogueAway, CatalogueError
from patches.service.periodic import PeriodicService

log = Logger()

T = TypeVar("T")

#: How long the database may take to answer before it is away, and before its connections are cut; in seconds.
ANSWER_SECONDS, CUT_SECONDS = 1.5, 10.0
#: The time between two questions; how soon a database is found away depends on both.
ASK_INTERVAL = timedelta(milliseconds=500)
_SILENT = "the database does not answer"


class Askable(Protocol):
    """The connections that are asked, and cut."""

    are_refused: bool

    def ask(self) -> None:
        """Return if the database answers, else raise :exc:`CatalogueError`; this blocks."""

    def cut(self) -> None:
        """End the calls that wait."""


class CatalogueWatch:
    """
    The watch over one database.

    :param run: runs what blocks, for everybody.
    :param ask: runs the question, in a thread that nobody else uses.
    :ivar problem: why the database is away, in words; ``None``: it answers.
    """

    def __init__(self, connections: Askable, run: Run, ask: Run, clock: IReactorTime) -> None:
        self.problem: str | None = None
        self._connections = connections
        self._run = run
        self._ask = ask
        self._clock = clock
        self._asked: float | None = None
        self._failed_call: Callable[[], object] | None = None
        self._waiting: dict[Deferred[Any], None] = {}

    def run(self, call: Callable[..., T], /, *args: Any) -> Deferred[T]:
        """
        Read from the catalogue in a thread, for a request.

        :param call: changes nothing: it is repeated until the database is back.
        :return: fails with :exc:`CatalogueAway` as soon as the database is away, even if the call itself goes on.
        """
        if self.problem is not None:
            return fail(CatalogueAway(self.problem))
        result: Deferred[T] = Deferred(lambda cancelled: self._waiting.pop(cancelled, None))
        self._waiting[result] = None
        running = self._run(call, *args)
        running.addCallbacks(partial(self._end, result), partial(self._fail, result, partial(call, *args)))
        return result

    def note(self, error: CatalogueError) -> None:
        """Note that the database was found away by somebody else."""
        if self.problem is None:
            self._lose(str(error))

    def tick(self) -> None:
        """Ask the database, or see how long it has not answered; to be called again and again."""
        if self._asked is None:
            self._asked = self._clock.seconds()
            self._ask(self._ask_all, self._failed_call).addCallbacks(self._answered, self._not_answered)
            return
        silent = self._clock.seconds() - self._asked
        if silent >= ANSWER_SECONDS and self.problem is None:
            self._lose(f"{_SILENT} within {ANSWER_SECONDS:g} s")
        if silent >= CUT_SECONDS:
            self._connections.cut()

    def stop(self) -> None:
        """End the calls that wait for a database that is away, so that their threads end."""
        if self.problem is not None:
            self._connections.cut()

    def _ask_all(self, failed_call: Callable[[], object] | None) -> None:
        self._connections.ask()
        if failed_call is not None:
            try:
                failed_call()
            except CatalogueError as error:
                if _is_away(error):
                    raise

    def _answered(self, _: None) -> None:
        self._asked = None
        if self.problem is not None:
            log.info("The catalogue can be used again")
        self.problem = self._failed_call = None
        self._connections.are_refused = False

    def _not_answered(self, failure: Failure) -> None:
        self._asked = None
        if failure.check(CatalogueError) is None:
            log.failure("The catalogue could not be asked", failure=failure)
        self._lose(str(failure.value), failure.check(CatalogueAway) is not None)

    def _lose(self, problem: str, is_unreachable: bool = True) -> None:
        """
        Refuse those who wait, and those who come.

        :param is_unreachable: whether new connections would fail too; else the call that failed needs one.
        """
        if self.problem is None:
            log.error("The catalogue cannot be used; retrying: {problem}", problem=problem)
        self.problem = problem
        self._connections.are_refused = is_unreachable
        waiting, self._waiting = self._waiting, {}
        for each in waiting:
            each.errback(CatalogueAway(problem))

    def _end(self, result: Deferred[T], value: T) -> None:
        if result in self._waiting:
            del self._waiting[result]
            result.callback(value)

    def _fail(self, result: Deferred[Any], call: Callable[[], object], failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CatalogueError) and _is_away(error):
            is_unreachable = isinstance(error, CatalogueAway)
            self._failed_call = None if is_unreachable else call
            self._lose(str(error), is_unreachable)  # of this result too
        elif result in self._waiting:
            del self._waiting[result]
            result.errback(failure)


def _is_away(error: CatalogueError) -> bool:
    """Return whether a failed read says that nothing can be read; other kinds of errors are about one list."""
    return type(error) in (CatalogueError, CatalogueAway)


class WatchService(PeriodicService):
    """Watches all the time; when it stops, no call waits for a database that is away, but for one that connects."""

    def __init__(self, watch: CatalogueWatch, clock: IReactorTime) -> None:
        super().__init__("Watching the database", ASK_INTERVAL, watch.tick, clock)
        self._watch = watch

    def stopService(self) -> Deferred[Any] | None:
        """Stop, and end the calls that wait."""
        self._watch.stop()
        return super().stopService()
