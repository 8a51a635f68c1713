"""Cancellation of an operation: what its caller did, and never what the operation's error looks like."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted
from twisted.python.failure import Failure

T = TypeVar("T")


def cancellable(pending: Deferred[T]) -> Deferred[T]:
    """
    Return a Deferred that fires as another one does, and fails with ``CancelledError`` exactly if it is cancelled.

    Twisted reports a cancelled connection or request as one that failed, in a dozen ways: a name that was not found, a
    connection that was aborted, a response that was never received. Whoever judged by these errors would take the end
    of a daemon for a server that is away, and try again.

    :param pending: an operation of the network; it is cancelled too, and how it then ends does not matter.
    """
    is_cancelled = False

    def cancel(_: Deferred[T]) -> None:
        nonlocal is_cancelled
        is_cancelled = True
        pending.cancel()

    result: Deferred[T] = Deferred(cancel)

    def forward(value: Any) -> None:
        if is_cancelled:
            return
        if isinstance(value, Failure) and value.check(CancelledError):
            value = Failure(ConnectionAborted())  # by others: nobody has cancelled this operation
        result.callback(value)

    pending.addBoth(forward)
    return result
