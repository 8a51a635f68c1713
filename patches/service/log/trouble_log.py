"""The log of a trouble that lasts, such as a full disk: one line when it begins or changes, and one when it ends."""

from __future__ import annotations

from twisted.logger import Logger

log = Logger()


class TroubleLog:
    """
    The log of one trouble.

    :param trouble: the line when it begins; the reason follows: ``Reports cannot be stored``.
    :param end: the line when it ends.
    :ivar why: the reason; ``None``: there is no trouble.
    """

    why: str | None

    def __init__(self, trouble: str, end: str) -> None:
        self._trouble = trouble
        self._end = end
        self.why = None

    def begin(self, why: str) -> None:
        """Log the trouble, unless it was logged already for the same reason."""
        if why != self.why:
            self.why = why
            log.error("{trouble}: {why}", trouble=self._trouble, why=why)

    def end(self) -> None:
        """Log that the trouble has ended, if there was one."""
        if self.why is not None:
            self.why = None
            log.info("{end}", end=self._end)
