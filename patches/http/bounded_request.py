"""Requests with bodies of bounded size."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.web import server

from patches.wire import JSON, encode_json, error_document


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

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, unless it was refused, or its path is not UTF-8 and thus cannot be that of a resource."""
        if self._refused:
            return
        try:
            (command + b" " + unquote_to_bytes(path)).decode("utf-8")
        except UnicodeDecodeError:
            self._turn_away(b"400 Bad Request", "malformed", "the path is not UTF-8")
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        message = f"the body is longer than {self.max_body} bytes"
        self._turn_away(b"413 Content Too Large", "too-large", message)

    def _turn_away(self, status: bytes, code: str, message: str) -> None:
        self.channel.transport.write(closing_answer(status, code, message))
        self.channel.loseConnection()


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
