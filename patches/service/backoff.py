"""Back-off: the pause before a failed operation is tried again; one rule for all programs."""

from __future__ import annotations

import random
from collections.abc import Callable

from attrs import frozen

#: The longest pause before something that failed is tried again, in seconds: after an outage all is well so soon.
LONGEST_PAUSE_SECONDS = 900.0


@frozen
class Backoff:
    """
    Pauses that double with each failure in a row, shortened at random so that clients do not retry in step.

    With ``fixed=0`` this is "full jitter": after an outage a fleet comes back evenly over the longest pause. Source:
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    :ivar first: the longest pause after the first failure, in seconds.
    :ivar longest: the pause at which doubling stops, in seconds.
    :ivar jitter: returns a number in [0, 1).
    :ivar fixed: the part of a pause that is always waited, in [0, 1].
    """

    first: float
    longest: float
    jitter: Callable[[], float] = random.random
    fixed: float = 0.5

    def pause(self, failures: int, at_least: float = 0.0) -> float:
        """
        Return the seconds to wait after consecutive failures.

        :param failures: their number, 1 or more.
        :param at_least: the seconds that the server asked for.
        """
        longest = min(self.longest, self.first * 2.0 ** min(failures - 1, 20))
        return max(at_least, longest * (1 - self.jitter() * (1 - self.fixed)))

    def spread(self, seconds: float) -> float:
        """
        Return the pause that the server asked for, lengthened at random by up to its half, so that clients spread out.
        """
        return seconds * (1 + self.jitter() / 2)
