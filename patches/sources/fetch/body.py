"""Bodies of HTTP answers that go to a file as they come, and are summed up on their way."""

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

    :ivar size: how many bytes.
    """

    hashes: dict[str, Any]
    size: int = 0

    @classmethod
    def of_nothing(cls, algorithms: Iterable[str]) -> RunningChecksums:
        """Begin."""
        return cls({name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", *algorithms}})

    @classmethod
    def of_file(cls, path: Path, algorithms: Iterable[str]) -> RunningChecksums:
        """Sum up what is in a file; blocks for long."""
        sums = cls.of_nothing(algorithms)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sums.add(block)
        return sums

    def add(self, data: bytes) -> None:
        """Count further bytes."""
        self.size += len(data)
        for summed in self.hashes.values():
            summed.update(data)

    def digest(self, algorithm: str) -> str:
        """Give a checksum, in hexadecimal."""
        digest: str = self.hashes[algorithm].hexdigest()
        return digest


class _ToFile(Protocol):
    """Writes a body to a file; its end, or a failure, fires ``finished``, whose cancellation closes the connection."""

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
        self._timer.reset(self._quiet_seconds)
        try:
            if self._sums.size + len(data) > self._max_size:
                raise BodyTooLong(f"is longer than {self._max_size} bytes")
            self._file.write(data)
            self._sums.add(data)
        except (BodyTooLong, OSError):
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
    """A body that nobody reads."""

    def connectionMade(self) -> None:
        _close(self)


def _close(protocol: Protocol) -> None:
    if protocol.transport is not None:
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
    Write the body of an answer to a file.

    :param sums: of what is in the file already; the body is counted too.
    :param max_size: how long the file may become; the connection is closed as soon as there is more.
    :param quiet_seconds: how long nothing may come.
    :return: whether HTTP told where the end is; if not, it may have been cut.
    :raises BodyTooLong: at once.
    :raises RequestTimedOut: if nothing came for too long.
    :raises OSError: if it cannot be written.
    """
    body = _ToFile(file, sums, max_size, clock, quiet_seconds)
    response.deliverBody(body)
    return body.finished


def discard_body(response: IResponse) -> None:
    """Do without the body of an answer."""
    response.deliverBody(_Unwanted())
