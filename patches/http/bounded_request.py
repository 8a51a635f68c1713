"""Requests with bodies of bounded size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, AnyStr
from urllib.parse import unquote_to_bytes

from attrs import frozen
from twisted.web import server
from twisted.web.http import datetimeToString

from patches.http.authority import is_authority, is_host_field
from patches.wire import JSON, encode_json, error_document

#: What the field ``Server`` says.
SERVER = b"Patches"
#: An absolute form of a target, of which servers take what an origin form would have (RFC 9112 section 3.2.2).
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)")
#: The most segments of a path, and parameters of a query: their values are kept while a request waits.
MOST_SEGMENTS, MOST_PARAMETERS = 32, 32
#: The target of a request that is about the server itself (RFC 9112 section 3.2.4).
ASTERISK = b"*"


@frozen
class Problem:
    """
    The reason why a request is not routed.

    :ivar is_malformed: whether others may read the request differently; then its connection is closed. Else it is
        framed well, and the connection goes on.
    """

    status: bytes
    code: str
    message: str
    is_malformed: bool = False


_NOT_FOUND = Problem(b"404 Not Found", "not-found", "Not Found")


class BoundedRequest(server.Request):
    """
    A request that is refused with ``413`` and disconnected as soon as its body is longer than its site's ``max_body``.
    """

    channel: Any
    _body_bytes = 0
    _refused = False
    _problem: Problem | None = None

    def handleContentChunk(self, data: bytes) -> None:
        """Add a piece of the body, unless the body becomes too long."""
        self._body_bytes += len(data)
        if self._body_bytes <= self.max_body:
            super().handleContentChunk(data)
        else:
            self._refuse_once()

    @property
    def max_body(self) -> int:
        """The longest body, in bytes."""
        return int(self.channel.site.max_body)

    def gotLength(self, length: int | None) -> None:
        """
        Limit the announced length to the longest body; refuse a longer one before any of it is sent.

        By this length Twisted chooses between memory and a temporary file: bodies are small, and never touch the disk.
        """
        super().gotLength(min(length, self.max_body) if length else length)
        if length is not None and length > self.max_body:
            self._refuse_once()

    def setHeader(self, name: bytes | str, value: bytes | str) -> None:
        """Set a header field of the response; ``Server`` does not tell which version of which library this is."""
        super().setHeader(name, SERVER if name == b"Server" else value)

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
        hosts = self.requestHeaders.getRawHeaders(b"Host") or []
        target = _routed_target(command, path)
        self._problem = _problem_of_hosts(hosts, version) or _problem_of_target(command, target)
        if self._problem is None:
            super().requestReceived(command, target, version)
        elif self._problem.is_malformed:
            self._turn_away(self._problem.status, self._problem.code, self._problem.message)
        else:
            super().requestReceived(command, target.partition(b"?")[0], version)

    def process(self) -> None:
        """Route the request, or answer why it cannot be routed."""
        if self._problem is not None:
            self.answer_error(self._problem.status, self._problem.code, self._problem.message)
        elif self.path == ASTERISK:
            self._ask_server()
        else:
            super().process()

    def _ask_server(self) -> None:
        """Ask the root of the resources, as no path leads to any; Twisted's answer would not say what is allowed."""
        self.site = self.channel.site
        self.prepath, self.postpath = [], []
        self.setHeader(b"Server", SERVER)
        self.setHeader(b"Date", datetimeToString(self.channel.site.wall()))
        self.render(self.site.resource)

    def answer_error(self, status: bytes, code: str, message: str, *fields: tuple[bytes, bytes]) -> None:
        """Answer a request that was received whole with an error; the connection goes on."""
        number, _, phrase = status.partition(b" ")
        self.setResponseCode(int(number), phrase)
        body = encode_json(error_document(code, message))
        for name, value in (*_fields_of_error(body, datetimeToString(self.channel.site.wall())), *fields):
            self.setHeader(name, value)
        self.write(body)
        self.finish()

    def _refuse_once(self) -> None:
        if not self._refused:
            self._refused = True
            self._refuse()

    def _refuse(self) -> None:
        message = f"the body is longer than {self.max_body} bytes"
        self._turn_away(b"413 Content Too Large", "too-large", message)

    def _turn_away(self, status: bytes, code: str, message: str) -> None:
        self.channel.refuse(status, code, message)


def _routed_target(command: bytes, target: bytes) -> bytes:
    """Return the path and the query of a target; an absolute form whose authority is malformed is returned as it is."""
    found = _ABSOLUTE.match(target)
    if found is None or not is_authority(found[1]):
        return target
    rest = target[found.end() :]
    if not rest and command == b"OPTIONS":
        return ASTERISK
    return rest if rest.startswith(b"/") else b"/" + rest


def _problem_of_hosts(hosts: Sequence[bytes], version: bytes) -> Problem | None:
    """Return what is wrong with the fields ``Host`` (RFC 9112 section 3.2), whatever the form of the target."""
    needed = 1 if version == b"HTTP/1.1" else 0
    if needed <= len(hosts) <= 1 and all(map(is_host_field, hosts)):
        return None
    return _malformed("a request must have exactly one Host, with the name of a host")


def _problem_of_target(command: bytes, target: bytes) -> Problem | None:
    """Return what is wrong with a target, or why no resource may be asked about it."""
    if target == ASTERISK and command == b"OPTIONS":
        return None
    if not target.startswith(b"/"):
        return _malformed("the target must be a path, or a URL of http or https with the name of a host")
    if target.count(b"&") >= MOST_PARAMETERS:
        return Problem(b"400 Bad Request", "malformed", f"a request may have {MOST_PARAMETERS} parameters")
    if target.partition(b"?")[0].count(b"/") > MOST_SEGMENTS:
        return _NOT_FOUND
    if not _is_utf8(command + b" " + unquote_to_bytes(target)):
        return Problem(b"400 Bad Request", "malformed", "the path is not UTF-8")
    if unquote_to_bytes(target).startswith(b"//"):  # routing would ignore the first slash
        return _NOT_FOUND
    return None


def _malformed(message: str) -> Problem:
    return Problem(b"400 Bad Request", "malformed", message, is_malformed=True)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def closing_answer(
    status: bytes, code: str, message: str, *fields: tuple[bytes, bytes], now: float, head_only: bool = False
) -> bytes:
    """
    Return a complete HTTP error response that closes its connection, for requests that are refused before routing.

    :param now: the time of day, in seconds since the epoch.
    :param head_only: whether the request is ``HEAD``, whose response has no body (RFC 9110 section 9.3.2).
    """
    body = encode_json(error_document(code, message))
    head = [*_fields_of_error(body, datetimeToString(now)), (b"Connection", b"close"), *fields]
    lines = b"".join(b"%s: %s\r\n" % pair for pair in head)
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n" + (b"" if head_only else body)


def _fields_of_error(body: bytes, date: bytes) -> list[tuple[bytes, bytes]]:
    length = b"%d" % len(body)
    return [(b"Server", SERVER), (b"Date", date), (b"Content-Type", JSON.encode("ascii")), (b"Content-Length", length)]
