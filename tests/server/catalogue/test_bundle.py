"""Tests of bundles: an exported bundle is imported whole, and a changed one is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from patches.server.catalogue.bundle import BadBundle
from patches.server.catalogue.bundle_reader import BundleReader
from patches.server.catalogue.snapshot import Snapshot
from patches.signing import VerifyKey, create_keys
from tests.server.catalogue_case import CommandCase

Member = tuple[str, bytes]


def members(data: bytes) -> list[Member]:
    """Return the members of a bundle."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [(each.name, tar.extractfile(each).read()) for each in tar]  # type: ignore[union-attr]


def bundle(parts: Iterable[Member]) -> bytes:
    """Create a bundle of members, in the format of an export."""
    made = b""
    for name, content in parts:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        made += about.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
    return made + bytes(1024)


class BundleCase(CommandCase):
    """A case with a catalogue of two lists, and a second folder to import them into."""

    def setUp(self) -> None:
        super().setUp()
        self.big, self.small = self.publish(3000), self.publish(3, "alpine-3.20")
        self.file = Path(self.mktemp())
        self.there = Path(self.mktemp())
        self.other = self.make(self.there)

    def export(self, *words: str) -> bytes:
        """Export a bundle, and return its bytes."""
        ran = self.run_command("export", str(self.file), *words)
        self.assertEqual((ran.exit_code, ran.stderr), (0, ""))
        return self.file.read_bytes()

    def refused(self, data: bytes, *words: str) -> str:
        """Import a bundle that is refused, check that nothing changes, and return the error."""
        before = self.other.snapshots()
        self.file.write_bytes(data)
        said = self.refusal(5, "import", str(self.file), *words, folder=self.there)
        self.assertEqual(self.other.snapshots(), before)
        return said

    def imported(self, *words: str) -> str:
        """Import a bundle that is accepted; return the output."""
        ran = self.run_command("import", str(self.file), *words, folder=self.there)
        self.assertEqual((ran.exit_code, ran.stderr), (0, ""))
        return ran.stdout

    def changed(self, change: Callable[[dict[str, Any]], object]) -> bytes:
        """Return a bundle whose manifest was changed, and its checksum adapted."""
        parts = members(self.export())
        manifest = json.loads(parts[0][1])
        change(manifest)
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        line = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode()
        return bundle([("manifest.json", text), ("manifest.sha256", line), *parts[2:]])


class RoundTripTests(BundleCase):
    """Bundles that are accepted."""

    def test_round_trip(self) -> None:
        """Imported lists are current, identical to the exported ones, and intact."""
        self.export()
        self.assertIn("not signed", self.imported())
        self.assertEqual(self.other.current(), self.catalogue.current())
        for number in range(self.big.chunks):
            chunks = [each.chunk(self.big.revision, number) for each in (self.catalogue, self.other)]
            self.assertEqual(chunks[0].encoded, chunks[1].encoded)
        self.assertEqual(self.run_command("check", folder=self.there).exit_code, 0)

    def test_deterministic(self) -> None:
        """Equal lists are exported to equal bytes from any catalogue, and no temporary file remains."""
        first = self.export()
        self.assertEqual(self.export(), first)
        self.imported()
        self.assertEqual(self.run_command("export", str(self.file), folder=self.there).exit_code, 0)
        self.assertEqual(self.file.read_bytes(), first)
        self.assertEqual([each for each in self.file.resolve().parent.iterdir() if ".new" in each.name], [])
        self.assertEqual(bundle(members(first)), first)

    def test_platforms(self) -> None:
        """Only the requested platforms are exported; an import does not change other platforms."""
        self.export("--platform", "alpine-3.20")
        self.imported()
        self.assertEqual([each.platform for each in self.other.current()], ["alpine-3.20"])
        self.assertIn("rhel-9", self.refusal(2, "export", str(self.file), "--platform", "rhel-9"))

    def test_new_catalogue(self) -> None:
        """An import creates a missing catalogue, unless the bundle is refused."""
        data, empty = self.export(), Path(self.mktemp())
        empty.mkdir()
        self.file.write_bytes(data[:-1])
        self.refusal(5, "import", str(self.file), folder=empty)
        self.assertEqual(list(empty.iterdir()), [])
        self.file.write_bytes(data)
        self.assertEqual(self.run_command("import", str(self.file), folder=empty).exit_code, 0)

    def test_new_folder(self) -> None:
        """An import creates a missing state folder for its owner only; a folder that cannot be created is reported."""
        self.publish()
        self.run_command("export", str(self.file))
        folder = self.folder / "of" / "another"
        self.assertEqual(self.run_command("import", str(self.file), folder=folder).exit_code, 0)
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertIn("Not a directory", self.refusal(5, "import", str(self.file), folder=self.file / "x"))

    def test_again(self) -> None:
        """A newer list replaces the current one; an identical one updates the time of the check."""
        self.export()
        self.imported()
        self.publish(3000, now=2000.0)
        newer = self.publish(4, "alpine-3.20", now=2000.0)
        self.export()
        self.imported()
        alpine, debian = self.other.current()
        self.assertEqual((alpine, debian.created, debian.checked), (newer, self.big.created, 2000.0))
        self.assertEqual(len(self.other.snapshots()), 3)

    def test_older(self) -> None:
        """A bundle with a list older than the current one is refused as a whole, unless the import is forced."""
        old = self.export()
        self.publish(5, "debian-12", now=2000.0)
        self.export("--platform", "debian-12")
        self.imported()
        self.assertIn("debian-12: the current list was checked later", self.refused(old))
        self.imported("--force")
        self.assertEqual(self.other.current(), [self.small, self.big])

    def test_held(self) -> None:
        """A list that was held back is discarded by the import of another one."""
        self.export()
        self.other.publish("debian-12", [], {}, 500.0, lambda current, count: "too short")
        self.imported()
        self.assertEqual(self.other.held_back(), [])

    def test_export_damage(self) -> None:
        """A damaged list is not exported, and an existing bundle file is kept."""
        before = self.export()
        with self.catalogue._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE chunks SET digest = zeroblob(32) WHERE number = 1")
        self.assertIn("chunk 1", self.refusal(5, "export", str(self.file)))
        self.assertEqual(self.file.read_bytes(), before)


