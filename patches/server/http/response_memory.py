"""The memory of a body that belongs to one response only: granted before it is sent, released when it is."""

from __future__ import annotations

from typing import Any

from patches.server.budget import RESPONSES
from patches.server.errors import Denied
from patches.server.http.chunk_transport import IChunkTransport
from patches.service.budget import Budget


def take_response(budget: Budget, size: int) -> None:
    """
    Take the bytes of a body from the budget; the caller releases them.

    :raises Denied: if there is no memory for it.
    """
    if not budget.take(RESPONSES, size):
        raise Denied("memory-limit", "the memory limit allows no further answer of this kind", 2)


def grant_response(budget: Budget, request: Any, size: int) -> None:
    """
    Take the bytes of a body from the budget, until the kernel has taken the body or its connection is lost.

    :raises Denied: if there is no memory for it.
    """
    take_response(budget, size)

    def release(_: Any = None) -> None:
        budget.release(RESPONSES, size)

    transport = IChunkTransport(request.channel, None)
    if transport is not None:
        transport.when_flushed(release)
    else:
        request.notifyFinish().addBoth(release)
