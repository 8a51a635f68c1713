"""Errors as the API tells them: status, code, message, and when to come back; translated here and nowhere else."""

from __future__ import annotations

from attrs import field, frozen
from twisted.web.iweb import IRequest

from patches.server.catalogue import ChunkMissing
from patches.server.schema import CatalogueError
from patches.server.served import NotReady, UnknownPlatform
from patches.server.sessions import Denied, SessionExpired, UnknownSession
from patches.server.tokens import BadToken
from patches.server.window import OutOfOrder, WindowClosed


@frozen
class Problem(Exception):
    """
    An error answer.

    :ivar status: the HTTP status.
    :ivar code: a stable word for programs.
    :ivar message: a sentence for people.
    :ivar retry_after: seconds, or ``None``.
    """

    status: int = field()
    code: str
    message: str
    retry_after: int | None = None

    def mark(self, request: IRequest) -> None:
        """Set a request's status and header fields."""
        request.setResponseCode(self.status)
        if self.retry_after is not None:
            request.setHeader("Retry-After", str(self.retry_after))


def problem_of(error: BaseException) -> Problem | None:
    """Translate an error; ``None`` if it is nothing that a client should be told."""
    match error:
        case Problem():
            return error
        case Denied():
            return Problem(503, error.code, str(error), error.retry_after)
        case NotReady():
            return Problem(503, "not-ready", f"the list of {error} has not been read yet", 10)
        case UnknownPlatform():
            return Problem(404, "unknown-platform", f"{error} is not served here; see /v1/platforms")
        case UnknownSession() | BadToken():
            return Problem(404, "unknown-session", "there is no such session here; it can be resumed, or opened anew")
        case SessionExpired():
            return Problem(410, "expired", str(error))
        case ChunkMissing():
            return Problem(410, "expired", "its snapshot is no longer in the catalogue")
        case CatalogueError():
            return Problem(503, "catalogue", "the catalogue cannot be read at the moment", 5)
        case OutOfOrder():
            return Problem(409, "out-of-order", str(error))
        case WindowClosed():
            return Problem(409, "resumed", "the session was taken up again by another request")
    return None
