"""How the catalogue's database is read and written: one writes at a time, and what goes wrong is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from patches.server.advisory import Purpose, alone
from patches.server.schema import in_one_line


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """
    Read; this waits for nobody.

    :raises CatalogueError: if the database cannot be used.
    """
    with in_one_line(), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, purpose: Purpose = Purpose.WRITING) -> Iterator[Connection]:
    """
    Write in one transaction, once no other process does.

    :param purpose: what is written: who writes something else is not waited for, unless SQLite has everyone wait.
    :raises CatalogueError: if the database cannot be used.
    """
    with in_one_line(), engine.begin() as connection:
        alone(connection, purpose)
        yield connection