class SignedTests(BundleCase):
    """Signatures."""

    def setUp(self) -> None:
        super().setUp()
        self.key = Path(self.mktemp())
        self.assertEqual(self.run_keygen(self.key), 0)
        self.verify = "--verify-key", f"{self.key}.pub"

    def test_signed(self) -> None:
        """A signed bundle is accepted with its key, and without a key."""
        self.export("--signing-key", str(self.key))
        self.assertNotIn("signature", self.imported(*self.verify))
        self.assertIn("the signature was not verified", self.imported())

    def test_refused(self) -> None:
        """With a key, a bundle is refused if it is unsigned or its signature is of another key or other lists."""
        self.assertIn("not signed", self.refused(self.export(), *self.verify))
        create_keys(other := Path(self.mktemp()))
        data = self.export("--signing-key", str(other))
        self.assertIn("not made with the trusted key", self.refused(data, *self.verify))
        small = members(self.export("--signing-key", str(self.key), "--platform", "alpine-3.20"))
        whole = members(self.export("--signing-key", str(self.key)))
        mixed = bundle([*whole[:2], small[2], *whole[3:]])
        self.assertIn("not made with the trusted key", self.refused(mixed, *self.verify))

    def test_bad_keys(self) -> None:
        """A key file that cannot be used is wrong usage."""
        self.refusal(2, "export", str(self.file), "--signing-key", f"{self.key}.pub")
        self.refusal(2, "import", str(self.file), "--verify-key", "none")
        self.assertEqual(self.run_keygen(self.key), 2)

    def test_every_byte(self) -> None:
        """A bundle in which any byte is changed, or that is truncated, is refused, whether signed or not."""
        signed = self.export("--platform", "alpine-3.20", "--signing-key", str(self.key))
        plain = self.export("--platform", "alpine-3.20")
        key = VerifyKey.from_file(Path(f"{self.key}.pub"))
        chance = random.Random(1)
        for data, trusted in ((signed, key), (plain, None)):
            read(data, trusted)
            for position in range(len(data)):
                bad = bytearray(data)
                bad[position] ^= 1 << chance.randrange(8)
                self.assertRaises(BadBundle, read, bytes(bad), trusted)
            for length in range(len(data)):
                self.assertRaises(BadBundle, read, data[:length], trusted)


