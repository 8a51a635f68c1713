"""
The reactor's waker, kept alive while memory is short.

Threads wake the reactor through a pipe. If its reading fails, for whatever reason, Twisted drops the pipe, and from
then on no thread can ever deliver a result. So an error for lack of memory must not leave the reading: the pipe stays
readable, and is read again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any


def keep_awake(reactor: Any) -> None:
    """Keep the waker of a reactor, and those of its kind, whatever memory there is."""
    kind: Any = next(each for each in type(reactor.waker).__mro__ if "doRead" in vars(each))
    read = kind.doRead
    if getattr(read, "is_kept", False):
        return

    def do_read(waker: Any) -> object:
        try:
            result: object = read(waker)
        except MemoryError:
            # A single byte needs no memory; the others are read when there is some.
            with suppress(MemoryError, BlockingIOError):
                os.read(waker.fileno(), 1)
            return None
        return result

    do_read.is_kept = True  # type: ignore[attr-defined]
    kind.doRead = do_read
