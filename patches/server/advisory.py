"""
Locks on a whole database, by what they are for.

PostgreSQL has advisory locks for this; SQLite has one lock for all who write, and is never shared by servers.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, text

#: Sets the locks of Patches apart from those of others: "patc" as a number.
_PATCHES = 0x70617463


class Purpose(IntEnum):
    """What a lock is for; the numbers are the same in every version of Patches."""

    MIGRATING = 1
    WRITING = 2
    REFRESHING = 3
    TELLING = 4


def alone(connection: Connection, purpose: Purpose) -> None:
    """Wait until nobody else does this; then nobody does until the transaction, which must not have begun, ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:of, :what)"), {"of": _PATCHES, "what": int(purpose)})


def try_to_hold(connection: Connection, purpose: Purpose) -> bool:
    """Take a lock of PostgreSQL until the connection ends, without a wait; tell whether it was free."""
    query = text("SELECT pg_try_advisory_lock(:of, :what)")
    return bool(connection.execute(query, {"of": _PATCHES, "what": int(purpose)}).scalar_one())
