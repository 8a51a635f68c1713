"""The tests of the API and of its channel, with the fast path switched off: every behaviour is the same."""

from __future__ import annotations

from tests.server.http import test_api, test_api_errors, test_api_waiting, test_channel
from tests.server.server_case import ServerCase


class LongWay(ServerCase):
    """A mix-in that, placed before a case, switches the fast path off."""

    fast_path = False


class OpeningTests(LongWay, test_api.OpeningTests):
    """Opening sessions."""


class ReadingTests(LongWay, test_api.ReadingTests):
    """Reading chunks."""


class SessionErrorsTests(LongWay, test_api_errors.SessionErrorsTests):
    """Errors of sessions."""


class MemoryTests(LongWay, test_api_errors.MemoryTests):
    """Refusals for lack of memory."""


class PollingTests(LongWay, test_api_waiting.PollingTests):
    """Clients that do not prefer to wait."""


class ParkedTests(LongWay, test_api_waiting.ParkedTests):
    """Requests that wait."""


class HangingUpTests(LongWay, test_api_waiting.HangingUpTests):
    """Clients that hang up while they wait."""


class WindowTests(LongWay, test_api_waiting.WindowTests):
    """Requests that wait for the window."""


class PacingTests(LongWay, test_channel.PacingTests):
    """Pacing of responses."""


class StallingTests(LongWay, test_channel.StallingTests):
    """Clients that stall."""


class DrainTests(LongWay, test_channel.DrainTests):
    """Servers that stop."""
