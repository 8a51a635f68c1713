"""
Garbage collection without pauses for a daemon that has many clients.

CPython's full collection looks at every object that may be part of a cycle: with 5,000 requests that wait, it stopped
the reactor for 150 ms, again and again. So the objects of a daemon that has started are set aside (:func:`gc.freeze`),
and full collections are made by a service, at a moment with few clients if there is one.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

#: CPython's thresholds: of the youngest objects, of the second generation, and of full collections, which are rare.
THRESHOLDS = (10_000, 20, 10_000)
#: How many moments may pass before a full collection is made even if there are many clients.
MOST_SKIPPED = 15


class FullCollections:
    """
    Full collections.

    :param is_quiet: returns whether there are few clients.
    """

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._skipped = -1

    def tick(self) -> None:
        """Collect, if there are few clients or there were many for long; at the first call, set aside what is there."""
        if self._skipped < 0:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*THRESHOLDS)
            self._skipped = 0
        elif self._is_quiet() or self._skipped >= MOST_SKIPPED:
            gc.collect()
            self._skipped = 0
        else:
            self._skipped += 1
