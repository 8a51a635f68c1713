"""Page tokens: the id of a row, encrypted and dated (Fernet), valid for one hour and until the key is replaced."""

from __future__ import annotations

import base64
import re

from cryptography.fernet import Fernet, InvalidToken

LIFE_SECONDS = 3600
CLOCK_SKEW_SECONDS = 60
SHORTEST = 32


class HandlerPanic(Exception):
    """A bug of Clair, at which it closes the connection without a response."""


class TokenRefused(ValueError):
    """A token that is not valid, or not valid any more."""


class Tokens:
    """Creates page tokens and reads them."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def forget(self) -> None:
        """Replace the key, as a restarted Clair does."""
        self._fernet = Fernet(Fernet.generate_key())

    def make(self, row: int, now: float) -> str:
        """Create a token that refers to a row."""
        return self._fernet.encrypt_at_time(b"%d\n" % row, int(now)).decode("ascii")

    def read(self, token: str, now: float) -> int:
        """
        Return the row that a token refers to.

        :raises TokenRefused: if it is not valid.
        :raises HandlerPanic: if it is so short that Clair panics.
        """
        try:
            return int(self._fernet.decrypt_at_time(token.encode("utf-8"), LIFE_SECONDS, int(now)))
        except InvalidToken:
            if _is_stump(token, now):
                raise HandlerPanic(token) from None
            raise TokenRefused(token) from None


def _is_stump(token: str, now: float) -> bool:
    """Return whether a token is cut off after a version and a valid date, which Clair checks first."""
    sound = re.match(r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?", token)
    raw = base64.urlsafe_b64decode(sound.group() if sound else "")
    if not 9 <= len(raw) < SHORTEST or raw[0] != 0x80:
        return False
    age = now - int.from_bytes(raw[1:9], "big")
    return -CLOCK_SKEW_SECONDS <= age <= LIFE_SECONDS
