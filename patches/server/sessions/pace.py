"""The pace of a queue: how long a wait in it takes, measured by what it took lately."""

from __future__ import annotations

from collections import deque

#: How many moments with activations are remembered, and for how long, in seconds.
_MOMENTS = 32
_REMEMBERED_SECONDS = 600.0
#: The wait for a place before anything was measured, in seconds.
_UNKNOWN_SECONDS = 0.05


class QueuePace:
    """The rate at which a platform's queue has moved lately; times in seconds of the clock."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, int]] = deque(maxlen=_MOMENTS)

    def note(self, now: float, waiting_since: float) -> None:
        """
        Note that a queued session was activated.

        :param waiting_since: the time at which it was queued: the rate is measured from the oldest wait on.
        """
        while self._moments and now - self._moments[0][0] > _REMEMBERED_SECONDS:
            self._moments.popleft()
        if not self._moments:
            self._moments.append((waiting_since, 0))
        last, activated = self._moments[-1]
        if last == now:
            self._moments[-1] = (now, activated + 1)
        else:
            self._moments.append((now, 1))

    def expected_wait(self, position: int, now: float, since: float) -> float:
        """
        Return the seconds until a session is activated.

        :param position: the number of sessions before it.
        :param since: the time at which the first session of the queue was queued: before anything was measured, a place
            is expected to cost what that has waited already.
        """
        recent = [(moment, count) for moment, count in self._moments if now - moment <= _REMEMBERED_SECONDS]
        activated = sum(count for _, count in recent[1:])
        if not activated:
            return (position + 1) * max(_UNKNOWN_SECONDS, now - since)
        return (position + 1) * max(now - recent[0][0], 0.001) / activated
