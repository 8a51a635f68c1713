"""A case with a session whose chunks are requested over connections in memory."""

from __future__ import annotations

from patches.server.sessions.session import Limits
from tests.server.memory_transport import request
from tests.server.server_case import GZIP, ServerCase


class ChannelCase(ServerCase):
    """A case with an active session."""

    limits = Limits(max_active=100, max_queued=10)

    def setUp(self) -> None:
        super().setUp()
        self.path = self.open()

    def chunk(self, n: int, headers: dict[str, str] | None = None, path: str = "") -> bytes:
        """Return a request for a chunk."""
        return request("GET", f"{path or self.path}/chunks/{n}", GZIP if headers is None else headers)
