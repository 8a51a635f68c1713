"""The errors of the API: status, code, message and retry time, translated from the server's errors by one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from twisted.web.iweb import IRequest

from patches.server.errors import (
    BadToken,
    CatalogueError,
    ChunkMissing,
    Damaged,
    Denied,
    KnownEmpty,
    ListDamaged,
    NotReady,
    OutOfOrder,
    SessionExpired,
    UnknownPlatform,
    UnknownSession,
    UnknownVulnerability,
    WindowClosed,
)
from patches.wire import JSON, MalformedJson, encode_json, parse_json


@frozen
class ApiError(Exception):
    """
    An error response.

    :ivar status: the HTTP status.
    :ivar code: a stable word for programs.
    :ivar message: a sentence for people.
    :ivar retry_after: seconds, or ``None``.
    """

    status: int = field()
    code: str
    message: str
    retry_after: int | None = None

    def apply_to(self, request: IRequest) -> None:
        """Set a request's status and header fields."""
        request.setResponseCode(self.status)
        if self.retry_after is not None:
            request.setHeader("Retry-After", str(self.retry_after))


#: error → status, code, message (``None``: the error's own text) and ``Retry-After``; the first row that fits counts.
TABLE: tuple[tuple[type[Exception], int, str, str | None, int | None], ...] = (
    (KnownEmpty, 503, "not-ready", "the list of {error} is known, and is empty", 600),
    (ListDamaged, 503, "list-damaged", "{error}: its list was found damaged here, and is made anew", 2),
    (NotReady, 503, "not-ready", "the list of {error} has not been read yet", 10),
    (UnknownPlatform, 404, "unknown-platform", "{error} is not served here; see /v1/platforms", None),
    (UnknownVulnerability, 404, "unknown-vulnerability", "no publication has, or had, a record of {error}", None),
    (UnknownSession, 404, "unknown-session", "this server has no such session; resume it, or open a new one", None),
    (BadToken, 404, "unknown-session", "this server has no such session; resume it, or open a new one", None),
    (SessionExpired, 410, "expired", None, None),
    (ChunkMissing, 410, "expired", "its snapshot is no longer in the catalogue", None),
    (Damaged, 410, "expired", "its list is damaged in the catalogue, and is made anew; resume the session", None),
    (CatalogueError, 503, "catalogue", "the catalogue cannot be read at the moment", 5),
    (MemoryError, 503, "memory-limit", "the server is short of memory", 5),
    (OutOfOrder, 409, "out-of-order", None, None),
    (WindowClosed, 409, "resumed", "the session was resumed by another request", None),
)


def api_error(error: BaseException) -> ApiError | None:
    """Translate an error by the table; ``None`` if a client must not see it."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Denied):
        return ApiError(503, error.code, str(error), error.retry_after)
    for kind, status, code, message, retry_after in TABLE:
        if isinstance(error, kind):
            return ApiError(status, code, (message or "{error}").format(error=error), retry_after)
    return None


def json_response(request: IRequest, document: Any, code: int | None = None) -> bytes:
    """
    Set a JSON document as the response to a request.

    :param code: the HTTP status; ``None``: the status that is already set.
    :return: the body.
    """
    if code is not None:
        request.setResponseCode(code)
    body = encode_json(document)
    request.setHeader("Content-Type", JSON)
    request.setHeader("Content-Length", str(len(body)))
    return body


def json_object(request: Any) -> dict[str, Any]:
    """
    Parse a request's body.

    :raises ApiError: if it is not a JSON object.
    """
    try:
        body = parse_json(request.content.read())
    except MalformedJson as error:
        raise ApiError(400, "malformed", f"the body cannot be read: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "malformed", "the body must be a JSON object")
    return body


def text_member(body: Mapping[str, Any], name: str, is_needed: bool = True) -> str:
    """
    Return a member of a request's body that is a string.

    :param is_needed: whether it must be there; else it may also be ``null``, and is empty then.
    :raises ApiError: if it is not a string.
    """
    value = body.get(name)
    if value is None and not is_needed:
        return ""
    if not isinstance(value, str):
        raise ApiError(400, "malformed", f'"{name}" must be a string')
    return value


def accepts_gzip(request: IRequest) -> bool:
    """Return whether a client accepts gzip (RFC 9110 §12.5.3); a quality for ``gzip`` goes before one for ``*``."""
    qualities = {}
    for coding in (request.getHeader("Accept-Encoding") or "").lower().split(","):
        name, _, quality = coding.partition(";")
        qualities[name.strip()] = quality.replace(" ", "")
    return qualities.get("gzip", qualities.get("*", "q=0")) not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
