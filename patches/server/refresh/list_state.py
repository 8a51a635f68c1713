"""
The life of a list of a source, as a table: a state and an event make the next state.

The table is all there is: :class:`~patches.server.refresh.source_state.SourceList` changes its state by
:func:`next_state` only, and what is done is decided by the state that a list is in. Two states have steps of their own
(:mod:`~patches.server.refresh.poller`), ``polling`` and ``importing``; ``merging`` ends with a publication
(:mod:`~patches.server.refresh.publication`); in the others a list rests until something is due. The drawing in
``docs/explanation`` is made from the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ListState(StrEnum):
    """A state of a list."""

    IDLE = "idle"
    POLLING = "polling"
    IMPORTING = "importing"
    MERGING = "merging"
    HELD_BACK = "held back"
    EMPTY = "known and empty"
    WAITING = "waiting to retry"
    UNPUBLISHED = "waiting to publish"


class ListEvent(StrEnum):
    """An event in the life of a list."""

    DUE = "due"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    STAGED = "staged"
    FOUND_EMPTY = "found empty"
    PUBLISHED = "published"
    SHRUNK = "shrunk"
    ACCEPTED = "accepted"
    FAILED = "failed"
    NO_MEMORY = "no memory"
    INTERRUPTED = "interrupted"
    RETRIED = "retried"


S, E = ListState, ListEvent

#: The states in which nothing is done for a list: it rests until it is due.
AT_REST = frozenset({S.IDLE, S.HELD_BACK, S.EMPTY, S.WAITING, S.UNPUBLISHED, S.MERGING})

TRANSITIONS: Mapping[tuple[ListState, ListEvent], ListState] = MappingProxyType(
    {
        # A list that is due is compared with the list that the source offers. One that waits for the lists of other
        # sources (merging) may become due meanwhile.
        **{(state, E.DUE): S.POLLING for state in ListState if state in AT_REST},
        (S.POLLING, E.UNCHANGED): S.IDLE,
        (S.POLLING, E.FOUND_EMPTY): S.EMPTY,
        (S.POLLING, E.SHRUNK): S.HELD_BACK,  # it is the list that is held back already
        (S.POLLING, E.STAGED): S.MERGING,  # it was read before, but is not published
        (S.POLLING, E.CHANGED): S.IMPORTING,
        (S.POLLING, E.FAILED): S.WAITING,
        (S.POLLING, E.INTERRUPTED): S.WAITING,
        # A changed list is read into the staging store, whole or not at all.
        (S.IMPORTING, E.STAGED): S.MERGING,
        (S.IMPORTING, E.UNCHANGED): S.IDLE,  # it has no record of a served platform
        (S.IMPORTING, E.FOUND_EMPTY): S.EMPTY,
        (S.IMPORTING, E.FAILED): S.WAITING,
        (S.IMPORTING, E.NO_MEMORY): S.WAITING,
        (S.IMPORTING, E.INTERRUPTED): S.WAITING,
        # It is published with the other lists of its platforms, when these are in.
        (S.MERGING, E.PUBLISHED): S.IDLE,
        (S.MERGING, E.SHRUNK): S.HELD_BACK,
        (S.MERGING, E.FAILED): S.UNPUBLISHED,
        (S.UNPUBLISHED, E.RETRIED): S.MERGING,
        # An operator accepted it, or a longer list was published.
        (S.HELD_BACK, E.ACCEPTED): S.IDLE,
    }
)


class IllegalTransition(RuntimeError):
    """An event that cannot happen in a state: a bug."""


def next_state(state: ListState, event: ListEvent) -> ListState:
    """
    Return the state after an event.

    :raises IllegalTransition: if the event cannot happen in this state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a list that is {state} cannot be {event}") from None
