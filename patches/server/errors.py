"""The errors of the server: a family for each boundary, of the catalogue, of platforms, and of sessions."""

from __future__ import annotations


class CatalogueError(Exception):
    """The catalogue cannot be used; its text says why, in one line."""


class ChunkMissing(CatalogueError):
    """A chunk is not in the catalogue (any more)."""


class OlderList(CatalogueError):
    """A list that was checked before the current one was."""


class PlatformError(Exception):
    """The list of a platform cannot be served; its text is the name of the platform."""


class UnknownPlatform(PlatformError):
    """No source has a list of this platform, and none is expected to."""


class NotReady(PlatformError):
    """The platform is served, but its list has not been read yet."""


class SessionError(Exception):
    """A session cannot be opened, or cannot be served."""


class Denied(SessionError):
    """
    No session was given.

    :ivar code: ``queue-full``, ``memory-limit``, ``not-ready`` or ``stopping``.
    :ivar retry_after: when to come back, in seconds.
    """

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class UnknownSession(SessionError):
    """There is no such session here."""


class BadToken(SessionError, ValueError):
    """A token that no server with this key has given out."""


class SessionExpired(SessionError):
    """The session has ended before it was complete; its text says why."""


class OutOfOrder(SessionError):
    """A chunk was asked for that is not the reader's turn."""

    def __init__(self, asked: int, at: int) -> None:
        super().__init__(f"chunk {asked} was asked for; this session is at chunk {at}")
        self.asked = asked
        self.at = at


class WindowClosed(SessionError):
    """The reader's place in the window is gone."""
