"""The life of a session as one table of transitions; the drawing in the documentation is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """The state of a session; one that is denied, expired or closed has ended, and only its reason is kept."""

    QUEUED = "queued"
    ACTIVE = "active"
    COMPLETE = "complete"
    DENIED = "denied"
    EXPIRED = "expired"
    CLOSED = "closed"


class SessionStep(StrEnum):
    """Something that happens to a session."""

    ADMITTED = "a window has its chunk"
    SLOWED = "it delays others and gets a window of its own"
    FINISHED = "every chunk was read"
    DISPLACED = "its address has more places than others"
    OVERDUE = "it delays others and there is no room"
    SHED = "the server is short of memory"
    DAMAGED = "its list is damaged in the catalogue"
    SILENT = "no request in time"
    CLOSED = "its scanner closes or resumes it"
    STOPPED = "the server stops"


#: (state, step) → the next state; no other step can happen.
TRANSITIONS: Mapping[tuple[State, SessionStep], State] = {
    (State.QUEUED, SessionStep.ADMITTED): State.ACTIVE,
    (State.QUEUED, SessionStep.DISPLACED): State.DENIED,
    (State.QUEUED, SessionStep.SHED): State.DENIED,
    (State.QUEUED, SessionStep.DAMAGED): State.EXPIRED,
    (State.QUEUED, SessionStep.SILENT): State.EXPIRED,
    (State.QUEUED, SessionStep.CLOSED): State.CLOSED,
    (State.QUEUED, SessionStep.STOPPED): State.DENIED,
    (State.ACTIVE, SessionStep.FINISHED): State.COMPLETE,
    (State.ACTIVE, SessionStep.SLOWED): State.ACTIVE,
    (State.ACTIVE, SessionStep.OVERDUE): State.EXPIRED,
    (State.ACTIVE, SessionStep.SHED): State.EXPIRED,
    (State.ACTIVE, SessionStep.DAMAGED): State.EXPIRED,
    (State.ACTIVE, SessionStep.SILENT): State.EXPIRED,
    (State.ACTIVE, SessionStep.CLOSED): State.CLOSED,
    (State.ACTIVE, SessionStep.STOPPED): State.DENIED,
    (State.COMPLETE, SessionStep.SILENT): State.CLOSED,
    (State.COMPLETE, SessionStep.CLOSED): State.CLOSED,
    (State.COMPLETE, SessionStep.STOPPED): State.CLOSED,
}

#: The states of sessions that are in the table; the others have ended.
LIVE = (State.QUEUED, State.ACTIVE, State.COMPLETE)


class IllegalStep(Exception):
    """A session cannot take this step in its state: an error of the program."""


def next_state(state: State, step: SessionStep) -> State:
    """
    Return the state that follows.

    :raises IllegalStep: if the table has no such transition.
    """
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise IllegalStep(f"a session that is {state}: {step}") from None
