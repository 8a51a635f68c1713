"""
The connections to the database of a catalogue: whether it answers, and the end of calls that it does not answer.

A call to PostgreSQL has no time limit in its driver, and a statement that waits for the lock of another server is no
sign of trouble. So no call is limited by itself. One connection is kept for the question whether the database answers
at all; if it does not, all sockets are shut down, and whatever waits for them fails at once.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from threading import Lock
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

from patches.server.catalogue.schema import postgresql_engine
from patches.server.catalogue.transactions import catalogue_errors
from patches.server.errors import CatalogueAway

#: The longest that the question waits for a new connection, in seconds: the least that the driver knows is 2.
CONNECT_SECONDS = 2


class Connections:
    """
    The connections of an engine.

    :param engine: of which no connection is open yet.
    :ivar are_refused: whether new connections are refused at once, but for the one that asks.
    """

    def __init__(self, engine: Engine) -> None:
        self.are_refused = False
        self._open: WeakSet[Any] = WeakSet()
        self._lock = Lock()
        self._asking: Engine | None = None
        if engine.dialect.name == "postgresql":
            self._asking = postgresql_engine(engine.url, 1, CONNECT_SECONDS)
            event.listen(engine, "do_connect", self._refuse)
            event.listen(engine, "connect", self._note)
            event.listen(self._asking, "connect", self._note)

    def ask(self) -> None:
        """
        Ask the database whether it answers; a file has nothing to ask. This blocks.

        :raises CatalogueAway: if it cannot be reached; :exc:`CatalogueError` if it refuses the question.
        """
        if self._asking is not None:
            with catalogue_errors(), self._asking.connect() as connection:
                connection.exec_driver_sql("SELECT 1")

    def cut(self) -> None:
        """Shut down all sockets: what waits for an answer raises :exc:`CatalogueAway` in its thread."""
        with self._lock:
            known = list(self._open)
        for connection in known:
            with suppress(Exception):  # it is closed by now
                duplicate = socket.socket(fileno=os.dup(connection.fileno()))
                try:
                    duplicate.shutdown(socket.SHUT_RDWR)
                finally:
                    duplicate.close()

    def _refuse(self, *_: Any) -> None:
        if self.are_refused:
            raise CatalogueAway("the database is away")

    def _note(self, connection: Any, _record: Any) -> None:
        with self._lock:
            self._open.add(connection)
