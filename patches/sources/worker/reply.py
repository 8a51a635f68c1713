"""The reply of a worker to a job: it is done, the list cannot be parsed, or the ceiling of memory was reached."""

from __future__ import annotations

import json
from typing import Any, Protocol
from xml.parsers import expat

from attrs import frozen

#: The longest message of an error, in characters.
LONGEST_MESSAGE = 500
#: The longest line of a reply, in bytes.
LONGEST_REPLY = 8 * 1024
#: Encoded in advance: when it is needed, there is no memory left.
OUT_OF_MEMORY = b'{"fault":"memory"}\n'


class Writable(Protocol):
    """A place for the bytes of replies."""

    def write(self, data: bytes, /) -> Any:
        """Write data."""

    def flush(self) -> None:
        """Send what was written."""


@frozen
class WorkerReply:
    """
    A reply.

    :ivar error: why the list cannot be parsed; ``None``: it was parsed.
    :ivar is_out_of_memory: whether the ceiling of memory was reached; the worker then ends.
    """

    error: str | None = None
    is_out_of_memory: bool = False

    def to_line(self) -> bytes:
        """Convert to a line."""
        if self.is_out_of_memory:
            return OUT_OF_MEMORY
        error = self.error if self.error is None else " ".join(self.error.split())[:LONGEST_MESSAGE]
        return json.dumps({"error": error}).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> WorkerReply:
        """
        Parse a line.

        :raises ValueError: if it is no reply.
        """
        document = json.loads(line)
        if not isinstance(document, dict):
            raise ValueError("not an object")
        error = document.get("error")
        if "fault" not in document and ("error" not in document or not isinstance(error, str | None)):
            raise ValueError("not a reply")
        return cls(error[:LONGEST_MESSAGE] if error is not None else None, "fault" in document)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error is, or was caused by, a lack of memory; libraries have errors of their own for it."""
    while error is not None:
        code = getattr(error, "code", None)
        if isinstance(error, MemoryError | SystemError):  # CPython's own code may lose the first in the second
            return True
        if isinstance(error, SyntaxError | expat.ExpatError) and code == _EXPAT:
            return True
        if type(error).__module__.startswith("zstandard") and "llocation" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


#: ``XML_ERROR_NO_MEMORY``.
_EXPAT = 1
