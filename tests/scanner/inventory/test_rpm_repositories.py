"""
Tests for :mod:`patches.scanner.inventory.rpm_repositories`.

No records of real hosts are at hand: they are written here by the published sources that the module names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.inventory.rpm_repositories import HISTORY, NEVRAS, YUMDB, Repositories

BASH = Package("bash", "0:5.1-6", "x86_64", "bash", "5.1-6")
SUDO = Package("sudo", "2:1.9-1", "x86_64", "sudo", "1.9-1")

#: The tables of libdnf 4 that matter, by its ``create_tables.sql``.
TABLES = """
CREATE TABLE trans (id INTEGER PRIMARY KEY AUTOINCREMENT, dt_begin INTEGER NOT NULL, state INTEGER NOT NULL);
CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);
CREATE TABLE trans_item (id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER REFERENCES trans(id),
    item_id INTEGER, repo_id INTEGER REFERENCES repo(id), action INTEGER NOT NULL, reason INTEGER NOT NULL,
    state INTEGER NOT NULL);
CREATE TABLE rpm (item_id INTEGER UNIQUE NOT NULL, name TEXT NOT NULL, epoch INTEGER NOT NULL, version TEXT NOT NULL,
    release TEXT NOT NULL, arch TEXT NOT NULL);
INSERT INTO trans VALUES (1, 0, 1), (2, 0, 1), (3, 0, 2);
INSERT INTO repo VALUES (1, 'base'), (2, 'updates'), (3, '@System');
INSERT INTO rpm VALUES (1, 'bash', 0, '5.1', '6', 'x86_64'), (2, 'sudo', 2, '1.9', '1', 'x86_64');
"""


class RepositoryTests(SynchronousTestCase):
    """Hosts with records."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file on the host."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def history(self, *items: tuple[int, int, int, int, int], more: str = "") -> None:
        """Write dnf's history: of each item the transaction, the package, the repository, the action and the state."""
        path = self.root / HISTORY
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(TABLES + more)
            for item in items:
                database.execute("INSERT INTO trans_item VALUES (NULL, ?, ?, ?, ?, 0, ?)", item)

    def of(self, package: Package) -> str | None:
        """Return the repository of a package."""
        return Repositories(self.root).of(package)

    def test_none(self) -> None:
        """A host without records has no repositories."""
        self.assertIsNone(self.of(BASH))

    def test_yumdb(self) -> None:
        """yum has a folder for each build, without its epoch, in a folder of its letter."""
        self.write(f"{YUMDB}/b/12ab-bash-5.1-6-x86_64/from_repo", "amzn2extra-docker\n")
        self.write(f"{YUMDB}/s/12cd-sudo-1.9-1-x86_64/from_repo", "amzn2-core")
        self.write(f"{YUMDB}/s/12cd-sudo-1.9-1-i686/reason", "dep")
        self.write(f"{YUMDB}/index", "a file beside the folders")
        self.assertEqual((self.of(BASH), self.of(SUDO)), ("amzn2extra-docker", "amzn2-core"))

    def test_yumdb_names(self) -> None:
        """yum leaves a tilde out of the name of a folder."""
        self.write(f"{YUMDB}/a/12-ab-1~rc-2-noarch/from_repo", "r")
        self.assertEqual(self.of(Package("a~b", "0:1~rc-2", "noarch", "a", "1")), "r")

    def test_yumdb_twice(self) -> None:
        """Two folders of a build that name different repositories are no record."""
        self.write(f"{YUMDB}/b/1-bash-5.1-6-x86_64/from_repo", "a")
        self.write(f"{YUMDB}/b/2-bash-5.1-6-x86_64/from_repo", "a")
        self.assertEqual(self.of(BASH), "a")
        self.write(f"{YUMDB}/b/2-bash-5.1-6-x86_64/from_repo", "b")
        self.assertIsNone(self.of(BASH))

    def test_invalid(self) -> None:
        """A text that is no name of a repository is no record, nor is dnf's name of the system."""
        for content in ("", "a b", "\0", b"\xff", "x" * 300, "@System"):
            self.write(f"{YUMDB}/b/1-bash-5.1-6-x86_64/from_repo", content)
            self.assertIsNone(self.of(BASH))

    def test_dnf4(self) -> None:
        """Of dnf 4's history the last successful transaction of a build counts, unless the build is gone."""
        self.history((1, 1, 1, 1, 1), (1, 2, 2, 6, 1))
        self.assertEqual((self.of(BASH), self.of(SUDO)), ("base", "updates"))
        self.history((1, 1, 1, 1, 1), (2, 1, 2, 9, 1), (2, 1, 1, 10, 1), (2, 1, 3, 11, 1))
        self.assertEqual(self.of(BASH), "updates")
        for failed in ((3, 1, 2, 9, 1), (2, 1, 2, 9, 2)):
            self.history((1, 1, 1, 1, 1), failed)
            self.assertEqual(self.of(BASH), "base")
        self.history((1, 1, 1, 1, 1), (2, 1, 3, 8, 1))
        self.assertIsNone(self.of(BASH))

    def test_dnf4_epoch(self) -> None:
        """The epoch is of the build."""
        self.history((1, 2, 1, 1, 1))
        self.assertEqual(self.of(SUDO), "base")
        self.assertIsNone(self.of(Package("sudo", "0:1.9-1", "x86_64", "sudo", "1.9-1")))

    def test_dnf4_damaged(self) -> None:
        """A history that is damaged, of another form, or hostile is no record."""
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id, x AS repoid FROM n"
        self.history(more=f"DROP TABLE repo; CREATE VIEW repo AS {endless};")
        self.assertIsNone(self.of(BASH))
        self.history(more="DROP TABLE trans;")
        self.assertIsNone(self.of(BASH))
        self.write(HISTORY, b"noise" * 1000)
        self.assertIsNone(self.of(BASH))

    def test_dnf5(self) -> None:
        """dnf 5 names builds with their epoch unless it is 0, and goes before the history that it took over."""
        self.history((1, 1, 1, 1, 1))
        for zero in ("", "0:"):
            self.write(
                NEVRAS,
                f'version = "1.0"\n[nevras]\n"bash-{zero}5.1-6.x86_64" = {{from_repo="fedora"}}\n'
                '"sudo-2:1.9-1.x86_64" = {from_repo="updates"}\n"x-1-1.noarch" = {}\n',
            )
            self.assertEqual((self.of(BASH), self.of(SUDO)), ("fedora", "updates"))

    def test_dnf5_damaged(self) -> None:
        """A file of dnf 5 that is damaged or of another form is no record."""
        for content in ("[nevras", "", "nevras = 1", "nevras = {a = 1}", b"\xff", "a = " + "[" * 100_000):
            self.write(NEVRAS, content)
            self.assertIsNone(self.of(BASH), content[:20])
