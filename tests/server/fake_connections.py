"""Connections to a database that answers, or does not, as a test says."""

from __future__ import annotations


class FakeConnections:
    """
    Connections that answer at once.

    :ivar error: raised by each question; ``None``: the database answers.
    :ivar cuts: how often they were cut.
    """

    def __init__(self) -> None:
        self.are_refused = False
        self.error: Exception | None = None
        self.cuts = 0

    def ask(self) -> None:
        """Answer."""
        if self.error is not None:
            raise self.error

    def cut(self) -> None:
        """Count it."""
        self.cuts += 1
