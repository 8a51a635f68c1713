"""What can go wrong in a Clair, and for how many requests it does."""

from __future__ import annotations

from enum import Enum

from attrs import define

from patches.testing.clair.answers import DATABASE_ERROR, TEXT, Reply, error
from patches.testing.clair.tokens import HandlerPanic


class Trouble(Enum):
    """A way to fail."""

    #: The database answers with an error, or has no connection left.
    DATABASE = "database"
    #: The database is down; Clair's words give away where it is.
    DATABASE_DOWN = "database-down"
    #: Clair took too long, by its own clock.
    TIMEOUT = "timeout"
    #: The connection is closed without a byte.
    CLOSED = "closed"


@define
class _Spell:
    trouble: Trouble
    left: int | None
    kind: str | None


class Troubles:
    """The troubles of one Clair, in the order in which they will come."""

    def __init__(self) -> None:
        self._spells: list[_Spell] = []

    def add(self, trouble: Trouble, times: int | None, kind: str | None) -> None:
        """Let some requests fail."""
        self._spells.append(_Spell(trouble, times, kind))

    def clear(self) -> None:
        """Let everything be well."""
        self._spells.clear()

    def apply(self, reply: Reply) -> Reply:
        """
        Give the reply that takes the place of another.

        :raises HandlerPanic: where the connection is closed instead.
        """
        for spell in self._spells:
            if spell.left != 0 and spell.kind in (None, reply.kind) and _concerns(spell.trouble, reply):
                spell.left = None if spell.left is None else spell.left - 1
                return failure(spell.trouble, reply.kind)
        return reply


def _concerns(trouble: Trouble, reply: Reply) -> bool:
    """Tell whether a trouble shows: parameters and routes are checked without the database."""
    return reply.from_database or trouble not in (Trouble.DATABASE, Trouble.DATABASE_DOWN)


def failure(trouble: Trouble, kind: str) -> Reply:
    """
    Give the reply that a trouble brings.

    :raises HandlerPanic: if it brings none.
    """
    if trouble is Trouble.DATABASE:
        return error(kind, 500, DATABASE_ERROR)
    if trouble is Trouble.DATABASE_DOWN:
        return error(kind, 500, "dial tcp 192.0.2.55:5432: connect: connection refused")
    if trouble is Trouble.TIMEOUT:
        message = b"Clair failed to respond within the configured timeout window."
        return Reply(kind, 503, b'{"Error":{"Message":"%s","Type":"Timeout"}}' % message, TEXT)
    raise HandlerPanic(kind)
