"""
The file of a catalogue, which is set aside and replaced when it is damaged as a whole.

What SQLite itself finds wrong cannot be mended row by row: its pages do not fit together. Everything in the file but
the history of publications is made anew from the staged lists, or read anew. A file that is damaged is renamed, not
deleted. Only the file in the state folder is replaced: a database that an operator has named is left to the operator.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event, select
from twisted.logger import Logger

from patches.server.catalogue.migrate import migrate
from patches.server.catalogue.schema import METADATA, open_database
from patches.server.catalogue.transactions import read_transaction
from patches.server.errors import CatalogueError, DamagedFile
from patches.storage.damage import is_file_damage, set_aside
from patches.wording import file_problem

log = Logger()


class CatalogueFile:
    """
    A database of the catalogue.

    :param path: the file in the state folder; ``None``: it is another database.
    :ivar engine: a SQLAlchemy engine.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self._path = path
        self._damage: str | None = None
        event.listen(engine, "handle_error", self._note)

    @classmethod
    def open(cls, where: Path | URL) -> CatalogueFile:
        """
        Open the database; a damaged file in the state folder is set aside, and an empty one is created.

        :param where: the path of the file in the state folder, or the URL of another database.
        :raises CatalogueError: if it cannot be used.
        """
        if not isinstance(where, Path):
            return cls(open_database(where), None)
        try:
            engine = open_database(where)
            _verify(engine)
        except DamagedFile as damage:
            _replace(where, str(damage))
            engine = open_database(where)
        return cls(engine, where)

    def repair(self) -> bool:
        """
        Replace the file by an empty one if it was found damaged; it blocks.

        :return: whether it was replaced.
        :raises CatalogueError: if the file cannot be replaced.
        """
        if self._damage is None or self._path is None:
            return False
        self.engine.dispose()
        _replace(self._path, self._damage)
        migrate(self.engine)
        self._damage = None
        return True

    def _note(self, context: Any) -> None:
        if is_file_damage(context.original_exception):
            self._damage = str(context.original_exception)


def _verify(engine: Engine) -> None:
    """
    Verify that the pages of a file fit together, and that it has its tables.

    :raises DamagedFile: if they do not.
    """
    with read_transaction(engine) as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise DamagedFile(str(found).splitlines()[-1])
        for table in METADATA.sorted_tables:
            connection.execute(select(table).limit(0))
    engine.dispose()


def _replace(path: Path, damage: str) -> None:
    try:
        aside = set_aside(path)
    except OSError as error:
        raise CatalogueError(f"{path}: it is damaged, and cannot be set aside: {file_problem(error)}") from error
    log.error(
        "The catalogue is damaged and was renamed to {aside}: its lists are made anew: {damage}",
        aside=str(aside),
        damage=damage,
    )
