"""The memory budget of a daemon: the one place that grants bytes within a limit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping

#: A purpose of granted bytes that every daemon has: a channel, its parser, a request that is being read or waits.
CONNECTIONS = "connections"
#: Of each connection (measured: 11.2 KiB with a request that waits).
CONNECTION_BYTES = 16 * 1024
#: Of each connection that is encrypted, beside these (measured: 27 KiB in all, and a piece of 16 KiB on its way out).
TLS_BYTES = 32 * 1024
#: And until its handshake is done, for messages that have begun to arrive; see :mod:`patches.http.client_hello`.
HANDSHAKE_BYTES = 48 * 1024
#: A daemon needs at least so many bytes more than it has resident when it starts.
LEAST_ABOVE_START = 64 * 1024 * 1024

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MemoryLimitTooLow(ValueError):
    """The limit leaves no room to serve anything."""


class Budget:
    """
    Grants bytes within a limit; a purpose can have a share that no other purpose may use.

    :param limit: the number of bytes that may be granted in all.
    :param shares: the bytes reserved for a purpose, within the limit.
    :ivar reclaim: called with a purpose and a size before bytes are refused: it may drop what nobody needs.
    :ivar closed: the purposes for which nothing is granted for now, whatever is free; see
        :mod:`patches.service.memory_governor`.
    """

    def __init__(self, limit: int, shares: Mapping[str, int] | None = None) -> None:
        self.limit = limit
        self._shares = dict(shares or {})
        self._used: Counter[str] = Counter()
        self._denied: Counter[str] = Counter()
        self.reclaim: Callable[[str, int], None] = lambda purpose, size: None
        self.closed: frozenset[str] = frozenset()
        self._claims: Counter[str] = Counter()
        if limit < sum(self._shares.values()):
            raise MemoryLimitTooLow(f"{limit} bytes are less than the shares kept: {sum(self._shares.values())}")

    def take(self, purpose: str, size: int) -> bool:
        """
        Grant ``size`` bytes for a purpose. Return whether they were granted.

        :meth:`release` gives them back.
        """
        is_closed = purpose in self.closed
        if not is_closed and size > self.free(purpose):
            self.reclaim(purpose, size)
        if is_closed or size > self.free(purpose):
            self._denied[purpose] += 1
            return False
        self._used[purpose] += size
        del self._claims[purpose]
        return True

    def claim(self, purpose: str, size: int) -> bool:
        """
        Grant ``size`` bytes like :meth:`take`; if they are not free, what is released is kept for them from now on.

        Call it again until it grants them: a crowd can delay, but not prevent that.
        """
        if self.take(purpose, size):
            return True
        self._claims[purpose] = min(size, self.limit)
        return False

    def release(self, purpose: str, size: int) -> None:
        """Return granted bytes to the budget."""
        if size > self._used[purpose]:
            raise ValueError(f"{size} bytes were never granted for {purpose}")
        self._used[purpose] -= size

    def free(self, purpose: str) -> int:
        """
        Return the number of bytes that could be granted for this purpose now.

        Bytes are kept for the shares and the claims of other purposes; but a claim does not take what is left of the
        share of this one.
        """
        left = self.limit - sum(self._used.values())
        others = (self._shares.keys() | self._claims.keys()) - {purpose}
        shares = {other: max(0, self._shares.get(other, 0) - self._used[other]) for other in others}
        kept = sum(max(shares[other], self._claims[other]) for other in others)
        own = self._shares.get(purpose, 0) - self._used[purpose]
        return max(left - kept, min(own, left - sum(shares.values())))

    @property
    def used(self) -> Counter[str]:
        """The bytes that are granted now, by purpose."""
        return Counter(self._used)

    @property
    def denied(self) -> Counter[str]:
        """The number of refusals, by purpose."""
        return Counter(self._denied)


def resident_bytes(pid: int | None = None) -> int:
    """
    Return the number of bytes of a process that are resident now (``/proc/…/statm``, Linux).

    :param pid: ``None``: this process. If it has ended, the number is 0.
    """
    try:
        statm = os.open(f"/proc/{pid or 'self'}/statm", os.O_RDONLY | os.O_CLOEXEC)  # often: no file object
        try:
            return int(os.read(statm, 200).split()[1]) * _PAGE_BYTES
        finally:
            os.close(statm)
    except (OSError, IndexError):
        if pid is None:
            raise
        return 0