class TamperedTests(BundleCase):
    """Bundles that are refused, each for its own reason."""

    def test_members(self) -> None:
        """Members that are missing, superfluous, renamed or in another order are refused."""
        parts = members(self.export())
        name, content = parts[3]
        for other in (
            [*parts[:3], parts[4], parts[3], *parts[5:]],
            [parts[1], parts[0], *parts[2:]],
            [*parts, ("extra", b"x")],
            [*parts, parts[-1]],
            [*parts[:3], ("extra", b"x"), *parts[3:]],
            parts[:-1],
            parts[:2],
            parts[2:],
            [],
            [*parts[:3], (f"../{name}", content), *parts[4:]],
            [*parts[:3], (f"/{name}", content), *parts[4:]],
            [*parts[:3], (name.replace("chunks/", "chunks/../chunks/"), content), *parts[4:]],
        ):
            self.refused(bundle(other))
        self.assertIn("there is data after", self.refused(bundle(parts) + b"\0"))
        self.assertIn("ends too early", self.refused(b""))
        self.refused(gzip.compress(bundle(parts)))

    def test_links(self) -> None:
        """A link, a sparse file or a pax header in place of a member is refused."""
        data = bytearray(self.export())
        for kind in b"12345678xgLKS":
            data[156] = kind
            self.assertIn("manifest.json is not the next member", self.refused(bytes(data)))

    def test_bombs(self) -> None:
        """
        A chunk that decompresses to more than the limit is refused, as is a member or a manifest that is too long.
        """
        parts = members(self.export("--platform", "alpine-3.20"))
        bomb = gzip.compress(bytes(30_000_000), mtime=0)
        self.assertLess(len(bomb), 64 * 1024)

        def swap(manifest: dict[str, Any]) -> None:
            manifest["snapshots"][0]["sha256"] = [hashlib.sha256(bomb).hexdigest()]

        made = members(self.changed(lambda manifest: (manifest["snapshots"].pop(), swap(manifest))))
        self.assertIn("longer than 1048576", self.refused(bundle([*made[:2], (parts[2][0], bomb)])))
        self.assertIn("longer than 65536", self.refused(bundle([*parts[:2], (parts[2][0], bytes(70_000))])))
        huge = tarfile.TarInfo("manifest.json")
        huge.size = 8 * 1024**3 - 1
        self.assertIn("longer than", self.refused(huge.tobuf(tarfile.USTAR_FORMAT) + bytes(2048)))

    def test_manifest(self) -> None:
        """A manifest that contradicts itself or its chunks is refused even if its checksum is correct."""

        def first(**values: Any) -> Callable[[dict[str, Any]], object]:
            return lambda manifest: manifest["snapshots"][0].update(values)

        far = time.time() + 10**6
        for change, said in (
            (first(platform="debian-11"), "revision"),
            (first(platform="../../x"), "platform"),
            (first(revision="0" * 32), "revision"),
            (first(digest="0" * 64), "revision"),
            (first(digest="x"), "not a SHA-256"),
            (first(chunks=2), "one checksum for each chunk"),
            (first(vulnerabilities=4), "3 vulnerabilities, not 4"),
            (first(vulnerabilities=-1), "not a count"),
            (first(created="now"), "number of seconds"),
            (first(checked=float("nan")), "not a number"),
            (first(checked=1e300), "not a time"),
            (first(checked=far), "canonical"),
            (first(sources=7), "not a manifest"),
            (first(extra=1), "canonical"),
            (lambda manifest: manifest.update(version=2), "version 1"),
            (lambda manifest: manifest.update(snapshots=7), "not a manifest"),
            (lambda manifest: manifest.update(created=7), "canonical"),
            (lambda manifest: manifest["snapshots"].reverse(), "not in order"),
            (lambda manifest: manifest["snapshots"].append(manifest["snapshots"][1]), "twice"),
        ):
            self.assertIn(said, self.refused(self.changed(change)))
        self.assertIn("in the future", self.refused(self.changed(lambda m: future(m, far))))

    def test_not_a_file(self) -> None:
        """A path that does not exist, or is a folder, is reported in one line."""
        self.assertIn("No such file", self.refusal(5, "import", "none", folder=self.there))
        self.assertIn("Is a directory", self.refusal(5, "import", ".", folder=self.there))
        self.assertIn("none", self.refusal(5, "export", "none/bundle"))


def read(data: bytes, key: VerifyKey | None) -> list[Snapshot]:
    """Read a bundle to its end; return its snapshots that have chunks."""
    return [snapshot for snapshot, chunks in BundleReader.begin(io.BytesIO(data), key).snapshots() if list(chunks)]


def future(manifest: dict[str, Any], far: float) -> None:
    """Set the check of a list and the creation of the bundle to another time."""
    manifest["snapshots"][0]["checked"] = manifest["created"] = far
