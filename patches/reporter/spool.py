"""
The admission of what senders want the reporter to keep: bodies in progress, their bytes, and reports a minute.

Theory of operation. A body is kept on the disk, so that memory does not grow with it, and the disk is limited: the
first mebibyte of each body always has room, what is beyond it is granted from one share for all. If too many bodies are
in progress, the slowest one makes room, if it is so slow that its sender only holds the place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from attrs import define, field, frozen

_MIB = 1024 * 1024
#: The most bodies in progress, and the bytes of all of them beyond the first mebibyte of each.
MOST_BODIES = 256
MOST_SPOOLED_BYTES = 512 * _MIB
_FREE_BYTES = _MIB
#: A body that is as old as this and slower than that, in bytes a second, makes room for others.
_GRACE_SECONDS = 5.0
_SLOW = 16 * 1024
#: The most addresses whose reports are counted.
MOST_ADDRESSES = 16_384


def _always() -> bool:
    return True


@frozen
class Refusal:
    """
    The reason why a request is not taken now.

    :ivar status: of the response, with its words.
    :ivar retry_after: in seconds.
    """

    status: bytes
    code: str
    message: str
    retry_after: int


BUSY = Refusal(b"503 Service Unavailable", "busy", "too many reports are being received", 5)
NO_ROOM = Refusal(b"503 Service Unavailable", "busy", "there is no room for the report now", 30)
NOT_ACCEPTING = Refusal(b"503 Service Unavailable", "busy", "the reporter is short of memory", 10)


@define(eq=False)
class Body:
    """
    A body in progress.

    :ivar close: ends its request without a response.
    :ivar began: when its head arrived.
    :ivar size: the bytes that were received.
    :ivar is_whole: whether it was received to its end: then it waits for the reporter, not for its sender.
    """

    close: Callable[[], None]
    began: float
    size: int = 0
    is_whole: bool = False

    @property
    def shared(self) -> int:
        """The bytes that are granted from the share of all bodies."""
        return max(0, self.size - _FREE_BYTES)


@define(eq=False)
class Spool:
    """
    The bodies in progress.

    :param accepts: returns whether new ones are admitted: not while memory is short.
    """

    _accepts: Callable[[], bool] = _always
    _bodies: dict[int, Body] = field(factory=dict)
    _spooled: int = 0

    def __len__(self) -> int:
        """Return the number of bodies in progress."""
        return len(self._bodies)

    def begin(self, close: Callable[[], None], now: float) -> Body | Refusal:
        """Admit a body, maybe in the place of one that is too slow; or refuse it."""
        if not self._accepts():
            return NOT_ACCEPTING
        if len(self._bodies) >= MOST_BODIES and not self._drop_slowest(now):
            return BUSY
        body = Body(close, now)
        self._bodies[id(body)] = body
        return body

    def add(self, body: Body, size: int) -> Refusal | None:
        """Grant the bytes of a piece of a body before it is kept."""
        before = body.shared
        body.size += size
        more = body.shared - before
        if self._spooled + more > MOST_SPOOLED_BYTES:
            body.size -= size
            return NO_ROOM
        self._spooled += more
        return None

    def end(self, body: Body) -> None:
        """Release a body: its request was answered, or is gone; without effect if that is done."""
        if self._bodies.pop(id(body), None) is not None:
            self._spooled -= body.shared

    def shed(self, most: int) -> int:
        """Close the bodies that are half received, the youngest first, so many at most. Return their number."""
        half = [each for each in reversed(self._bodies.values()) if not each.is_whole][:most]
        for body in half:
            self._close(body)
        return len(half)

    def _drop_slowest(self, now: float) -> bool:
        half = (each for each in self._bodies.values() if not each.is_whole)
        old = (each for each in half if now - each.began >= _GRACE_SECONDS)
        slowest = min(old, key=lambda each: each.size / (now - each.began), default=None)
        if slowest is None or slowest.size / (now - slowest.began) >= _SLOW:
            return False
        self._close(slowest)
        return True

    def _close(self, body: Body) -> None:
        self.end(body)
        body.close()


class ReportRate:
    """
    The reports of each address: so many a minute, at once or spread.

    :param per_minute: the reports of one address.
    """

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        # The reports that an address may still send, and when that was; an address that is not here may send all.
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, address: Hashable, now: float) -> Refusal | None:
        """Count a report; refuse it if the address has sent too many."""
        left, since = self._left.pop(address, (float(self._most), now))
        left = min(float(self._most), left + (now - since) * self._most / 60)
        while len(self._left) >= MOST_ADDRESSES:
            del self._left[next(iter(self._left))]  # the one that was silent longest
        granted = left >= 1
        self._left[address] = (left - granted, now)
        if granted:
            return None
        wait = max(1, round((1 - left) * 60 / self._most))
        message = f"more than {self._most} reports a minute from one address"
        return Refusal(b"429 Too Many Requests", "too-many-reports", message, wait)


def address_of(request: Any) -> str:
    """Return the address of the sender of a request."""
    return str(getattr(request.getClientAddress(), "host", "unknown"))
