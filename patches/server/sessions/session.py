"""A session: one scanner's pass over one list, its place in it, and the limits that hold for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from patches.server.catalogue.delta import ReadableList
from patches.server.sessions.states import State

if TYPE_CHECKING:
    from patches.server.sessions.window import Window


@frozen
class Limits:
    """
    The limits, per platform; times in seconds.

    :ivar max_share: the fraction of the places in the queue that an address may have while others find no place.
    :ivar session_timeout: the time that an active session may be silent.
    :ivar queue_timeout: the time that a queued session may be silent.
    :ivar chunk_timeout: the time for which an active session may delay others at one chunk.
    """

    max_active: int = 4096
    max_queued: int = 8192
    max_share: float = 0.01
    session_timeout: float = 30.0
    queue_timeout: float = 60.0
    chunk_timeout: float = 60.0

    def allowed_silence(self, state: State) -> float:
        """Return the seconds that a session in a state may be silent."""
        return self.queue_timeout if state is State.QUEUED else self.session_timeout


@define(eq=False)
class Session:
    """
    One scanner's pass over one list.

    :ivar token: its unguessable name.
    :ivar snapshot: the list that it reads.
    :ivar owner: the address or credential that opened it.
    :ivar position: the chunk that it asked for last, or needs first; the only place where this is kept.
    :ivar opened: the time at which it was queued; seconds of the clock, likewise the next.
    :ivar seen: the time of its last sign of life.
    :ivar served: whether it was served the chunk at its position.
    :ivar ticket: its number in the order of arrival.
    :ivar window: the window that it reads, while it is active.
    :ivar delay: what its window's count of delays was when it last made progress, in seconds.
    :ivar held: for how long it was not asking while others in its window waited, in the whole pass; in seconds.
    :ivar platform: the platform of its list.
    :ivar revision: the revision of its list.
    """

    token: str
    snapshot: ReadableList
    owner: str
    position: int
    opened: float
    seen: float
    state: State = State.QUEUED
    served: bool = False
    ticket: int = 0
    window: Window | None = None
    delay: float = 0.0
    held: float = 0.0
    platform: str = field(init=False)
    revision: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.platform, self.revision = self.snapshot.platform, self.snapshot.revision
