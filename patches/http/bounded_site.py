"""
The site of an HTTP server: it accepts connections within a memory budget, and ends those that hold it for nothing.

Each connection is granted the same bytes, whatever its client sends; see :mod:`.bounded_channel`. If none are left, the
connection that has been idle for longest makes room; if none is idle, the newcomer is refused with ``503``. A request
must be whole within a time, and only so many may be half read at once: beyond that, the oldest is refused.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Site

from patches.http.bounded_channel import BoundedChannel
from patches.http.bounded_request import BoundedRequest, closing_answer
from patches.http.client_hello import forget_guard, guard_handshake, tls_below
from patches.http.turns import Turns
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, HANDSHAKE_BYTES, TLS_BYTES, Budget

log = Logger()

#: The seconds after which the rest of a request must have arrived.
REQUEST_SECONDS = 10.0
#: The most requests that are half read at once.
MOST_HALF_READ = 1024
#: The seconds that a connection must have been idle before it makes room for another.
LEAST_IDLE_SECONDS = 1.0
#: How many connections that were refused are closed only when their clients have read the answer, and the longest time
#: for that in seconds. An answer to a client that still writes is lost if the connection is closed at once.
MOST_CLOSING, CLOSING_SECONDS = 256, 2.0
#: Of encrypted connections, which have no granted memory then.
MOST_CLOSING_TLS = 32
#: How long the responses in progress may take when a server stops, in seconds.
DRAIN_SECONDS = 1.2
#: How often the number of clients that were silent is logged, in seconds.
SUMMARY_SECONDS = 60.0
_BUSY = b"503 Service Unavailable"
_RETRY = (b"Retry-After", b"10")
_NO_CONNECTION = "the memory limit allows no further connection"


class RefusingProtocol(Protocol):
    """Sends 503 to a client for whose connection there is no memory, and closes the connection."""

    transport: Any

    def __init__(self, site: BoundedSite) -> None:
        self._site = site

    def connectionMade(self) -> None:
        """Write the response without reading the request."""
        now = self._site.wall()
        self.transport.write(closing_answer(_BUSY, "memory-limit", _NO_CONNECTION, _RETRY, now=now))
        self._site.close_gently(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self._site.note_closed(self)

    def loseConnection(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()


class BoundedSite(Site):
    """
    Creates channels while the budget has room for them.

    :param idle_seconds: the time that a connection may be silent, or take to accept a response.
    :param request_seconds: the time within which a request must be whole.
    :ivar wall: returns the time of day, in seconds since the epoch.
    :ivar kept_fields: the header fields that resources read, in lower case.
    :ivar max_body: the longest body, in bytes.
    :ivar channels: the connections.
    :ivar turns: the connections whose next request waits for its turn.
    :ivar timed_out: the number of clients that were silent for too long, since the last summary.
    :ivar misdirected: the number of clients that did not speak TLS where it is needed, or did where it is not, since
        the last summary.
    :ivar ended: the number of connections that were ended: ``displaced`` (idle, for a newcomer), ``overdue`` (a request
        was not whole in time), ``crowded`` (too many were half read), ``shed`` (by the governor), ``refused``.
    """

    protocol: Any = BoundedChannel
    noisy = False  # or Twisted logs when it starts
    kept_fields: frozenset[bytes] = frozenset()
    max_body = 1024

    def __init__(
        self,
        resource: Any,
        budget: Budget,
        clock: IReactorTime,
        idle_seconds: int = 30,
        request_seconds: float = REQUEST_SECONDS,
        requestFactory: Any = BoundedRequest,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(resource, timeout=idle_seconds, reactor=clock, requestFactory=requestFactory)
        self.wall = wall
        self.channels: set[BoundedChannel] = set()
        self.turns = Turns(clock)
        self.timed_out = self.misdirected = 0
        self.ended: Counter[str] = Counter()
        self._budget = budget
        self._clock = clock
        self._request_seconds = request_seconds
        self._idle: dict[BoundedChannel, float] = {}
        self._half_read: dict[BoundedChannel, float] = {}
        self._closing: dict[Protocol, Any] = {}
        self._summarized = clock.seconds()

    def __len__(self) -> int:
        return len(self.channels)

    @property
    def half_read(self) -> int:
        """The number of requests that have begun, and are not yet whole."""
        return len(self._half_read)

    # Connections

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Accept a connection, if the budget has room for it."""
        if not self._grant(CONNECTION_BYTES):
            self.ended["refused"] += 1
            return RefusingProtocol(self)
        channel: Any = super().buildProtocol(addr)
        channel.site = self
        channel.granted = CONNECTION_BYTES
        self.channels.add(channel)
        return channel

    def _grant(self, size: int) -> bool:
        """Take bytes for a connection, for which idle ones may have to make room. Return whether they were granted."""
        while not self._budget.take(CONNECTIONS, size):
            if CONNECTIONS in self._budget.closed or not self._displace():
                return False
        return True

    def _displace(self) -> bool:
        """End the connection that has been idle for longest. Return whether there is one."""
        latest = self._clock.seconds() - LEAST_IDLE_SECONDS
        for channel, since in list(islice(self._idle.items(), 16)):
            if since > latest:
                return False
            del self._idle[channel]  # a response that is not yet taken: it is idle again when it is
            if channel.gives_way:
                self.ended["displaced"] += 1
                self._end(channel, "other connections need its memory")
                return True
        return False

    def _end(self, channel: BoundedChannel, message: str) -> None:
        """End a connection without a request, or with one that is half read; its memory is free from now on."""
        if channel.is_half_read:
            channel.refuse(_BUSY, "memory-limit", message, _RETRY)
        elif channel.isSecure():
            self.close_gently(channel)
        else:
            channel.loseConnection()
        self._release(channel)

    def note_made(self, channel: BoundedChannel) -> None:
        """Note that a connection is made; one that is encrypted needs more memory."""
        if channel.isSecure():
            if not self._grant(TLS_BYTES + HANDSHAKE_BYTES):
                self.ended["refused"] += 1
                channel.refuse(_BUSY, "memory-limit", _NO_CONNECTION, _RETRY)
                return
            channel.granted += TLS_BYTES + HANDSHAKE_BYTES
            tls = tls_below(channel.transport)
            if tls is not None:
                guard_handshake(tls, tls.abortConnection, lambda: self._answer_plain(channel, tls))
        self._idle[channel] = self._clock.seconds()

    def _answer_plain(self, channel: BoundedChannel, tls: Any) -> None:
        """Answer a client that does not speak TLS, past the TLS of its connection; then close that."""
        self.misdirected += 1
        self._idle.pop(channel, None)
        below = tls.transport
        below.write(closing_answer(b"400 Bad Request", "malformed", "this port needs TLS", now=self.wall()))
        if len(self._closing) < MOST_CLOSING and hasattr(below, "loseWriteConnection"):
            self._closing[channel] = self._clock.callLater(CLOSING_SECONDS, tls.abortConnection)
            below.unregisterProducer()
            below.loseWriteConnection()
        else:
            below.loseConnection()

    def note_handshake(self, channel: BoundedChannel) -> None:
        """Note that the handshake of an encrypted connection is done."""
        if channel in self.channels and channel.granted > CONNECTION_BYTES + TLS_BYTES:
            channel.granted -= HANDSHAKE_BYTES
            self._budget.release(CONNECTIONS, HANDSHAKE_BYTES)

    def note_read(self, channel: BoundedChannel) -> None:
        """Note what a connection has now: a request that is half read, one that is being answered, or none."""
        if channel not in self.channels:
            return
        if channel.is_half_read and not channel.refused:
            self._half_read.setdefault(channel, self._clock.seconds())
            if len(self._half_read) > MOST_HALF_READ:
                self.ended["crowded"] += 1
                next(iter(self._half_read)).refuse(_BUSY, "memory-limit", "too many requests are half read", _RETRY)
            return
        self._half_read.pop(channel, None)
        self._idle.pop(channel, None)
        if not channel.is_answering:
            self._idle[channel] = self._clock.seconds()

    def note_gone(self, channel: BoundedChannel) -> None:
        """Note that a connection is lost."""
        tls = tls_below(channel.transport)
        if tls is not None:
            forget_guard(tls)
        self.note_closed(channel)
        self._release(channel)

    def _release(self, channel: BoundedChannel) -> None:
        """Release what a connection was granted."""
        self._idle.pop(channel, None)
        self._half_read.pop(channel, None)
        if channel in self.channels:
            self.channels.remove(channel)
            self._budget.release(CONNECTIONS, channel.granted)

    # Endings

    def close_gently(self, protocol: Any) -> None:
        """Close a connection after its last answer; read on for a moment, so that the client gets this answer."""
        self._half_read.pop(protocol, None)
        transport = protocol.transport
        # A transport that wraps another one may have all methods of that; TLS itself knows no half-closed connection.
        is_plain = hasattr(transport, "loseWriteConnection") and ISSLTransport(transport, None) is None
        if len(self._closing) >= MOST_CLOSING and is_plain:
            protocol.loseConnection()
            return
        # Over TLS an answer waits for the handshake, which may never come. A connection that is being made stays open.
        seconds = CLOSING_SECONDS if is_plain or len(self._closing) < MOST_CLOSING_TLS else 0
        self._closing[protocol] = self._clock.callLater(seconds, transport.abortConnection)
        if is_plain:
            transport.unregisterProducer()
            transport.loseWriteConnection()
            transport.resumeProducing()
        else:
            protocol.loseConnection()

    def note_closed(self, protocol: Protocol) -> None:
        """Note that a connection is closed."""
        closing = self._closing.pop(protocol, None)
        if closing is not None and closing.active():
            closing.cancel()

    def shed_half_read(self, most: int) -> int:
        """Refuse the requests that began to arrive last, so many at most. Return their number."""
        return self._shed(list(islice(reversed(self._half_read), most)))

    def shed_idle(self, most: int) -> int:
        """Close the connections that have been idle for longest, so many at most. Return their number."""
        return self._shed([channel for channel in islice(self._idle, most) if channel.is_idle])

    def _shed(self, channels: list[BoundedChannel]) -> int:
        for channel in channels:
            self.ended["shed"] += 1
            self._end(channel, "the memory limit is near")
        return len(channels)

    def tick(self) -> None:
        """Refuse the requests that are not whole in time; once a minute, log how many clients were silent."""
        now = self._clock.seconds()
        for channel, since in list(self._half_read.items()):
            if since > now - self._request_seconds:
                break
            self.ended["overdue"] += 1
            self.timed_out += 1
            channel.refuse(
                b"408 Request Timeout", "timeout", f"the request was not whole within {self._request_seconds:g} s"
            )
        if now - self._summarized >= SUMMARY_SECONDS and (self.timed_out or self.misdirected):
            self._summarize()
            self._summarized = now

    def _summarize(self) -> None:
        if self.timed_out:
            log.info("{count} clients were silent for too long; their connections were closed", count=self.timed_out)
        if self.misdirected:
            text = "{count} clients spoke HTTP to a port that needs TLS, or TLS to one that has none"
            log.info(text, count=self.misdirected)
        self.timed_out = self.misdirected = 0

    def log(self, request: Any) -> None:
        """Write no access log: it would name sessions, and cost more than most responses."""

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Finish the responses that are in progress, for a bounded time; then close all connections."""
        step = 0.05
        while seconds > 0 and self.channels:
            for channel in list(self.channels):
                if channel.is_idle:
                    channel.loseConnection()
            await deferLater(self._clock, step)
            seconds -= step
        for channel in list(self.channels):
            channel.transport.abortConnection()
