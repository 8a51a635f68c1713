"""The errors of the server: a family for each boundary, of the catalogue, of platforms, and of sessions."""

from __future__ import annotations


class CatalogueError(Exception):
    """The catalogue cannot be used; the text says why, in one line."""


class CatalogueAway(CatalogueError):
    """The database of the catalogue cannot be reached, or does not answer."""


class ChunkMissing(CatalogueError):
    """A chunk is not, or no longer, in the catalogue."""


class Damaged(CatalogueError):
    """The catalogue does not have what was published."""


class DamagedFile(CatalogueError):
    """The file of the catalogue is damaged as a whole: it is no database, or its pages do not fit together."""


class OlderList(CatalogueError):
    """A list was checked before the current one."""


class PlatformError(Exception):
    """The list of a platform cannot be served; the text is the name of the platform."""


class UnknownPlatform(PlatformError):
    """No source has a list of this platform, or is expected to have one."""


class NotReady(PlatformError):
    """The platform is served, but its list has not been read yet."""


class ListDamaged(NotReady):
    """The list of the platform was found damaged in the catalogue, and has not been made anew yet."""


class KnownEmpty(NotReady):
    """The platform is served, but its sources have nothing about it."""


class UnknownVulnerability(Exception):
    """No publication has, or had, this vulnerability id; the text is the id."""


class SessionError(Exception):
    """A session cannot be opened or served."""


class Denied(SessionError):
    """
    A session was denied.

    :ivar code: ``queue-full``, ``memory-limit``, ``not-ready`` or ``stopping``.
    :ivar retry_after: the seconds after which to try again.
    """

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class UnknownSession(SessionError):
    """This server has no such session."""


class BadToken(SessionError, ValueError):
    """A token was not issued by a server with this key."""


class SessionExpired(SessionError):
    """The session ended before it was complete; the text says why."""


class OutOfOrder(SessionError):
    """A session asked for a chunk out of turn."""

    def __init__(self, asked: int, at: int) -> None:
        super().__init__(f"chunk {asked} was asked for; this session is at chunk {at}")
        self.asked = asked
        self.at = at


class WindowClosed(SessionError):
    """The reader's place in the window is gone."""
