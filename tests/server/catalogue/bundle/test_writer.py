"""Tests for :mod:`patches.server.catalogue.bundle.writer`."""

from __future__ import annotations

from pathlib import Path

from patches.server.catalogue.bundle.manifest import BadBundle
from patches.server.catalogue.bundle.writer import write_bundle
from patches.server.errors import CatalogueError
from patches.signing import SigningKey
from tests.server.bundle_case import BundleCase, SignedCase, bundle, members, read


class WriterTests(BundleCase):
    """Bundles of a catalogue of two lists."""

    def test_size(self) -> None:
        """The size of the bundle is returned, and the bundle has the snapshots in the given order."""
        size = write_bundle(self.catalogue, [self.small, self.big], self.file, None)
        self.assertEqual(self.file.stat().st_size, size)
        self.assertEqual(read(self.file.read_bytes(), None), [self.small, self.big])

    def test_members(self) -> None:
        """The manifest is the first member, then its checksum, then every chunk, named by revision and number."""
        write_bundle(self.catalogue, [self.big], self.file, None)
        names = [name for name, _ in members(self.file.read_bytes())]
        self.assertEqual(names[:2], ["manifest.json", "manifest.sha256"])
        self.assertEqual(len(names), 2 + self.big.chunks)
        self.assertTrue(all(self.big.revision in name for name in names[2:]), names)

    def test_unwritable(self) -> None:
        """A folder that does not exist, and a path that is a folder, are an error in one line; nothing remains."""
        folder = Path(self.mktemp())
        with self.assertRaisesRegex(BadBundle, f"^{folder / 'bundle'}: there is no such folder$"):
            write_bundle(self.catalogue, [self.small], folder / "bundle", None)
        (folder / "bundle").mkdir(parents=True)
        with self.assertRaisesRegex(BadBundle, f"^{folder / 'bundle'}: Is a directory$"):
            write_bundle(self.catalogue, [self.small], folder / "bundle", None)
        self.assertEqual([path.name for path in folder.iterdir()], ["bundle"])

    def test_pruned(self) -> None:
        """A snapshot that was pruned in the meantime cannot be exported, and a bundle that was there stays."""
        self.file.write_bytes(b"before")
        with self.catalogue._engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM chunks")
        self.assertRaises(CatalogueError, write_bundle, self.catalogue, [self.small], self.file, None)
        self.assertEqual(self.file.read_bytes(), b"before")

    def test_deterministic(self) -> None:
        """Equal lists are exported to equal bytes from any catalogue, and no temporary file remains."""
        first = self.export()
        self.assertEqual(self.export(), first)
        self.imported()
        self.assertEqual(self.run_command("export", str(self.file), folder=self.there).exit_code, 0)
        self.assertEqual(self.file.read_bytes(), first)
        self.assertEqual([each for each in self.file.resolve().parent.iterdir() if ".new" in each.name], [])
        self.assertEqual(bundle(members(first)), first)

    def test_export_damage(self) -> None:
        """A damaged list is not exported, and an existing bundle file is kept."""
        before = self.export()
        with self.catalogue._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE chunks SET digest = zeroblob(32) WHERE number = 1")
        self.assertIn("chunk 1", self.refusal(5, "export", str(self.file)))
        self.assertEqual(self.file.read_bytes(), before)


class SignedTests(SignedCase):
    """Signed bundles."""

    def test_signature(self) -> None:
        """The signature of the manifest is the third member; all others are those of an unsigned bundle."""
        key = SigningKey.from_file(self.key)
        write_bundle(self.catalogue, [self.small], self.file, key)
        signed = members(self.file.read_bytes())
        self.assertEqual(signed[2][1].decode("ascii"), key.sign(signed[0][1]))
        write_bundle(self.catalogue, [self.small], self.file, None)
        self.assertEqual(members(self.file.read_bytes()), [*signed[:2], *signed[3:]])
