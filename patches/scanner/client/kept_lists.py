"""Lists that are kept, in place of a server: what was read into the cache before is compared, and nobody is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

from twisted.internet.interfaces import IReactorTime

from patches.scanner.client.cache import CachedList
from patches.scanner.client.trust import Trust
from patches.scanner.client.verified_stream import NotCovered, ServerAway, StreamError, VerifiedStream


class KeptLists:
    """
    The lists in a cache.

    :param problem: why they may be older than they should be; ``None``: they were just brought up to date.
    :ivar trust: the key that must have signed each list; ``None`` if lists need no signature.
    :ivar is_covered: whether the platform may have a list at all.
    :ivar asked: whose list alone may be compared; ``None``: whichever was kept last.
    """

    def __init__(
        self,
        clock: IReactorTime,
        problem: str | None,
        trust: Trust | None = None,
        *,
        is_covered: bool = True,
        asked: str | None = None,
    ) -> None:
        self.clock = clock
        self.problem = problem
        self.trust = trust
        self.is_covered = is_covered
        self.asked = asked

    def stream(self, platform: str, cached: CachedList | None = None) -> VerifiedStream:
        """Return a stream of the kept list of a platform; one that fails if there is none, or it is another one's."""
        if cached is not None and self.asked in (None, cached.asked):
            return cached.stream()
        problem = self.problem or f"no list of {platform} is kept"
        return _NoList(ServerAway(problem) if self.is_covered else NotCovered(problem))


class _NoList(VerifiedStream):
    """A pass over a list that is not there."""

    def __init__(self, error: StreamError) -> None:
        super().__init__()
        self._error = error

    async def bodies(self) -> AsyncIterator[bytes]:
        """Raise the error that says why it is not there."""
        raise self._error
        yield b""
