"""Bodies of HTTP responses that are written to a file as they arrive, with their checksums computed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

from patches.http.response_body import BodyTooLong
from patches.sources.fetch.retry import RequestTimedOut

_BLOCK = 1 << 20


@define(eq=False)
class RunningChecksums:
    """
    The checksums of the first bytes of a file.

    :ivar size: the number of bytes.
    """

    hashes: dict[str, Any]
    size: int = 0

    @classmethod
    def of_nothing(cls, algorithms: Iterable[str]) -> RunningChecksums:
        """Create the checksums of an empty file."""
        return cls({name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", *algorithms}})

    @classmethod
    def of_file(cls, path: Path, algorithms: Iterable[str]) -> RunningChecksums:
        """Compute the checksums of a file; blocks for long."""
        sums = cls.of_nothing(algorithms)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sums.add(block)
        return sums

    def add(self, data: bytes) -> None:
        """Add further bytes."""
        self.size += len(data)
        for summed in self.hashes.values():
            summed.update(data)

    def digest(self, algorithm: str) -> str:
        """Return a checksum, in hexadecimal."""
        digest: str = self.hashes[algorithm].hexdigest()
        return digest


class _ToFile(Protocol):
    """Writes a body to a file; its end or a failure fires ``finished``; cancelling that closes the connection."""

    def __init__(
        self, file: BinaryIO, sums: RunningChecksums, max_size: int, clock: IReactorTime, quiet_seconds: float
    ) -> None:
        self._file = file
        self._sums = sums
        self._max_size = max_size
        self._quiet_seconds = quiet_seconds
        self._timer = clock.callLater(quiet_seconds, self._timed_out)
        self._over = False
        self.finished: Deferred[bool] = Deferred(lambda _: self._stop())

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        # The time-out is for silence, not for the whole body.
        self._timer.reset(self._quiet_seconds)
        try:
            if self._sums.size + len(data) > self._max_size:
                raise BodyTooLong(f"is longer than {self._max_size} bytes")
            self._file.write(data)
            self._sums.add(data)
        except (BodyTooLong, OSError):
            # Stopped first: connectionLost, which follows, must not fire ``finished`` again.
            self._stop()
            self.finished.errback()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._over:
            return
        self._end()
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(reason.check(ResponseDone) is not None)
        else:
            self.finished.errback(reason)

    def _timed_out(self) -> None:
        self._stop()
        self.finished.errback(RequestTimedOut(self._quiet_seconds))

    def _end(self) -> None:
        self._over = True
        if self._timer.active():
            self._timer.cancel()

    def _stop(self) -> None:
        self._end()
        _close(self)


class _Unwanted(Protocol):
    """Closes the connection of a body that is not wanted."""

    def connectionMade(self) -> None:
        _close(self)


def _close(protocol: Protocol) -> None:
    if protocol.transport is not None:
        # loseConnection waits until unsent data is written; not every transport can abort.
        close = getattr(protocol.transport, "abortConnection", protocol.transport.loseConnection)
        close()


def write_body(
    response: IResponse,
    file: BinaryIO,
    sums: RunningChecksums,
    max_size: int,
    clock: IReactorTime,
    quiet_seconds: float,
) -> Deferred[bool]:
    """
    Write the body of a response to a file.

    :param sums: the checksums of the bytes that are in the file already; the body is added to them.
    :param max_size: the longest length of the file; the connection is closed at the first byte beyond it.
    :param quiet_seconds: the longest time in which no data may arrive.
    :return: whether HTTP marked the end of the body; if not, it may be cut off.
    :raises BodyTooLong: as soon as the file is too long.
    :raises RequestTimedOut: if no data arrived for too long.
    :raises OSError: if the file cannot be written.
    """
    body = _ToFile(file, sums, max_size, clock, quiet_seconds)
    response.deliverBody(body)
    return body.finished


def discard_body(response: IResponse) -> None:
    """Discard the body of a response and close its connection."""
    response.deliverBody(_Unwanted())
