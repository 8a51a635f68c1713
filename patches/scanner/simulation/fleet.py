"""A fleet of simulated scanners over non-blocking sockets, each with a connection of its own."""

from __future__ import annotations

import heapq
import selectors
import socket
import time
from collections.abc import Callable
from itertools import count

from attrs import define

from patches.scanner.simulation.simulated_scanner import SimulatedScanner

#: How many bytes are read at once.
_READ_BYTES = 256 * 1024
#: How many connections are being opened at a time, so that the server's backlog takes them.
_CONNECTING_AT_ONCE = 40
#: How often the progress is told, in seconds.
_PROGRESS_SECONDS = 0.5


@define(eq=False)
class _Line:
    """
    A connection and its scanner.

    :ivar waits: whether the scanner has an answer, and makes its next request later.
    """

    scanner: SimulatedScanner
    socket: socket.socket
    connected: bool = False
    waits: bool = False
    closed: bool = False


class Fleet:
    """
    Runs simulated scanners until all have ended.

    :param address: the address of the server: family and socket address.
    :param scanners: those that read.
    :param clock: returns the time in seconds.
    """

    def __init__(
        self,
        address: tuple[socket.AddressFamily, tuple[str, int]],
        scanners: list[SimulatedScanner],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._family, self._address = address
        self._scanners = scanners
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._waiting: list[tuple[float, int, _Line]] = []
        self._numbers = count()
        self._connecting = 0

    def run(self, seconds: float, progress: Callable[[int], None] = lambda ended: None) -> None:
        """
        Run until all scanners have ended, or until the time is over: the others have then a problem.

        :param progress: called now and then with the number of scanners that have ended.
        """
        deadline, told, ending = self._clock() + seconds, 0.0, "it did not end in time"
        new = iter(self._scanners)
        self._left = len(self._scanners)
        try:
            while self._left:
                while self._connecting < _CONNECTING_AT_ONCE and (scanner := next(new, None)) is not None:
                    self._connect(scanner)
                now = self._clock()
                if now >= deadline:
                    break
                if now - told >= _PROGRESS_SECONDS:
                    told = now
                    progress(len(self._scanners) - self._left)
                self._turn(now, min(deadline, self._waiting[0][0] if self._waiting else deadline))
        except KeyboardInterrupt:
            ending = "it was interrupted"
            raise
        finally:
            self._close()
            for scanner in self._scanners:
                if scanner.ended is None:
                    scanner.end(ending, self._clock())
            progress(len(self._scanners) - self._left)

    def _turn(self, now: float, until: float) -> None:
        for key, events in self._selector.select(min(max(0.0, until - now), _PROGRESS_SECONDS)):
            line: _Line = key.data
            try:
                self._send(line) if events & selectors.EVENT_WRITE else self._receive(line)
            except OSError as error:
                self._lose(line, f"connection lost: {error.strerror or error}")
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            line = heapq.heappop(self._waiting)[2]
            if line.closed:
                self._connect(line.scanner)
            else:
                line.waits = False
                self._ask(line)

    def _connect(self, scanner: SimulatedScanner) -> None:
        line = _Line(scanner, socket.socket(self._family, socket.SOCK_STREAM))
        line.socket.setblocking(False)
        if not scanner.denials:
            scanner.started = self._clock()
        self._connecting += 1
        line.socket.connect_ex(self._address)
        self._selector.register(line.socket, selectors.EVENT_WRITE, line)

    def _send(self, line: _Line) -> None:
        if not line.connected:
            line.connected = True
            self._connecting -= 1
        error = line.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, socket.errno.errorcode.get(error, str(error)))  # type: ignore[attr-defined]
        self._selector.modify(line.socket, selectors.EVENT_READ, line)
        self._ask(line)

    def _ask(self, line: _Line) -> None:
        # A request is far smaller than a socket's send buffer, which is empty: it goes out whole.
        line.socket.send(line.scanner.request())

    def _receive(self, line: _Line) -> None:
        data, now = line.socket.recv(_READ_BYTES), self._clock()
        if not data:
            self._lose(line, "the server closed the connection")
        elif line.scanner.receive(data, now):
            if line.scanner.ended is not None:
                self._finish(line)
            elif line.scanner.due > now:
                line.waits = True
                heapq.heappush(self._waiting, (line.scanner.due, next(self._numbers), line))
            else:
                self._ask(line)

    def _lose(self, line: _Line, problem: str) -> None:
        if line.waits:  # the server has answered, and closed: the scanner comes back when it is due
            self._hang_up(line)
        else:
            line.scanner.end(problem, self._clock())
            self._finish(line)

    def _finish(self, line: _Line) -> None:
        self._connecting -= not line.connected
        self._hang_up(line)
        self._left -= 1

    def _hang_up(self, line: _Line) -> None:
        self._selector.unregister(line.socket)
        line.socket.close()
        line.closed = True

    def _close(self) -> None:
        for key in list((self._selector.get_map() or {}).values()):
            key.data.socket.close()
        self._selector.close()
