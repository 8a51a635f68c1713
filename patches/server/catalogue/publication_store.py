"""The publications in the catalogue's database, as the API asks for them; every method blocks."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from patches.server.catalogue.damage.seals import sealing
from patches.server.catalogue.publications import (
    KEPT_SECONDS,
    Interval,
    find_intervals,
    forget_publications,
    mend_publication,
    not_numbered,
    record_publication,
    withdrawn_before,
)
from patches.server.catalogue.transactions import read_transaction, write_transaction
from patches.server.errors import CatalogueError


class PublicationStore:
    """
    Publications, and the intervals of ids; if the database fails, any method raises :exc:`CatalogueError`.

    :param engine: the engine of the catalogue's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, vulnerability_id: str) -> dict[str, list[Interval]]:
        """Return the intervals of an id by platform, in their order; platforms that never had it are absent."""
        with read_transaction(self._engine) as connection:
            return find_intervals(connection, vulnerability_id)

    def maintain(self, now: float) -> None:
        """
        Store the publications of current snapshots that have none, and delete what withdrawn platforms no longer need.

        A catalogue of an earlier version has no publications; the first publication of its current snapshots began when
        they were first stored. Each platform is a transaction of its own.

        :param now: seconds since the epoch.
        :raises CatalogueError: after all other platforms, if a snapshot is damaged.
        """
        before = now - KEPT_SECONDS
        with read_transaction(self._engine) as connection:
            missing, withdrawn = not_numbered(connection), withdrawn_before(connection, before)
        problems = [self._write(record_publication, *each) for each in missing]
        problems += [self._write(forget_publications, platform, before) for platform in withdrawn]
        for problem in problems:
            if problem is not None:
                raise problem

    def mend(self, platform: str) -> int:
        """Compare the current publication with its list, and mend it; see :func:`.mend_publication`."""
        with write_transaction(self._engine) as connection:
            return mend_publication(connection, platform)

    def _write(self, change: Callable[..., None], *arguments: object) -> CatalogueError | None:
        """Change one platform in a transaction. Return its error."""
        try:
            with write_transaction(self._engine) as connection, sealing(connection):
                change(connection, *arguments)
        except CatalogueError as error:
            return error
        return None
