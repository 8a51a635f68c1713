"""Tests for :mod:`patches.server.admin.open_catalogue`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import OperationalError

from patches.server.admin.open_catalogue import NoCatalogue, open_catalogue
from patches.server.errors import CatalogueError
from patches.server.options import CatalogueSettings
from patches.storage.database_url import database_url
from tests.server.catalogue_case import CommandCase


class OpenTests(CommandCase):
    """The catalogue of a server that runs."""

    def test_opened(self) -> None:
        """The catalogue of a state folder, or of the given database, is opened while the server has it open."""
        snapshot = self.publish(3)
        url = database_url(f"sqlite:///{(self.folder / 'catalogue.sqlite').absolute()}")
        for settings in (
            CatalogueSettings(state_dir=self.folder),
            CatalogueSettings(state_dir=Path("absent"), database=url),
        ):
            with open_catalogue(settings) as catalogue:
                self.assertEqual(catalogue.current(), [snapshot])

    def test_none(self) -> None:
        """A folder without a catalogue is an error that names the file, and no file is created."""
        folder = Path(self.mktemp())
        said = f"{folder}/catalogue.sqlite: there is no catalogue$"
        with self.assertRaisesRegex(NoCatalogue, said), open_catalogue(CatalogueSettings(state_dir=folder)):
            self.fail("it was opened")
        self.assertFalse(folder.exists())

    def test_created(self) -> None:
        """If a catalogue is to be created, its folder is created too, for its owner only."""
        folder = Path(self.mktemp()) / "new"
        with open_catalogue(CatalogueSettings(state_dir=folder), make=True) as catalogue:
            self.assertEqual(catalogue.current(), [])
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)

    def test_not_a_folder(self) -> None:
        """A state folder that is a file is an error in one line."""
        Path("file").write_text("x")
        for make in (True, False):
            with (
                self.assertRaisesRegex(CatalogueError, "^[^\n]+$"),
                open_catalogue(CatalogueSettings(state_dir=Path("file/x")), make),
            ):
                self.fail("it was opened")

    def test_errors_within(self) -> None:
        """An error of the database within the context is one of the catalogue that names it; others pass unchanged."""
        said = "catalogue.sqlite: disk I/O error$"
        with self.assertRaisesRegex(CatalogueError, said), open_catalogue(CatalogueSettings(state_dir=self.folder)):
            raise OperationalError("SELECT 1", {}, Exception("disk I/O error"))
        with self.assertRaises(KeyError), open_catalogue(CatalogueSettings(state_dir=self.folder)):
            raise KeyError("x")


class PlaceTests(CommandCase):
    """State folders without a usable catalogue."""

    def test_absent(self) -> None:
        """A command on a folder without a catalogue fails, and does not create one."""
        empty = Path(self.mktemp())
        empty.mkdir()
        (blank := Path(self.mktemp())).mkdir()
        (blank / "catalogue.sqlite").touch()
        for folder in (empty, blank, empty / "none"):
            for words in (["list"], ["check"], ["prune"], ["show", "CVE-1"], ["diff", "a", "b"], ["publish", "x"]):
                self.assertIn("there is no catalogue", self.refusal(5, *words, folder=folder))
        self.assertEqual(list(empty.iterdir()), [])
        self.assertEqual((blank / "catalogue.sqlite").stat().st_size, 0)

    def test_other_version(self) -> None:
        """A catalogue of another schema version is refused."""
        with sqlite3.connect(self.folder / "catalogue.sqlite") as connection:
            connection.execute("UPDATE catalogue_version SET version_num = '99'")
        connection.close()
        self.assertIn("its version is 99", self.refusal(5, "list"))

    def test_damaged_file(self) -> None:
        """A database with damaged pages is reported in one line."""
        self.publish(5000)
        self.catalogue.close()
        path = self.folder / "catalogue.sqlite"
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
        self.assertIn("catalogue.sqlite", self.refusal(5, "list"))
