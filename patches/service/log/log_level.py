"""The log level of a daemon: events below it reach no observer, whichever twistd was told to use."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogPublisher,
    PredicateResult,
    globalLogPublisher,
)
from zope.interface import implementer

from patches.service.log.log_format import AUTO, LOG_FORMS, use_format
from patches.setting_parsers import one_of
from patches.settings import option

_LEVELS = ("debug", "info", "warn", "error")


@frozen(kw_only=True)
class LogSettings:
    """The log of a daemon."""

    log_level: str = option(
        "info",
        one_of(*_LEVELS),
        f"The lowest level that is logged: {', '.join(_LEVELS)}; read again on SIGHUP.",
        reloaded=True,
    )
    log_format: str = option(
        AUTO,
        one_of(*LOG_FORMS),
        "The format of the log: text; journal, lines with a priority; json, an object a line; auto: that of systemd's "
        "journal if it reads the log, else text.",
    )


@implementer(ILogFilterPredicate)
class LeastLevel:
    """
    The lowest level that is logged, which can be changed at any time; events without a level are logged.

    :ivar level: its name.
    """

    def __init__(self, level: str) -> None:
        self.level = level

    def __call__(self, event: LogEvent) -> Any:
        """Return whether an event may be logged."""
        level = event.get("log_level")
        is_below = level is not None and level < LogLevel.levelWithName(self.level)
        return PredicateResult.no if is_below else PredicateResult.maybe


def filter_logs(least: LeastLevel, publisher: LogPublisher = globalLogPublisher, form: str = AUTO) -> None:
    """
    Filter the events of all observers that are added to a publisher from now on, and set their format.

    twistd adds its observer, a file, syslog or one of the user, after ``makeService`` has returned, and replays what
    was logged until then. A publisher has no filter of its own, so its method that adds an observer is replaced.
    """
    add, remove = publisher.addObserver, publisher.removeObserver
    filtered: dict[int, ILogObserver] = {}

    def add_filtered(observer: ILogObserver) -> None:
        use_format(observer, form)
        filtered[id(observer)] = FilteringLogObserver(observer, [least])
        add(filtered[id(observer)])

    def remove_filtered(observer: ILogObserver) -> None:
        remove(filtered.pop(id(observer), observer))

    # There is one publisher in a process, which Twisted creates; both keep their meaning.
    publisher.addObserver = add_filtered  # type: ignore[method-assign]
    publisher.removeObserver = remove_filtered  # type: ignore[method-assign]
