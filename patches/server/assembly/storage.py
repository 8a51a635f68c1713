"""The database of a server: the catalogue, the deltas, the requested platforms, and the lock of the leader."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.catalogue import CATALOGUE
from patches.server.catalogue.availability.connections import Connections
from patches.server.catalogue.damage.file import CatalogueFile
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.catalogue.store import Catalogue
from patches.server.catalogue.transactions import refresh_lock
from patches.server.errors import CatalogueAway, CatalogueError
from patches.server.options import CatalogueSettings
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.requests_table import RequestTable
from patches.settings import BadSetting

log = Logger()


@frozen
class Storage:
    """
    The parts of a server that are in its database.

    :ivar file: replaces the database, if it is a file of ours that was found damaged.
    :ivar connections: the connections to it.
    :ivar leadership: ``None``: the database is a file, which no other server uses.
    """

    catalogue: Catalogue
    delta_store: DeltaStore
    publication_store: PublicationStore
    request_table: RequestTable
    file: CatalogueFile
    connections: Connections
    leadership: Leadership | None


def open_storage(settings: CatalogueSettings, folder: Path, run: Run) -> Storage:
    """
    Open the database of a server.

    :param folder: the state folder.
    :raises BadSetting: if the database cannot be used.
    """
    try:
        file = CatalogueFile.open(settings.database or folder / CATALOGUE)
    except CatalogueError as error:
        raise BadSetting(f"the catalogue cannot be used: {error}") from error
    engine = file.engine
    publication_store = PublicationStore(engine)
    maintain_publications(publication_store, time.time)
    lock = refresh_lock(engine)
    leadership = Leadership(lock, run) if lock is not None else None
    stores = Catalogue(engine), DeltaStore(engine), publication_store, RequestTable(engine)
    return Storage(*stores, file, Connections(engine), leadership)


def maintain_publications(store: PublicationStore, steady: Callable[[], float]) -> None:
    """
    Complete the publications of a catalogue; see :meth:`.PublicationStore.maintain`. A damaged list is logged.

    It blocks: when a catalogue of an earlier version is first opened, for about a second for each 200,000 records.
    """
    try:
        store.maintain(steady())
    except CatalogueAway:
        return  # which the watch over the catalogue logs; it is tried again
    except CatalogueError as error:
        log.warn("The publications of a list are not complete: {error}", error=error)


def has_catalogue(settings: CatalogueSettings, folder: Path) -> bool:
    """Return whether there may be a catalogue with lists already, so that a server needs no source."""
    return settings.database is not None or (folder / CATALOGUE).exists()
