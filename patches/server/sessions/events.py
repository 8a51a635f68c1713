"""The events that follow from a change of the sessions: values, for the shell to account for and to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from patches.server.sessions.session import Session
from patches.server.sessions.states import SessionStep

if TYPE_CHECKING:
    from patches.server.sessions.chunk_response import ChunkResponse
    from patches.server.sessions.window import Window


@frozen
class Changed:
    """
    A session took a step: it became active or complete, went to a window of its own, or ended.

    :ivar reason: why it ended, for people; empty where nothing was lost.
    """

    session: Session
    step: SessionStep
    reason: str = ""


@frozen
class Load:
    """A window needs a chunk of the catalogue."""

    window: Window
    number: int


@frozen
class Arrived:
    """A chunk has been loaded for which these sessions ask, or could not be loaded."""

    sessions: tuple[Session, ...]
    error: Exception | None = None


@frozen
class Dropped:
    """A window has dropped a chunk whose bytes are still being written to a socket."""

    window: Window
    chunk: ChunkResponse


Event = Changed | Load | Arrived | Dropped
