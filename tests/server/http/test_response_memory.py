"""Tests for :mod:`patches.server.http.response_memory`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import RESPONSES
from patches.server.errors import Denied
from patches.server.http.response_memory import grant_response
from patches.service.budget import Budget


class PlainRequest:
    """A request on a channel that does not report when its response is sent."""

    channel = None

    def __init__(self) -> None:
        self.finished: Deferred[None] = Deferred()

    def notifyFinish(self) -> Deferred[None]:
        """Return what fires at the end."""
        return self.finished


class GrantTests(SynchronousTestCase):
    """A budget of ten bytes."""

    def setUp(self) -> None:
        self.budget = Budget(10)
        self.request: Any = PlainRequest()

    def test_released(self) -> None:
        """The bytes are granted until the response is sent."""
        grant_response(self.budget, self.request, 7)
        self.assertEqual(self.budget.used[RESPONSES], 7)
        self.request.finished.callback(None)
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_refused(self) -> None:
        """A body that does not fit is refused, and nothing is taken."""
        error = self.assertRaises(Denied, grant_response, self.budget, self.request, 11)
        self.assertEqual((error.code, self.budget.used[RESPONSES]), ("memory-limit", 0))
