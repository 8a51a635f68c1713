"""Tests for :mod:`patches.server.catalogue.bundle.reader`: what is not as it was exported is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from pathlib import Path
from typing import Any

from patches.server.catalogue.bundle.manifest import BadBundle
from patches.server.catalogue.bundle.reader import BundleReader
from patches.signing import VerifyKey, create_keys
from tests.server.bundle_case import BundleCase, SignedCase, bundle, members, read


class ReaderTests(BundleCase):
    """Whole bundles."""

    def test_whole(self) -> None:
        """The snapshots are read in order, each with its chunks."""
        reader = BundleReader.begin(io.BytesIO(self.export()), None)
        found = [(snapshot, len(list(chunks))) for snapshot, chunks in reader.snapshots()]
        self.assertEqual(found, [(self.small, self.small.chunks), (self.big, self.big.chunks)])
        self.assertFalse(reader.signed)

    def test_chunks(self) -> None:
        """A chunk is the one of the catalogue, with its digest and the number of its vulnerabilities."""
        reader = BundleReader.begin(io.BytesIO(self.export()), None)
        for snapshot, chunks in reader.snapshots():
            for chunk in chunks:
                kept = self.catalogue.chunk(snapshot.revision, chunk.number)
                self.assertEqual((chunk.encoded, chunk.digest), (kept.encoded, kept.digest))
                self.assertEqual(chunk.vulnerabilities, kept.vulnerabilities)

    def test_lazy(self) -> None:
        """The manifest is verified at once, a chunk when it is read, and the end after the last chunk."""
        data = self.export()
        reader = BundleReader.begin(io.BytesIO(data[:-1]), None)
        snapshots = reader.snapshots()
        for _ in range(2):
            _, chunks = next(snapshots)
            self.assertTrue(list(chunks))
        self.assertRaises(BadBundle, next, snapshots)
        self.assertRaises(BadBundle, BundleReader.begin, io.BytesIO(b"x" + data[1:]), None)


class SignatureTests(SignedCase):
    """Signatures, and changed bytes."""

    def test_signed(self) -> None:
        """A signed bundle is known as such without a key; with a key, its signature is verified at once."""
        data = self.export("--signing-key", str(self.key))
        self.assertTrue(BundleReader.begin(io.BytesIO(data), None).signed)
        self.assertTrue(BundleReader.begin(io.BytesIO(data), VerifyKey.from_file(Path(f"{self.key}.pub"))).signed)
        create_keys(other := Path(self.mktemp()))
        with self.assertRaisesRegex(BadBundle, "not made with the trusted key"):
            BundleReader.begin(io.BytesIO(data), VerifyKey.from_file(Path(f"{other}.pub")))

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
        self.assertIn("is not a bundle of Patches", self.refused(b""))
        self.assertIn("ends too early", self.refused(bundle(parts)[:100]))
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
