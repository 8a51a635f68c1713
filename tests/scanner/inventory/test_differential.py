"""
The inventories beside the native tools: what ``dpkg-query`` reads is read; what it refuses is said.

Every database of the shared hosts and cases is read, and random damage of them: lines, bits, ends, journals. Each test
prints how many databases and mutations it compared. ``test_differential_rpm.py`` does the same with rpm.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError, Package, read_inventory
from patches.scanner.inventory.dpkg import STATUS, UPDATES
from tests.scanner.inventory.native_tools import (
    Build,
    Damage,
    Native,
    dpkg_query,
    journals,
    require,
    stanzas,
)
from tests.shared_data import shared

#: Databases of so many packages are damaged: native tools read them in some milliseconds.
MOST_STANZAS = 40


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
            self.assertGreaterEqual(len(found), len(whole), (where, lost))
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
            for kind, times in (("lines", 120), ("bit", 40), ("cut", 15)):
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
            for number in range(40):
                updates = dict(journals(self.damage.chance, parts, self.damage))
                status = self.damage.chance.choice((b"".join(parts[:20]), b"".join(parts), b"", None))
                self.write(status, updates)
                self.counts["journals"] += 1
                self.compare(set(), (number, updates))
        self.report("dpkg, journals")
