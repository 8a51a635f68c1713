"""Tests for :mod:`patches.server.assembly.storage`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred

from patches.server.assembly.storage import has_catalogue, open_storage
from patches.server.catalogue import CATALOGUE
from patches.server.options import CatalogueSettings
from patches.settings import BadSetting
from patches.storage.database_url import database_url
from tests.server.assembly.parts_case import PartsCase

RUN: Any = maybeDeferred


class StorageTests(PartsCase):
    """The database of a server."""

    def test_file(self) -> None:
        """Without a URL it is a file in the state folder, which only this server uses."""
        self.assertTrue((self.shared.folder / CATALOGUE).is_file())
        self.assertEqual(self.storage.catalogue.current(), [])
        self.assertIsNone(self.storage.leadership)

    def test_url(self) -> None:
        """A given URL is used in place of the file."""
        path = Path(self.mktemp()).absolute()
        settings = CatalogueSettings(database=database_url(f"sqlite:///{path}"))
        open_storage(settings, Path("absent"), RUN).catalogue.close()
        self.assertTrue(path.is_file())

    def test_refused(self) -> None:
        """A file that an operator has named, and is no database, is refused in one line."""
        path = (self.shared.folder / "mine").absolute()
        path.write_bytes(b"letters to my aunt" * 100)
        with self.assertRaisesRegex(BadSetting, "^the catalogue cannot be used: .*mine[^\n]*$"):
            open_storage(CatalogueSettings(database=database_url(f"sqlite:///{path}")), self.shared.folder, RUN)

    def test_set_aside(self) -> None:
        """A file of the state folder that is no database is set aside, and its content is kept."""
        path = self.shared.folder / CATALOGUE
        path.write_bytes(b"letters to my aunt" * 100)
        storage = open_storage(CatalogueSettings(), self.shared.folder, RUN)
        self.addCleanup(storage.catalogue.close)
        self.assertEqual(storage.catalogue.current(), [])
        self.assertEqual(path.with_name(f"{CATALOGUE}.damaged").read_bytes(), b"letters to my aunt" * 100)

    def test_has_catalogue(self) -> None:
        """There may be lists in a file that exists, and in any database of a URL."""
        self.assertTrue(has_catalogue(CatalogueSettings(), self.shared.folder))
        self.assertFalse(has_catalogue(CatalogueSettings(), Path("absent")))
        settings = CatalogueSettings(database=database_url("postgresql+psycopg://there/x"))
        self.assertTrue(has_catalogue(settings, Path("absent")))
