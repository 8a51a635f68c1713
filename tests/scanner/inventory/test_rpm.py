"""rpm's packages are read exactly from each format of its database; damage is named, and never a shorter list."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from shutil import copy

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError, Package, read_inventory
from patches.scanner.inventory import rpm_header as header
from patches.scanner.inventory.rpm import FOLDERS
from tests.scanner.inventory.test_rpm_header import BASH, SOURCE, make_header
from tests.shared_data import shared

MODULAR = {header.NAME: "nodejs", header.VERSION: "18", header.RELEASE: "1", header.EPOCH: 1, header.ARCH: "x86_64"}
LABEL = {header.MODULARITYLABEL: "nodejs:18:8080020230718:63b34585"}
KEY = {header.NAME: "gpg-pubkey", header.VERSION: "fd431d51", header.RELEASE: "4ae0493b"}


class RpmCase(SynchronousTestCase):
    """A host with an rpm database on sqlite."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.folder = self.root / "var/lib/rpm"
        self.folder.mkdir(parents=True)
        self.path = self.folder / "rpmdb.sqlite"

    def write(self, *headers: bytes) -> None:
        """Write the database."""
        self.path.unlink(missing_ok=True)
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in headers])
        database.commit()
        database.close()

    def read(self) -> tuple[Package, ...]:
        """Read it."""
        inventory = read_inventory(self.root)
        self.assertEqual(inventory.scheme, "rpm")
        return inventory.packages

    def test_packages(self) -> None:
        """Epoch, source, vendor and module are read; an absent epoch is 0; public keys are not packages."""
        self.write(make_header({**BASH, **SOURCE}), make_header(KEY), make_header({**MODULAR, **LABEL}))
        bash, nodejs = self.read()
        self.assertEqual((bash.name, bash.version, bash.arch), ("bash", "0:5.1.8-6.el9", "x86_64"))
        self.assertEqual((bash.source, bash.source_version, bash.vendor), ("bash", "5.1.8-6.el9", "A Vendor"))
        self.assertEqual((nodejs.version, nodejs.module), ("1:18-1", "nodejs:18:8080020230718:63b34585"))

    def test_source_names(self) -> None:
        """The source's name may have hyphens; a package without a source is its own source."""
        self.write(
            make_header({**BASH, header.SOURCERPM: "util-linux-ng-2.32.1-42.el8_8.nosrc.rpm"}), make_header(BASH)
        )
        first, second = self.read()
        self.assertEqual((first.source, first.source_version), ("util-linux-ng", "2.32.1-42.el8_8"))
        self.assertEqual((second.source, second.source_version), ("bash", "5.1.8-6.el9"))

    def test_log_beside_it(self) -> None:
        """The content of the write-ahead log counts, and nothing is written on the scanned host."""
        self.write(make_header(BASH))
        database = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(database.close)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("INSERT INTO Packages (blob) VALUES (?)", (make_header({**BASH, header.NAME: "sudo"}),))
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.assertEqual([package.name for package in self.read()], ["bash", "sudo"])
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, before)

    def test_damaged_header(self) -> None:
        """A damaged header is a package with a problem, named as far as possible; the others are read."""
        whole = make_header({**BASH, **SOURCE})
        for blob, name, words in (
            (whole[:4], "", "truncated"),
            (whole[:40], "", "truncated"),
            (b"\xff" * 100, "", "malformed"),
            (b"", "", "truncated"),
            (whole[:-1], "bash", "truncated"),
            (make_header({header.NAME: "bash"}), "bash", "no version"),
            (make_header({**BASH, header.RELEASE: ""}), "bash", "no release"),
            (make_header({**BASH, header.NAME: ""}), "", "no name"),
            (make_header({**BASH, header.NAME: "bash me"}), "bash", "name 'bash me' is not valid"),
            (make_header({**BASH, header.VERSION: "1 2"}), "bash", "version '1 2' is not valid"),
            (make_header({**BASH, header.EPOCH: "x"}), "bash", "epoch 'x' is not a number"),
        ):
            self.write(make_header(MODULAR), blob, make_header(KEY))
            whole_one, damaged = self.read()
            self.assertEqual((whole_one.name, whole_one.problem), ("nodejs", None))
            self.assertEqual(damaged.name, name or "(var/lib/rpm/rpmdb.sqlite, header 2)")
            self.assertIn("var/lib/rpm/rpmdb.sqlite, header 2: ", damaged.problem or "")
            self.assertIn(words, damaged.problem or "")

    def test_other_values(self) -> None:
        """A value that is no binary data is damage too: a number would be read as the length of a header."""
        for value in ("text", 10**9, None):
            self.write(make_header(BASH))
            database = sqlite3.connect(self.path)
            database.execute("CREATE TABLE P AS SELECT * FROM Packages")
            database.execute("DROP TABLE Packages")
            database.execute("ALTER TABLE P RENAME TO Packages")
            database.execute("INSERT INTO Packages VALUES (7, ?)", (value,))
            database.commit()
            database.close()
            bash, damaged = self.read()
            self.assertEqual((bash.name, damaged.name), ("bash", "(var/lib/rpm/rpmdb.sqlite, header 7)"))
            self.assertIn("no binary data", damaged.problem or "")

    def test_not_a_database(self) -> None:
        """Truncated files, files of another kind, and databases without any whole name are errors of one line."""
        whole = make_header({**BASH, **SOURCE})
        self.write(*[whole] * 2000)
        content = self.path.read_bytes()
        for damaged in (content[: len(content) // 2], b"noise" * 1000, b""):
            self.path.write_bytes(damaged)
            self.refused()
        self.write(b"\xff" * 100, b"\xff" * 100)
        self.refused()

    def test_hostile(self) -> None:
        """A view in place of the table, whose query does not end, is refused at once."""
        self.path.unlink(missing_ok=True)
        database = sqlite3.connect(self.path)
        database.execute(
            "CREATE VIEW Packages AS WITH RECURSIVE n(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM n)"
            " SELECT hnum, x'00' AS blob FROM n"
        )
        database.close()
        error = self.assertRaises(InventoryError, read_inventory, self.root)
        self.assertEqual(str(error), "var/lib/rpm/rpmdb.sqlite: Packages is no table but a view")

    def test_folders(self) -> None:
        """The database may be in /usr, where images have it that are updated as a whole."""
        self.write(make_header(BASH))
        for folder in FOLDERS:
            root = Path(self.mktemp())
            (root / folder).mkdir(parents=True)
            copy(self.path, root / folder)
            self.assertEqual([package.name for package in read_inventory(root).packages], ["bash"])
        self.assertIn("usr/share/rpm", FOLDERS)

    def test_repository(self) -> None:
        """Packages have the repository that yum or dnf recorded."""
        self.write(make_header(BASH), make_header(MODULAR))
        record = self.root / "var/lib/yum/yumdb/b/1234-bash-5.1.8-6.el9-x86_64/from_repo"
        record.parent.mkdir(parents=True)
        record.write_text("amzn2-core")
        found = {package.name: package.repository for package in self.read()}
        self.assertEqual(found, {"bash": "amzn2-core", "nodejs": None})

    def refused(self) -> None:
        """Check that reading fails."""
        error = self.assertRaises(InventoryError, read_inventory, self.root)
        self.assertNotIn("\n", str(error))

    def test_real_hosts(self) -> None:
        """Every real host has exactly the packages that rpm lists: sqlite, ndb, Berkeley DB."""
        hosts = [shared(f"data/hosts/{name}") for name in ("almalinux-8/el8-server", "azurelinux-2/cbl-mariner-2.0")]
        hosts += [shared(f"data/hosts/{name}") for name in ("sle-15/bci-ndb", "el-8/libuuid-bdb")]
        for host in hosts:
            rows = json.loads((host / "inventory.json").read_text())["packages"]
            expected = {(r["name"], r["version"], r["arch"], r["source"], r["source_version"]) for r in rows}
            found = [(p.name, p.version, p.arch, p.source, p.source_version) for p in read_inventory(host).packages]
            self.assertEqual((set(found), len(found)), (expected, len(rows)), host)
            self.assertEqual([package for package in read_inventory(host).packages if package.problem], [])

    def test_damaged_other_forms(self) -> None:
        """Noise in place of an ndb or a Berkeley DB database is an error."""
        for name in ("Packages.db", "Packages"):
            for path in self.folder.iterdir():
                path.unlink()
            (self.folder / name).write_bytes(b"noise" * 1000)
            self.refused()
