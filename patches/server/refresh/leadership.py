"""
Leadership: of several servers on one catalogue one refreshes it, the one that holds a lock.

The lock is asked for again and again, and whoever cannot be sure to hold it does not lead. Two may believe that they do
for as long as it takes to notice a connection that has broken; both then publish what the sources say, one after the
other.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.errors import CatalogueError

log = Logger()


class Lock(Protocol):
    """A lock that one server of all can hold."""

    def acquire(self) -> bool:
        """
        Take the lock if it is free; tell whether it is held now. Blocks, but for no other server.

        :raises CatalogueError: if that cannot be told; then it is not held.
        """


class Leadership:
    """
    Whether this server leads.

    :param run: runs what blocks.
    """

    def __init__(self, lock: Lock, run: Run) -> None:
        self._lock = lock
        self._run = run
        self._leads: bool | None = None
        self._checking = DeferredLock()

    def leads(self) -> bool:
        """Tell whether this server led when that was last looked at."""
        return bool(self._leads)

    async def check(self) -> None:
        """Look whether this server leads; it takes the lead if nobody else has it."""
        async with self._checking:
            try:
                held = await self._run(self._lock.acquire)
            except CatalogueError as error:
                if self._leads:
                    log.error("This server no longer refreshes the lists: {error}", error=error)
                self._leads = None
                return
            if held != self._leads:
                self._leads = held
                log.info("This server refreshes the lists" if held else "Another server refreshes the lists")
