"""The values that every part of a server uses: the clock, the threads, the memory budget and the state folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import Factory, frozen

from patches.interfaces import Run
from patches.server.budget import budget_within
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.service.budget import Budget, MemoryLimitTooLow, resident_bytes
from patches.service.clocks import SteadyTime
from patches.settings import BadSetting


@frozen
class Shared:
    """
    The values that every part of a server uses.

    :ivar reactor: the reactor, as a clock and to connect and listen.
    :ivar run: runs a blocking function in a thread.
    :ivar watch: tells whether the database of the catalogue answers, and reads from it for requests.
    :ivar folder: the state folder.
    :ivar steady: returns the time in seconds since the epoch, for the ages of what is kept.
    """

    reactor: Any
    run: Run
    watch: CatalogueWatch
    budget: Budget
    folder: Path
    steady: Callable[[], float] = Factory(SteadyTime)


def create_budget(memory_limit: int, window_bytes: int) -> Budget:
    """
    Create the budget of this process, which has loaded its large libraries by now.

    :raises BadSetting: if the limit is too low.
    """
    try:
        return budget_within(memory_limit, resident_bytes(), window_bytes)
    except MemoryLimitTooLow as error:
        raise BadSetting(f"--memory-limit {memory_limit // 2**20}MiB: {error}") from error
