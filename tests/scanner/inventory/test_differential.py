"""
The inventories beside the native tools: what ``dpkg-query`` and ``rpm -qa`` read is read; what they refuse is said.

Every database of the shared hosts and cases is read, and random damage of them: lines, bits, ends, journals, headers.
Each test prints how many databases and mutations it compared.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError, Package, read_inventory
from patches.scanner.inventory.dpkg import STATUS, UPDATES
from patches.scanner.inventory.rpm import BERKELEY, FOLDERS, NDB, SQLITE
from tests.scanner.inventory.native_tools import (
    Build,
    Damage,
    Native,
    add_indexes,
    dpkg_query,
    headers,
    journals,
    require,
    rpm_query,
    stanzas,
    write_headers,
)
from tests.shared_data import shared

#: Databases of so many packages are damaged: native tools read them in some milliseconds.
MOST_STANZAS = 40
MOST_HEADERS = 30


def roots() -> list[Path]:
    """Return the roots of all shared hosts and cases."""
    return sorted([*shared("data/hosts").glob("*/*"), *shared("data/cases").glob("*/root")])


def read(root: Path, scheme: str) -> tuple[Package, ...] | str:
    """Return the packages of a host, or why they cannot be read."""
    try:
        return read_inventory(root, scheme).packages
    except InventoryError as error:
        return str(error)


def build(package: Package) -> Build:
    """Return the name, version and architecture of a package."""
    return package.name, package.version, package.arch


class DifferentialCase(SynchronousTestCase):
    """A host in a temporary folder, and counts of what was compared."""

    def setUp(self) -> None:
        self.counts: Counter[str] = Counter()
        self.root = Path(self.mktemp())
        self.damage = Damage(random.Random(11))

    def report(self, title: str) -> None:
        """Print the counts."""
        print(f"\n{title}: " + ", ".join(f"{count} {word}" for word, count in sorted(self.counts.items())))

    def check_read(self, native: Native, found: tuple[Package, ...], where: object) -> None:
        """Check that both have the same packages, apart from those that have a problem by name."""
        whole = {build(package) for package in found if package.problem is None}
        expected = set(native.builds.values())
        self.assertEqual(whole - expected, set(), where)
        named = {package.name for package in found if package.problem is not None}
        self.assertEqual([each for each in expected - whole if each[0] not in named], [], where)


class DpkgTests(DifferentialCase):
    """dpkg-query."""

    def write(self, status: bytes | None, updates: dict[str, bytes] | None = None) -> None:
        """Write the database."""
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / UPDATES).mkdir(parents=True)
        if status is not None:
            (self.root / STATUS).write_bytes(status)
        for name, content in (updates or {}).items():
            (self.root / UPDATES / name).write_bytes(content)

    def compare(self, whole: set[Build], where: object, may_be_cut: bool = False) -> None:
        """
        Compare both readers.

        :param whole: the packages of the database without damage.
        :param may_be_cut: whether the end of the status is missing, which dpkg-query notices only within a line.
        """
        native, found = dpkg_query((self.root / STATUS).parent), read(self.root, "dpkg")
        if isinstance(found, str):
            self.counts["refused by both" if native.is_refused else "refused by us alone"] += 1
            self.assertTrue(native.is_refused or may_be_cut or not native.builds, (where, found))
        elif native.is_refused:
            problems = [package for package in found if package.problem]
            self.counts["with a problem, refused by dpkg-query"] += bool(problems)
            self.counts["read whole, refused by dpkg-query"] += not problems
            # without their architectures: a name such as "A" is too short a field for dpkg, and none for us
            lost = {each[:2] for each in whole} - {build(package)[:2] for package in found}
            self.assertTrue(problems or not lost, (where, lost))
        else:
            self.counts["read by both"] += 1
            self.check_read(native, found, where)

    def test_shared(self) -> None:
        """Every shared dpkg database is read as dpkg-query reads it, sources too."""
        require("dpkg-query")
        for root in (root for root in roots() if (root / STATUS).is_file()):
            self.counts["databases"] += 1
            native, found = dpkg_query((root / STATUS).parent), read(root, "dpkg")
            assert not isinstance(found, str), (root, found)
            self.assertFalse(native.is_refused, root)
            self.check_read(native, found, root)
            self.assertEqual(len(native.builds), len(found), root)
            sources = {(*native.builds[number], *source) for number, source in native.sources.items()}
            for package in (package for package in found if package.source != package.name):
                self.assertIn((*build(package), package.source, package.source_version), sources)
        self.report("dpkg, shared")
        self.assertGreaterEqual(self.counts["databases"], 15)

    def statuses(self) -> list[list[bytes]]:
        """Return the stanzas of small databases, made of those of the shared hosts."""
        paths = sorted(shared("data/hosts").glob(f"*/*/{STATUS}"))
        return [stanzas(path.read_bytes(), MOST_STANZAS) for path in paths]

    def whole(self, content: bytes) -> set[Build]:
        """Return the packages of a database without damage."""
        self.write(content)
        native = dpkg_query((self.root / STATUS).parent)
        self.assertFalse(native.is_refused)
        return set(native.builds.values())

    def test_damage(self) -> None:
        """Whatever happens to lines, bits or the end of a status file, no package is lost in silence."""
        require("dpkg-query")
        for parts in self.statuses():
            content = b"".join(parts)
            whole = self.whole(content)
            for kind, times in (("lines", 120), ("bit", 60), ("cut", 40)):
                for number in range(times):
                    self.write(getattr(self.damage, kind)(content))
                    self.counts[f"mutations of {kind}"] += 1
                    self.compare(whole, (kind, number, (self.root / STATUS).read_bytes()), kind == "cut")
        self.report("dpkg, damage")
        self.assertGreater(sum(count for word, count in self.counts.items() if "mutations" in word), 1000)

    def test_journals(self) -> None:
        """Whatever the journal has, the result is that of dpkg-query, or a problem by name."""
        require("dpkg-query")
        for parts in self.statuses():
            for number in range(60):
                updates = dict(journals(self.damage.chance, parts, self.damage))
                status = self.damage.chance.choice((b"".join(parts[:20]), b"".join(parts), b"", None))
                self.write(status, updates)
                self.counts["journals"] += 1
                self.compare(set(), (number, updates))
        self.report("dpkg, journals")


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
            for _ in range(60):
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
