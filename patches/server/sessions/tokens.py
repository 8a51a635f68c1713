"""
Session tokens: unguessable, signed, with platform and revision, so that any server with the key can take a session
over.

A token is URL-safe base64 of a 16-byte HMAC-SHA-256 over the rest, 16 random bytes, and ``platform revision``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from contextlib import suppress
from pathlib import Path

from patches.server.errors import BadToken
from patches.storage.atomic_file import create_atomically

_MAC_BYTES = 16
_RANDOM_BYTES = 16
_KEY_BYTES = 32
MAX_TOKEN_LENGTH = 512


class TokenKey:
    """
    Creates and verifies session tokens.

    :param key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"a key has {_KEY_BYTES} bytes or more")
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> TokenKey:
        """
        Read the key, or create one that only its owner can read.

        :raises OSError: if that fails.
        :raises ValueError: if the file is too short to be a key.
        """
        if not path.exists():
            with suppress(FileExistsError):  # another server was first: its key is the one
                create_atomically(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
        return cls(path.read_bytes())

    def create(self, platform: str, revision: str) -> str:
        """Create a token with 128 random bits."""
        content = secrets.token_bytes(_RANDOM_BYTES) + f"{platform} {revision}".encode()
        return _to_text(self._sign(content) + content)

    def read(self, token: str) -> tuple[str, str]:
        """
        Verify a token. Return its platform and its revision.

        :raises BadToken: if it was not created with this key.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadToken("too long")
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadToken("not a session") from error
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if _to_text(raw) != token:
            raise BadToken("not in canonical base64")  # base64 can be written in several ways
        if len(content) <= _RANDOM_BYTES or not hmac.compare_digest(mac, self._sign(content)):
            raise BadToken("not a session of this server")
        platform, _, revision = content[_RANDOM_BYTES:].decode("utf-8").partition(" ")
        return platform, revision

    def _sign(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:_MAC_BYTES]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
