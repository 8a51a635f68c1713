"""The governor of a server's memory: what it measures, and what it lets go of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from patches.http.bounded_site import BoundedSite
from patches.server.assembly.shared import Shared
from patches.server.budget import REFRESH, RESPONSES, SESSIONS
from patches.server.sessions.service import SessionService
from patches.server.sessions.states import State
from patches.service.budget import CONNECTIONS, resident_bytes
from patches.service.memory_governor import MEASURE_SECONDS, MemoryGovernor, Shedder
from patches.service.periodic import PeriodicService


def create_governor(memory_limit: int, shared: Shared, workers: Callable[[], Iterable[int]]) -> MemoryGovernor:
    """
    Create the governor of a server, which does not let go of anything yet; see :func:`shedders`.

    :param workers: returns the processes whose memory counts too.
    """

    def measure() -> int:
        return resident_bytes() + sum(map(resident_bytes, workers()))

    closes = (CONNECTIONS, SESSIONS, RESPONSES, REFRESH)
    return MemoryGovernor(memory_limit, measure, shared.budget, closes, shared.reactor)


def shedders(site: BoundedSite, sessions: SessionService) -> tuple[Shedder, ...]:
    """Return what a server lets go of while memory is short, in this order."""
    return (
        Shedder("half-read requests", site.shed_half_read),
        Shedder("idle connections", site.shed_idle),
        Shedder("queued sessions", partial(sessions.shed, State.QUEUED)),
        Shedder("active sessions", partial(sessions.shed, State.ACTIVE)),
    )


def governing(governor: MemoryGovernor, shared: Shared) -> PeriodicService:
    """Create the service that calls the governor."""
    interval = timedelta(seconds=MEASURE_SECONDS)
    return PeriodicService("Measuring memory", interval, governor.tick, shared.reactor)
