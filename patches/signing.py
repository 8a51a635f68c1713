"""Ed25519 keys (RFC 8032) in PEM files, and the bytes of a snapshot that are signed."""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from patches.storage.atomic_file import create_atomically, remove_temporary
from patches.wording import NO_FOLDER, file_problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# cryptography takes 10 MiB, which a scan of lists without signatures saves: it is imported where keys are used
_MOST_BYTES = 64 * 1024


class BadKey(ValueError):
    """A key file that cannot be used; its text names the file and the reason, in one line."""


class NotSigned(Exception):
    """Something is not signed with the trusted key."""


@frozen(eq=False)
class VerifyKey:
    """The key with which signatures are verified."""

    _key: Ed25519PublicKey

    @classmethod
    def from_file(cls, path: Path) -> VerifyKey:
        """
        Read a PEM file of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 8410).

        :raises BadKey: if it does not contain an Ed25519 public key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(_read(path, private=False))
        except ValueError as error:
            raise error if isinstance(error, BadKey) else _no_key(path, "public") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key(path, "public")
        return cls(key)

    def verify(self, message: bytes, signature: str) -> None:
        """
        Verify a signature.

        :param signature: in base64, as :meth:`SigningKey.sign` returns it.
        :raises NotSigned: if it is not the signature of this message with this key.
        """
        from cryptography.exceptions import InvalidSignature

        try:
            value = base64.b64decode(signature, validate=True)
            canonical = base64.b64encode(value).decode("ascii") == signature
            self._key.verify(value, message)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise NotSigned("the signature was not made with the trusted key") from error
        if not canonical:
            raise NotSigned("the signature is not in canonical base64")


@frozen(eq=False)
class SigningKey:
    """The secret key that signs."""

    _key: Ed25519PrivateKey

    @classmethod
    def from_file(cls, path: Path) -> SigningKey:
        """
        Read a PEM file of PKCS #8 (RFC 5958), without a password.

        :raises BadKey: if other users may read it, or it does not contain an Ed25519 private key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(_read(path, private=True), password=None)
        except (ValueError, TypeError) as error:
            raise error if isinstance(error, BadKey) else _no_key(path, "private") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(path, "private")
        return cls(key)

    def sign(self, message: bytes) -> str:
        """Sign a message. Return the signature in base64."""
        return base64.b64encode(self._key.sign(message)).decode("ascii")

    def public_pem(self) -> bytes:
        """Return the public key in PEM, as :meth:`VerifyKey.from_file` reads it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def create_keys(path: Path) -> Path:
    """
    Create a pair of keys: the private key readable by its owner only, and beside it the public key, readable by all.

    A power cut can leave a private key without its public key; then this writes the public key of that private key.
    Temporary files of an earlier run are removed, as there may be a private key in them.

    :return: the path of the public key.
    :raises BadKey: if both files exist already, or only the public one, or one of them cannot be read or written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    public = path.with_name(path.name + ".pub")
    _remove_temporary(path, public)
    if path.exists() and not public.exists():
        _write_new(public, SigningKey.from_file(path).public_pem(), 0o644)
        return public
    key = Ed25519PrivateKey.generate()
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    try:
        _write_new(public, SigningKey(key).public_pem(), 0o644)
    except BadKey:
        path.unlink()
        raise
    return public


def manifest_bytes(platform: str, snapshot: Mapping[str, Any]) -> bytes:
    """
    Return the bytes that are signed for a snapshot: canonical JSON (sorted, ASCII, no spaces), equal at both ends.

    They contain the time of the last check, so that neither an old list nor an old signature passes for a new one.

    :param snapshot: its document, as the server sends it.
    :raises KeyError: if a member of the document is missing.
    """
    return _canonical(_manifest("patches-snapshot-1", platform, snapshot))


def sized_manifest_bytes(platform: str, snapshot: Mapping[str, Any]) -> bytes:
    """
    Return the bytes of the second statement that is signed for a snapshot: the first one, and what bounds its stream.

    These are the numbers of its chunks and of the bytes of their bodies, and whether the list is known to be empty; and
    its serial number, if there is one: servers of earlier versions have none.

    :param snapshot: its document, as the server sends it.
    :raises KeyError: if a member of the document is missing.
    """
    manifest = _manifest("patches-snapshot-2", platform, snapshot)
    sizes = {"chunks": snapshot["chunks"], "bytes": snapshot["bytes"], "empty": snapshot.get("empty", False)}
    serial = {"serial": snapshot["serial"]} if "serial" in snapshot else {}
    return _canonical({**manifest, **sizes, **serial})


def enriched_manifest_bytes(platform: str, snapshot: Mapping[str, Any]) -> bytes:
    """
    Return the bytes of the third statement that is signed for a snapshot: the first one, and its ``enrichments``.

    Only a snapshot with such facts has it. It is a statement of its own: scanners of earlier versions know the members
    of the others.

    :param snapshot: its document, as the server sends it.
    :raises KeyError: if a member of the document is missing.
    """
    manifest = _manifest("patches-snapshot-3", platform, snapshot)
    return _canonical({**manifest, "enrichments": snapshot["enrichments"]})


def _manifest(kind: str, platform: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "platform": platform,
        "revision": snapshot["revision"],
        "created": snapshot["created"],
        "checked": snapshot["checked"],
        "count": snapshot["vulnerabilities"],
        "digest": snapshot["digest"],
    }


def _canonical(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _read(path: Path, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if private and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise BadKey(f"{path}: others may read this private key; chmod 600 it")
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise BadKey(f"{path}: {file_problem(error)}") from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        create_atomically(path, content, mode=mode)
    except OSError as error:
        raise BadKey(f"{path}: {file_problem(error, NO_FOLDER)}") from error


def _remove_temporary(*paths: Path) -> None:
    for path in paths:
        try:
            remove_temporary(path)
        except OSError as error:
            raise BadKey(f"{path}: {error.strerror}") from error


def _no_key(path: Path, kind: str) -> BadKey:
    return BadKey(f"{path}: not an Ed25519 {kind} key in PEM")
