"""The catalogue of a server, opened by a command: its location, and the errors of opening it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from patches.server.catalogue import CATALOGUE
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.options import CatalogueSettings
from patches.storage.database_url import SQLITE, display_name
from patches.storage.sqlite import reason


class NoCatalogue(CatalogueError):
    """There is no catalogue at this location."""


@contextmanager
def open_catalogue(settings: CatalogueSettings, make: bool = False) -> Iterator[Catalogue]:
    """
    Open the catalogue of a server, which may be running, and close it at the end.

    :param make: whether to create an empty catalogue where there is none.
    :raises NoCatalogue: if there is no catalogue.
    :raises CatalogueError: if it cannot be used, now or within the context.
    """
    url = settings.database or URL.create(SQLITE, database=str(settings.state_dir / CATALOGUE))
    path = Path(str(url.database)) if url.drivername == SQLITE else None
    if path is not None and make:
        _make_folder(path.parent)
    elif path is not None and not _is_there(path):
        raise NoCatalogue(f"{display_name(url)}: there is no catalogue")
    catalogue = Catalogue(open_database(url))
    try:
        yield catalogue
    except SQLAlchemyError as error:
        raise CatalogueError(f"{display_name(url)}: {reason(error)}") from error
    finally:
        catalogue.close()


def _is_there(path: Path) -> bool:
    """Return whether there is a file that is not empty: opening an empty file would turn it into a catalogue."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from error


def _make_folder(folder: Path) -> None:
    """Create the folder of a server's state, for its owner only, if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CatalogueError(f"{folder}: {error.strerror}") from error
