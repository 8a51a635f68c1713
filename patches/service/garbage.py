"""
Garbage collection without pauses for a daemon that has many clients.

CPython's full collection looks at every object that may be part of a cycle: with 5,000 requests that wait, it stopped
the reactor for 150 ms, again and again. So the objects of a daemon that has started are set aside (:func:`gc.freeze`),
and full collections are made by a service: while there are few clients, or when the process has grown more than its
clients explain, as that may be garbage. Freed memory is then given back to the system. Requests leave no garbage that
only a full collection would find; see :mod:`patches.http.routes`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from patches.service.malloc import give_back

#: CPython's thresholds: of the youngest objects, of the second generation, and of full collections: none by itself.
THRESHOLDS = (2_000, 10, 1_000_000)
#: How many moments may pass before a full collection is made even if there are many clients.
MOST_SKIPPED = 180
#: By how many bytes the process may grow, beside what is known to be in use, before a full collection is made.
MOST_GROWTH = 12 * 1024 * 1024


class FullCollections:
    """
    Full collections.

    :param is_quiet: returns whether there are few clients.
    :param unexplained: returns the resident bytes of the process, less those that are known to be in use.
    """

    def __init__(self, is_quiet: Callable[[], bool], unexplained: Callable[[], int]) -> None:
        self._is_quiet = is_quiet
        self._unexplained = unexplained
        self._started = False
        self._skipped = self._after = 0

    def tick(self) -> None:
        """Collect, if this is a moment for it; at the first call, set aside what is there."""
        if not self._started:
            self._started = True
            self._collect()
            gc.freeze()
            gc.set_threshold(*THRESHOLDS)
        elif self._is_due():
            self._collect()
        else:
            self._skipped += 1

    def _is_due(self) -> bool:
        grown = self._unexplained() - self._after > MOST_GROWTH
        return grown or self._skipped >= MOST_SKIPPED or (self._is_quiet() and self._skipped > 0)

    def _collect(self) -> None:
        gc.collect()
        give_back()
        self._skipped, self._after = 0, self._unexplained()
