"""
A connection of an HTTP server, with ceilings on what its client sends before a request is handled.

Fields that nobody reads are checked, counted and dropped, so that a connection takes the same memory whatever its
client sends: a request that is half read holds its line, the fields that are kept, and its body. The reasons for which
a request is refused are answered as JSON, like every other error.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request
from zope.interface import implementer

from patches.http.bounded_request import closing_answer

#: The most bytes of a request before its body, and the most header fields.
MOST_HEAD_BYTES, MOST_FIELDS = 4 * 1024, 40
#: The longest target of a request, in bytes: what else its head needs has room beside it.
MOST_TARGET_BYTES = 4_000
#: The most bytes of the trailer section of a chunked body, and of the extensions of one chunk.
MOST_TRAILER_BYTES = 1024
#: The fields that are kept: those by which HTTP itself works. Sites add those that their resources read.
KEPT = frozenset((b"connection", b"content-length", b"expect", b"host", b"transfer-encoding"))

#: A header field: a token, directly followed by the colon, and a value without NUL, CR and LF (RFC 9110 section 5).
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*")
#: The end of a request line of another version: a later minor one is taken as the one that is spoken, and another major
#: one is refused (RFC 9110 section 2.5).
_OF_LATER_MINOR, _OF_OTHER_MAJOR = re.compile(rb" HTTP/1\.[2-9]\Z"), re.compile(rb" HTTP/[02-9]\.[0-9]\Z")
#: The byte with which a connection over TLS begins; no request does.
HANDSHAKE = b"\x16"
_TOO_LARGE = b"431 Request Header Fields Too Large"


@implementer(IHandshakeListener)
class BoundedChannel(HTTPChannel):
    """
    A connection whose requests have bounded heads.

    :ivar granted: the bytes of the budget that it holds.
    :ivar refused: whether a request was refused: then the connection is closed, and what follows is not read.
    """

    site: Any
    transport: Any
    MAX_LENGTH = MOST_HEAD_BYTES
    totalHeadersSize = 2 * MOST_HEAD_BYTES  # never reached: counted here, line ends included
    _optimisticEagerReadSize = 0  # while a request is answered, nothing is kept but what one read has brought
    abortTimeout = 5
    granted = 0
    refused = False
    _head_bytes = 0
    _fields = 0
    _method = b""

    def connectionMade(self) -> None:
        """Add this connection to those of the site."""
        super().connectionMade()
        self.site.note_made(self)

    def handshakeCompleted(self) -> None:
        """Note that an encrypted connection needs less memory from now on."""
        self.site.note_handshake(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Remove this connection from those of the site.

        What refers to this object in a circle is let go: thousands of connections that end in a second would else stay
        in memory until the garbage collector comes.
        """
        self.site.note_gone(self)
        super().connectionLost(reason)
        self._transferDecoder = None
        self.requests = []

    def dataReceived(self, data: bytes) -> None:
        """Parse what was received, unless a request was refused; note whether a request is half read now."""
        if self.refused:
            return
        if data[:1] == HANDSHAKE and not self.requests and not self._buffer:
            self.site.misdirected += 1
            self.refuse_malformed("this port does not speak TLS")
            return
        if self.paused:  # what one read has brought; more stays in the kernel
            self._buffer += data
            self._networkProducer.pauseProducing()
            return
        super().dataReceived(data)
        self.site.note_read(self)

    @property
    def is_half_read(self) -> bool:
        """Whether a request has begun, and is not yet whole."""
        return not self._handlingRequest and not self.paused and (bool(self.requests) or bool(self._buffer))

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered, or waits for its turn."""
        return self.paused or bool(self._handlingRequest and self.requests)

    @property
    def gives_way(self) -> bool:
        """Whether it may be ended for another connection."""
        return self.is_idle or self.is_half_read

    @property
    def is_idle(self) -> bool:
        """Whether there is no request, whole or half read, and no answer that is not yet taken."""
        return not self.requests and not self._buffer

    def lineReceived(self, line: bytes) -> None:
        """Parse a line of the head; a field that is continued in a further line (RFC 9112 section 5.2) is refused."""
        self._head_bytes += len(line) + 2
        if self.refused or not self.persistent:
            return
        if not self.requests:
            self._method = line.partition(b" ")[0]
            line = _OF_LATER_MINOR.sub(b" HTTP/1.1", line)
        if self._head_bytes > MOST_HEAD_BYTES or (not self.requests and _target_length(line) > MOST_TARGET_BYTES):
            self._refuse_long_head(line)
        elif line[:1] in (b" ", b"\t"):
            self.refuse_malformed("a header field is malformed")
        elif not self.requests and _OF_OTHER_MAJOR.search(line):
            self.refuse(b"505 HTTP Version Not Supported", "http-version", "this server speaks HTTP/1.1")
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long; what follows it may be there, too."""
        line = line.partition(b"\r\n")[0]
        if not self.requests:
            self._method = line.partition(b" ")[0]
        self._refuse_long_head(line)

    def _refuse_long_head(self, line: bytes) -> None:
        if self.requests:
            message = f"the head of a request is longer than {MOST_HEAD_BYTES} bytes"
            self.refuse(_TOO_LARGE, "head-too-large", message)
        elif _target_length(line) > MOST_TARGET_BYTES:  # RFC 9112 section 3
            message = f"the target of the request is longer than {MOST_TARGET_BYTES} bytes"
            self.refuse(b"414 URI Too Long", "target-too-long", message)
        else:
            self.refuse_malformed(f"the request line is longer than {MOST_HEAD_BYTES} bytes, and not by its target")

    def headerReceived(self, line: bytes) -> bool:
        """
        Parse a header field, or refuse the request: others may read the field differently, and find its body elsewhere.

        Twisted refuses most of these too, but not in every version.
        """
        name, _, value = line.partition(b":")
        name = name.lower()
        self._fields += 1
        if self._fields > MOST_FIELDS:
            self.refuse(_TOO_LARGE, "head-too-large", f"a request has more than {MOST_FIELDS} header fields")
        elif _FIELD.fullmatch(line) is None or (name == b"transfer-encoding" and not self._is_chunked(value)):
            self.refuse_malformed("a header field is malformed")
        elif name not in KEPT and name not in self.site.kept_fields:
            return True
        else:
            taken = bool(super().headerReceived(line))
            self._bound_trailer()
            return taken
        return False

    def _is_chunked(self, coding: bytes) -> bool:
        """Return whether a body is sent in the one transfer coding of HTTP/1.1; earlier versions have none."""
        return coding.strip(b" \t").lower() == b"chunked" and self._version == b"HTTP/1.1"

    def _bound_trailer(self) -> None:
        # Twisted's decoder keeps 64 KiB of a trailer that nobody reads.
        decoder: Any = self._transferDecoder
        if hasattr(decoder, "_maxTrailerHeadersSize"):
            decoder._maxTrailerHeadersSize = MOST_TRAILER_BYTES

    def allContentReceived(self) -> None:
        """Handle a request that is whole."""
        self._head_bytes = self._fields = 0
        super().allContentReceived()

    def refuse_malformed(self, message: str) -> None:
        """Refuse a request that is malformed."""
        self.refuse(b"400 Bad Request", "malformed", message)

    def refuse(self, status: bytes, code: str, message: str, *fields: tuple[bytes, Any]) -> None:
        """Refuse what is half read: send an error, and close the connection."""
        if self.refused:
            return
        self.refused = True
        now, head_only = self.site.wall(), self._method == b"HEAD"
        self.transport.write(closing_answer(status, code, message, *fields, now=now, head_only=head_only))
        self.site.close_gently(self)

    def _send100Continue(self) -> None:
        """Invite a body, unless its request is refused already."""
        if not self.refused:
            super()._send100Continue()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Answer what Twisted's parser refuses like every other error."""
        self.refuse_malformed("the request is malformed")

    def requestDone(self, request: Request) -> None:
        """Note that a request is answered; what follows may have to wait for its turn."""
        self._method = b""
        super().requestDone(request)
        if self._buffer and self.persistent and not self.paused and not self.site.turns.may_go_on():
            self.paused = True  # read by LineReceiver
            self._networkProducer.pauseProducing()
            self.site.turns.add(self)
        self.site.note_read(self)

    def take_turn(self) -> None:
        """Parse what waits, up to the end of a request."""
        self.paused = False
        if self in self.site.channels and not self.refused:
            self.dataReceived(b"")
            if not (self.paused or self._dataBuffer or self._waitingForTransport):
                self._networkProducer.resumeProducing()

    def timeoutConnection(self) -> None:
        """Close a connection that is silent; the site counts them, and logs their number."""
        self.site.timed_out += 1
        self._abortingCall = self.callLater(self.abortTimeout, self.forceAbortClient)
        self.loseConnection()

    def forceAbortClient(self) -> None:
        """Close a connection whose client does not take what is written."""
        self._abortingCall = None
        self.transport.abortConnection()


def _target_length(line: bytes) -> int:
    """Return the length of the target in a request line, of which the end may be missing."""
    return len(line.partition(b" ")[2].partition(b" ")[0])
