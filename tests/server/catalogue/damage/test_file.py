"""Tests for :mod:`patches.server.catalogue.damage.file`: a file whose pages do not fit together."""

from __future__ import annotations

from pathlib import Path
from random import Random

from sqlalchemy import URL
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.damage.file import CatalogueFile
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from tests.server.fake_catalogue import lines, vulnerabilities


class FileTests(SynchronousTestCase):
    """A catalogue of which a page was overwritten."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()
        self.file = CatalogueFile.open(self.path)
        self.addCleanup(lambda: self.file.engine.dispose())
        self.catalogue = Catalogue(self.file.engine)
        self.catalogue.publish("debian-12", lines(vulnerabilities(3000)), {}, 1.0)

    def overwrite(self, start: int, length: int) -> None:
        """Overwrite a part of the file, which is then all that there is."""
        self.file.engine.dispose()
        content = bytearray(self.path.read_bytes())
        content[start : start + length] = Random(1).randbytes(length)
        self.path.write_bytes(content)

    def test_at_start(self) -> None:
        """It is set aside, and an empty one is created."""
        for start in (0, 18, 4096 * 2):
            self.setUp()
            self.overwrite(start, 4096)
            file = CatalogueFile.open(self.path)
            self.addCleanup(file.engine.dispose)
            self.assertEqual(Catalogue(file.engine).current(), [])
            self.assertTrue(self.path.with_name(f"{self.path.name}.damaged").exists())

    def test_while_running(self) -> None:
        """The first statement that meets the damage fails; then it is replaced, and is used again."""
        self.assertFalse(self.file.repair())
        self.overwrite(0, 4096)
        self.assertRaises(CatalogueError, self.catalogue.current)
        self.assertTrue(self.file.repair())
        self.assertFalse(self.file.repair())
        self.assertEqual(self.catalogue.current(), [])
        self.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 1.0)

    def test_lost_table(self) -> None:
        """A table whose name was damaged is noticed at the start."""
        self.file.engine.dispose()
        content = self.path.read_bytes().replace(b"CREATE TABLE intervals", b"CREATE TABLE intervaks")
        self.path.write_bytes(content)
        file = CatalogueFile.open(self.path)
        self.addCleanup(file.engine.dispose)
        self.assertEqual(Catalogue(file.engine).current(), [])

    def test_of_an_operator(self) -> None:
        """A database that an operator has named is refused in one line, and left as it is."""
        self.overwrite(0, 4096)
        before = self.path.read_bytes()
        with self.assertRaisesRegex(CatalogueError, "^[^\n]*not a database$"):
            CatalogueFile.open(URL.create("sqlite", database=str(self.path)))
        self.assertEqual(self.path.read_bytes(), before)
