"""
Leadership: of several servers with one catalogue, the one that holds a lock refreshes it.

Each server tries to acquire the lock again and again, and does not lead unless it is sure to hold it. Two servers may
both believe that they lead until a broken connection is noticed; both then publish what the sources have, one after the
other.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.errors import CatalogueAway, CatalogueError

log = Logger()


class Lock(Protocol):
    """A lock that one of all servers can hold."""

    def acquire(self) -> bool:
        """
        Acquire the lock if it is free. Return whether it is held now. Blocks, but for no other server.

        :raises CatalogueError: if that is not known; then the lock is not held.
        """


class Leadership:
    """
    The leadership, which this server holds or not.

    :param run: runs what blocks.
    """

    def __init__(self, lock: Lock, run: Run) -> None:
        self._lock = lock
        self._run = run
        self._leads: bool | None = None
        self._told: bool | None = None
        self._checking = DeferredLock()

    def leads(self) -> bool:
        """Return whether this server was the leader at the last check."""
        return bool(self._leads)

    async def check(self) -> None:
        """Check whether this server is the leader; it becomes the leader if there is no other."""
        async with self._checking:
            try:
                held = await self._run(self._lock.acquire)
            except CatalogueError as error:
                # That the database is away is logged by the watch over it.
                if self._leads and not isinstance(error, CatalogueAway):
                    log.error("This server no longer refreshes the lists: {error}", error=error)
                    self._told = None
                self._leads = None
                return
            self._leads = held
            if held != self._told:
                self._told = held
                log.info("This server refreshes the lists" if held else "Another server refreshes the lists")
