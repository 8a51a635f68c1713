"""Tests for :mod:`patches.signing`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from twisted.trial.unittest import SynchronousTestCase

from patches.signing import BadKey, NotSigned, SigningKey, VerifyKey, create_keys, manifest_bytes, sized_manifest_bytes

DOCUMENT = {"revision": "r", "created": "c", "checked": "k", "vulnerabilities": 3, "chunks": 1, "digest": "d"}
SIZED = {**DOCUMENT, "bytes": 9}


class KeyTests(SynchronousTestCase):
    """Keys in files."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.public = create_keys(self.path)

    def refused(self, kind: Any, path: Path) -> str:
        """Return the line with which a file is refused."""
        text = str(self.assertRaises(BadKey, kind.from_file, path))
        self.assertEqual((str(path) in text, text.count("\n")), (True, 0))
        return text

    def test_pair(self) -> None:
        """A signature is verified with the matching key only."""
        signature = SigningKey.from_file(self.path).sign(b"message")
        key = VerifyKey.from_file(self.public)
        key.verify(b"message", signature)
        other = SigningKey.from_file(create_keys(Path(self.mktemp())).with_suffix("")).sign(b"message")
        for message, bad in (
            (b"messagE", signature),
            (b"message", other),
            (b"message", ""),
            (b"message", signature[:-4]),
            (b"message", signature + "\n"),
            (b"message", "é" + signature),
        ):
            self.assertRaises(NotSigned, key.verify, message, bad)

    def test_modes(self) -> None:
        """Only its owner can read the private key; one that others may read is refused."""
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        for mode in (0o640, 0o604, 0o620):
            self.path.chmod(mode)
            self.assertIn("others may read", self.refused(SigningKey, self.path))

    def test_never_replaced(self) -> None:
        """A file that exists is not overwritten, neither the private nor the public one."""
        before = self.path.read_bytes(), self.public.read_bytes()
        self.assertRaises(BadKey, create_keys, self.path)
        self.path.unlink()
        self.assertRaises(BadKey, create_keys, self.path)
        self.assertEqual((self.path.exists(), self.public.read_bytes()), (False, before[1]))

    def test_lone_private_key(self) -> None:
        """The public key of a private key that is alone is written again; the private key is not changed."""
        before = self.path.read_bytes(), self.public.read_bytes()
        self.public.unlink()
        self.assertEqual(create_keys(self.path), self.public)
        self.assertEqual((self.path.read_bytes(), self.public.read_bytes()), before)
        self.assertEqual(self.public.stat().st_mode & 0o777, 0o644)

    def test_lone_file(self) -> None:
        """A file that is no private key stays as it is, and has no public key."""
        path = Path(self.mktemp())
        path.write_text("a letter")
        path.chmod(0o600)
        self.assertIn("not an Ed25519 private key", str(self.assertRaises(BadKey, create_keys, path)))
        path.chmod(0o644)
        self.assertIn("others may read", str(self.assertRaises(BadKey, create_keys, path)))
        self.assertEqual((path.read_text(), [path.name]), ("a letter", self.beside(path)))

    def test_temporary_files(self) -> None:
        """Temporary files of an earlier run are removed, even if there are keys already; other files are not."""
        path = Path(self.mktemp())
        kept = ("backup.new", "pub.backup.new", "abcdefgh.new~", "abcdefghi.new", "ABCDEFGH.new")
        left = ("abcdefgh.new", "pub.a_b12345.new")
        for name in (*kept, *left):
            path.with_name(f"{path.name}.{name}").write_text("x")
        create_keys(path)
        expected = sorted([path.name, f"{path.name}.pub", *(f"{path.name}.{name}" for name in kept)])
        self.assertEqual(self.beside(path), expected)
        path.with_name(f"{path.name}.{left[0]}").write_text("x")
        self.assertRaises(BadKey, create_keys, path)
        self.assertEqual(self.beside(path), expected)

    def beside(self, path: Path) -> list[str]:
        """Return the names of the files in its folder that begin with its name."""
        return sorted(each.name for each in path.parent.iterdir() if each.name.startswith(path.name))

    def test_refused(self) -> None:
        """
        A missing file, text that is not a key, a key of the other kind, and a key of another algorithm are refused.
        """
        absent, text, other = Path(self.mktemp()), Path(self.mktemp()), Path(self.mktemp())
        text.write_text("no key")
        text.chmod(0o600)
        curve = generate_private_key(SECP256R1())
        other.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        other.chmod(0o600)
        for path in (absent, text, other):
            self.refused(SigningKey, path)
        other.write_bytes(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        for path in (absent, text, other, self.path):
            self.refused(VerifyKey, path)


class ManifestTests(SynchronousTestCase):
    """The bytes that are signed."""

    def test_fields(self) -> None:
        """Every value counts that identifies the list or its age."""
        first = manifest_bytes("debian-12", DOCUMENT)
        self.assertEqual(
            first,
            b'{"checked":"k","count":3,"created":"c","digest":"d","platform":"debian-12","revision":"r",'
            b'"type":"patches-snapshot-1"}',
        )
        self.assertEqual(manifest_bytes("debian-12", dict(reversed(DOCUMENT.items()))), first)
        self.assertNotEqual(manifest_bytes("debian-11", DOCUMENT), first)
        for name in ("revision", "created", "checked", "vulnerabilities", "digest"):
            self.assertNotEqual(manifest_bytes("debian-12", DOCUMENT | {name: "other"}), first)

    def test_sized(self) -> None:
        """The second statement covers the first one, and the numbers of chunks and bytes too."""
        sized = sized_manifest_bytes("debian-12", SIZED)
        self.assertEqual(
            sized,
            b'{"bytes":9,"checked":"k","chunks":1,"count":3,"created":"c","digest":"d","empty":false,'
            b'"platform":"debian-12","revision":"r","type":"patches-snapshot-2"}',
        )
        for name in SIZED:
            self.assertNotEqual(sized_manifest_bytes("debian-12", SIZED | {name: "other"}), sized)
        self.assertNotEqual(sized_manifest_bytes("debian-12", SIZED | {"empty": True}), sized)
        self.assertRaises(KeyError, sized_manifest_bytes, "debian-12", DOCUMENT)
