"""
rpm's databases beside ``rpm -qa``: what it reads is read; what it skips or refuses is said.

Every database of the shared hosts and cases is read, and random damage of them: headers, bits, ends. Each test prints
how many databases and mutations it compared.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from patches.scanner.inventory.rpm import BERKELEY, FOLDERS, NDB, SQLITE
from tests.scanner.inventory.native_tools import (
    Build,
    Native,
    add_indexes,
    headers,
    require,
    rpm_query,
    write_headers,
)
from tests.scanner.inventory.test_differential import DifferentialCase, build, read, roots
from tests.shared_data import shared

#: Databases of so many headers are damaged: rpm reads them in some milliseconds.
MOST_HEADERS = 30


class RpmTests(DifferentialCase):
    """``rpm -qa``. It reads copies, because it writes beside the database."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.root / FOLDERS[1]
        self.folder.mkdir(parents=True)
        self.copied = Path(self.mktemp())

    def query(self) -> Native:
        """Return what rpm reads."""
        shutil.rmtree(self.copied, ignore_errors=True)
        shutil.copytree(self.folder, self.copied)
        return rpm_query(self.copied.absolute())

    def databases(self) -> list[tuple[Path, Path]]:
        """Return the shared rpm databases that any rpm reads, each with the root of its host."""
        names = [f"{folder}/{name}" for folder in FOLDERS for name in (SQLITE, BERKELEY)]
        return [(root, root / name) for root in roots() for name in names if (root / name).is_file()]

    def test_shared(self) -> None:
        """Every shared rpm database is read as rpm reads it."""
        require("rpm")
        for root, path in self.databases():
            self.counts["databases"] += 1
            shutil.rmtree(self.folder)
            shutil.copytree(path.parent, self.folder)
            if path.name == SQLITE:
                add_indexes(self.folder / SQLITE)
            native, found = self.query(), read(root, "rpm")
            assert not isinstance(found, str), (root, found)
            self.assertFalse(native.is_refused, root)
            self.check_read(native, found, root)
            self.assertEqual(len(set(native.builds.values())), len(found), root)
        self.report("rpm, shared")
        self.assertGreaterEqual(self.counts["databases"], 15)

    def damaged_header(self, blob: bytes) -> object:
        """Return a header with random damage."""
        kind = self.damage.chance.randrange(12)
        if kind == 0:
            return self.damage.cut(blob)
        if kind == 1:
            return blob + b"x"
        if kind == 2:
            return self.damage.chance.choice((b"x", b"noise" * 100, "text", 10**9))
        return self.damage.bit(blob if kind > 6 else blob[:2000]) + (b"" if kind > 6 else blob[2000:])

    def test_damaged_headers(self) -> None:
        """A header that rpm skips is a package with a problem, or was read whole; all others are as in rpm."""
        require("rpm")
        for path in sorted(shared("data/hosts").glob(f"*/*/{FOLDERS[1]}/{SQLITE}")):
            everything = headers(path)
            shutil.copy(path, self.folder)
            (self.folder / SQLITE).chmod(0o600)
            for _ in range(40):
                rows = self.damage.chance.sample(everything, MOST_HEADERS)
                write_headers(self.folder / SQLITE, list(rows))
                whole = self.query().builds
                victims = {number for number, _ in self.damage.chance.sample(rows, MOST_HEADERS // 3)}
                write_headers(
                    self.folder / SQLITE,
                    [(number, self.damaged_header(blob) if number in victims else blob) for number, blob in rows],
                )
                self.counts["databases"] += 1
                self.counts["mutations"] += len(victims)
                self.compare_headers(whole, victims)
        self.report("rpm, headers")

    def compare_headers(self, whole: dict[int, Build], victims: set[int]) -> None:
        """Compare both readers, header by header."""
        native, found = self.query(), read(self.root, "rpm")
        assert not isinstance(found, str), found
        builds = {build(package) for package in found if package.problem is None}
        self.assertEqual(builds - set(whole.values()) - set(native.builds.values()), set())
        self.assertEqual(set(native.builds) - set(whole), set())
        for number in whole:
            is_named = any(f"header {number}:" in (package.problem or "") for package in found)
            if number in native.builds:
                self.counts["read by both"] += 1
                self.assertTrue(is_named or native.builds[number] in builds, number)
            else:
                self.counts["with a problem, skipped by rpm" if is_named else "read, skipped by rpm"] += 1
                self.assertTrue(is_named or whole[number] in builds, number)

    def test_damaged_files(self) -> None:
        """Of a file with flipped bits or without its end, nothing that rpm reads is lost in silence."""
        require("rpm")
        for _, path in self.databases():
            content = path.read_bytes()
            for number in range(16 if len(content) > 4096 * 10 else 0):
                self.write(path.name, self.damage.cut(content) if number < 4 else self.damage.bit(content))
                native, found = self.query(), read(self.root, "rpm")
                self.counts["mutations"] += 1
                self.counts["refused by us" if isinstance(found, str) else "read by us"] += 1
                if not isinstance(found, str):
                    builds = {build(package) for package in found}
                    lost = set(native.builds.values()) - builds
                    problems = [package for package in found if package.problem]
                    self.assertLessEqual(len(lost), len(problems), (path, number, lost))
        self.report("rpm, files")

    def test_damaged_ndb(self) -> None:
        """
        Of an ndb database with flipped bits or without its end no package is lost in silence.

        rpm is often built without ndb, so what is read is compared with what the whole database has.
        """
        for path in sorted(shared("data/hosts").glob(f"*/*/*/*/*/*/{NDB}")):
            content = path.read_bytes()
            self.write(NDB, content)
            whole = read(self.root, "rpm")
            for number in range(100):
                self.write(NDB, self.damage.cut(content) if number < 20 else self.damage.bit(content))
                found = read(self.root, "rpm")
                self.counts["mutations"] += 1
                self.counts["refused" if isinstance(found, str) else "read"] += 1
                if not isinstance(found, str):
                    self.assertEqual(len(found), len(whole))
                    lost = set(whole) - set(found)
                    self.assertEqual(len(lost), len([package for package in found if package.problem]))
        self.report("rpm, ndb")

    def write(self, name: str, content: bytes) -> None:
        """Write the only database."""
        for old in self.folder.iterdir():
            old.unlink()
        (self.folder / name).write_bytes(content)
