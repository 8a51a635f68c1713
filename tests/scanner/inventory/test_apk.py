"""apk's packages are read exactly; a damaged package is named, a truncated database is an error."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError, Package, read_inventory
from tests.shared_data import shared

BUSYBOX = (
    "C:Q1x=\nP:ssl_client\nV:1.33.1-r8\nA:x86_64\nT:a client\no:busybox\nF:bin\nR:ssl_client\na:0:0:755\nZ:Q1y=\n\n"
)
MUSL = "C:Q1z=\nP:musl\nV:1.2.2-r4\nA:x86_64\nL:MIT\n\n"


class ApkCase(SynchronousTestCase):
    """A host with an apk database."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.root.mkdir()

    def write(self, content: str | bytes, path: str = "lib/apk/db/installed") -> None:
        """Write the database."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self) -> tuple[Package, ...]:
        """Read it."""
        inventory = read_inventory(self.root)
        self.assertEqual(inventory.scheme, "apk")
        return inventory.packages

    def test_packages(self) -> None:
        """The source is the origin in the package's own version; without an origin it is the package itself."""
        self.write(BUSYBOX + MUSL)
        client = Package("ssl_client", "1.33.1-r8", "x86_64", "busybox", "1.33.1-r8")
        self.assertEqual(self.read(), (client, Package("musl", "1.2.2-r4", "x86_64", "musl", "1.2.2-r4")))

    def test_merged_usr(self) -> None:
        """On a merged-usr system the database is below usr."""
        self.write(MUSL, "usr/lib/apk/db/installed")
        self.assertEqual([package.name for package in self.read()], ["musl"])

    def test_without_last_empty_line(self) -> None:
        """The last package may lack its empty line, as in some images."""
        self.write(BUSYBOX + MUSL.rstrip("\n") + "\n")
        self.assertEqual(len(self.read()), 2)

    def test_damage(self) -> None:
        """A truncated line, binary noise, or text of another kind is an error of one line."""
        whole = (BUSYBOX + MUSL).encode()
        damaged = [whole[:-4], whole[: len(BUSYBOX) + 9], b"\x00\xff\x17" * 100, whole + b"x" * 2_000_000]
        damaged += [
            b"V:1\n\n",
            b"P:a\nV:1",
            b"just text\n",
            b"P:a\n",
            b"\0\n",
            BUSYBOX.encode() + bytes(99) + b"\n" + whole,
        ]
        for content in damaged:
            self.write(content)
            error = self.assertRaises(InventoryError, read_inventory, self.root)
            self.assertNotIn("\n", str(error))

    def test_damaged_package(self) -> None:
        """A damaged package is named with its problem, by its line if it has no name; the others are read."""
        for content, name, words in (
            ("P:a\n\n", "a", "line 12: it has no version"),
            ("P:a b\nV:1\n\n", "a", "name 'a b' is not valid"),
            ("P:a\nV:1 2\n\n", "a", "version '1 2' is not valid"),
            ("P:a\nV:1\nV:2\n\n", "a", "line 14: the field is repeated: V"),
            ("P:a\nnoise\nV:1\n\n", "a", "line 13: not a line of an apk database"),
            ("C:Q1\nV:1\n\n", "", "line 12: it has no name"),
            ("C:Q1\nP:a\nV:1\n", "a", "line 15: the next package begins within the package"),
        ):
            self.write(BUSYBOX + content + MUSL.removeprefix("C:Q1z=\n") + BUSYBOX.replace("ssl_client", "last"))
            first, damaged, second, last = self.read()
            self.assertEqual((first.name, second.name, last.name), ("ssl_client", "musl", "last"))
            self.assertEqual((first.problem, second.problem, last.problem), (None, None, None))
            self.assertEqual(damaged.name, name or "(lib/apk/db/installed, line 12)")
            self.assertIn(f"lib/apk/db/installed, {words}" if "line" in words else words, damaged.problem or "")

    def test_empty(self) -> None:
        """An empty database is not a clean host."""
        self.write("\n\n")
        self.assertRaises(InventoryError, read_inventory, self.root)

    def test_link_out(self) -> None:
        """A link cannot lead the reader out of the root."""
        outside = Path(self.mktemp())
        outside.write_text(MUSL)
        (self.root / "lib/apk/db").mkdir(parents=True)
        (self.root / "lib/apk/db/installed").symlink_to(outside.absolute())
        self.assertRaises(InventoryError, read_inventory, self.root)

    def test_real_hosts(self) -> None:
        """Every real host has exactly the recorded packages."""
        hosts = sorted(path.parent for path in shared("data/hosts").glob("alpine-*/*/inventory.json"))
        for host in hosts:
            rows = json.loads((host / "inventory.json").read_text())["packages"]
            expected = {(r["name"], r["version"], r["arch"], r["source"], r["source_version"]) for r in rows}
            found = [(p.name, p.version, p.arch, p.source, p.source_version) for p in read_inventory(host).packages]
            self.assertEqual((set(found), len(found)), (expected, len(expected)), host)
            self.assertEqual([package for package in read_inventory(host).packages if package.problem], [])
        self.assertGreaterEqual(len(hosts), 15)
