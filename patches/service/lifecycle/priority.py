"""The priority of a daemon that works in the background: programs that serve others go before it."""

from __future__ import annotations

import os

from twisted.logger import Logger

log = Logger()

#: The lowest priority that there is: see nice(1).
LOWEST = 19


def niceness(text: str) -> int:
    """Parse a niceness: a whole number from 0, the priority of usual programs, to 19, the lowest one."""
    if not text.strip().isascii() or not text.strip().isdecimal() or int(text) > LOWEST:
        raise ValueError(f"must be a whole number from 0 to {LOWEST}")
    return int(text)


def lower_priority(nice: int) -> None:
    """
    Lower the priority of this process, and of those that it starts; it is never raised.

    It is set before there are threads: on Linux each has its own (setpriority(2)).

    :param nice: the niceness, 0 to 19; if the process has a greater one already, as of systemd's unit, it stays.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) >= nice:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except OSError as error:
        # a filter of system calls may forbid it
        log.warn("The priority cannot be lowered to {nice}: {why}", nice=nice, why=error.strerror)
