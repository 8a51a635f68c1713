"""The failures of a Clair, and the number of requests that fail."""

from __future__ import annotations

from enum import Enum

from attrs import define

from patches.testing.clair.answers import DATABASE_ERROR, TEXT, Reply, error
from patches.testing.clair.tokens import HandlerPanic


class Trouble(Enum):
    """A kind of failure."""

    #: The database answers with an error, or has no connection left.
    DATABASE = "database"
    #: The database is down; Clair's message contains its address.
    DATABASE_DOWN = "database-down"
    #: Clair exceeded its own time-out.
    TIMEOUT = "timeout"
    #: The connection is closed without a response.
    CLOSED = "closed"


@define
class _Spell:
    trouble: Trouble
    left: int | None
    kind: str | None


class Troubles:
    """The failures of one Clair, in the order in which they occur."""

    def __init__(self) -> None:
        self._spells: list[_Spell] = []

    def add(self, trouble: Trouble, times: int | None, kind: str | None) -> None:
        """Make some requests fail."""
        self._spells.append(_Spell(trouble, times, kind))

    def clear(self) -> None:
        """Remove all failures."""
        self._spells.clear()

    def apply(self, reply: Reply) -> Reply:
        """
        Return the response that replaces another one.

        :raises HandlerPanic: where the connection is closed instead.
        """
        for spell in self._spells:
            if spell.left != 0 and spell.kind in (None, reply.kind) and _concerns(spell.trouble, reply):
                spell.left = None if spell.left is None else spell.left - 1
                return failure(spell.trouble, reply.kind)
        return reply


def _concerns(trouble: Trouble, reply: Reply) -> bool:
    """Return whether a failure affects a request: parameters and routes are checked without the database."""
    return reply.from_database or trouble not in (Trouble.DATABASE, Trouble.DATABASE_DOWN)


def failure(trouble: Trouble, kind: str) -> Reply:
    """
    Return the response of a failure.

    :raises HandlerPanic: if the failure has no response.
    """
    if trouble is Trouble.DATABASE:
        return error(kind, 500, DATABASE_ERROR)
    if trouble is Trouble.DATABASE_DOWN:
        return error(kind, 500, "dial tcp 192.0.2.55:5432: connect: connection refused")
    if trouble is Trouble.TIMEOUT:
        message = b"Clair failed to respond within the configured timeout window."
        return Reply(kind, 503, b'{"Error":{"Message":"%s","Type":"Timeout"}}' % message, TEXT)
    raise HandlerPanic(kind)
