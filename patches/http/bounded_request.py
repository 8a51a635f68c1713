"""Requests with bodies of bounded size."""

from __future__ import annotations

import re
from typing import Any, AnyStr
from urllib.parse import unquote_to_bytes

from twisted.web import server

from patches.wire import JSON, encode_json, error_document

#: The characters of a host and its port (RFC 3986 section 3.2.2); it may be empty.
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")

#: An absolute form of a target, of which servers take what an origin form would have (RFC 9112 section 3.2.2).
_ABSOLUTE = re.compile(rb"(?i:https?)://[^/?#]+")
#: The most segments of a path, and parameters of a query: their values are kept while a request waits.
MOST_SEGMENTS, MOST_PARAMETERS = 32, 32


class BoundedRequest(server.Request):
    """
    A request that is refused with ``413`` and disconnected as soon as its body is longer than its site's ``max_body``.
    """

    channel: Any
    _body_bytes = 0
    _refused = False

    def handleContentChunk(self, data: bytes) -> None:
        """Add a piece of the body, unless the body becomes too long."""
        self._body_bytes += len(data)
        if self._body_bytes <= self.max_body:
            super().handleContentChunk(data)
        elif not self._refused:
            self._refused = True
            self._refuse()

    @property
    def max_body(self) -> int:
        """The longest body, in bytes."""
        return int(self.channel.site.max_body)

    def gotLength(self, length: int | None) -> None:
        """
        Limit the announced length to the longest body.

        By this length Twisted chooses between memory and a temporary file: bodies are small, and never touch the disk.
        """
        super().gotLength(min(length, self.max_body) if length else length)

    def setHeader(self, name: bytes | str, value: bytes | str) -> None:
        """Set a header field of the response; ``Server`` does not tell which version of which library this is."""
        super().setHeader(name, b"Patches" if name == b"Server" else value)

    def getHeader(self, key: AnyStr) -> AnyStr | None:
        """Return the last value of a header field; as text, bytes outside ASCII are read as ISO 8859-1."""
        if isinstance(key, bytes):
            return super().getHeader(key)
        value = super().getHeader(key.encode("ascii"))
        return value.decode("latin-1") if value is not None else None

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, unless it was refused or cannot be routed."""
        if self._refused or self.channel.refused:
            return
        target = _origin_form(path)
        problem = self._problem(command, target, version)
        if problem is None:
            super().requestReceived(command, target, version)
        else:
            self._turn_away(*problem)

    def _problem(self, command: bytes, path: bytes, version: bytes) -> tuple[bytes, str, str] | None:
        """Return status, code and message for a request that is malformed, or that no resource may be asked about."""
        hosts = self.requestHeaders.getRawHeaders(b"Host") or []
        needed = 1 if version == b"HTTP/1.1" else 0
        if not needed <= len(hosts) <= 1 or not all(map(_HOST.fullmatch, hosts)):  # RFC 9112 section 3.2
            return b"400 Bad Request", "malformed", "a request must have exactly one Host, with the name of a host"
        if not path.startswith(b"/"):
            return b"400 Bad Request", "malformed", "the target must be a path"
        if path.count(b"&") >= MOST_PARAMETERS:
            return b"400 Bad Request", "malformed", f"a request may have {MOST_PARAMETERS} parameters"
        if path.partition(b"?")[0].count(b"/") > MOST_SEGMENTS:
            return b"404 Not Found", "not-found", "Not Found"
        if not _is_utf8(command + b" " + unquote_to_bytes(path)):
            return b"400 Bad Request", "malformed", "the path is not UTF-8"
        if unquote_to_bytes(path).startswith(b"//"):  # routing would ignore the first slash
            return b"404 Not Found", "not-found", "Not Found"
        return None

    def _refuse(self) -> None:
        message = f"the body is longer than {self.max_body} bytes"
        self._turn_away(b"413 Content Too Large", "too-large", message)

    def _turn_away(self, status: bytes, code: str, message: str) -> None:
        self.channel.refuse(status, code, message)


def _origin_form(target: bytes) -> bytes:
    """Return the path and the query of a target."""
    found = _ABSOLUTE.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def closing_answer(status: bytes, code: str, message: str, *fields: tuple[bytes, Any]) -> bytes:
    """
    Return a complete HTTP error response that closes its connection, for requests that are refused before routing.
    """
    body = encode_json(error_document(code, message))
    head = [
        (b"Content-Type", JSON.encode("ascii")),
        (b"Content-Length", b"%d" % len(body)),
        (b"Connection", b"close"),
        *fields,
    ]
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in head) + b"\r\n" + body
