"""A list that is verified while it is read, wherever it comes from; and what can be wrong with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Container
from typing import Any

from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, StreamDigest, decode_lines


class StreamError(Exception):
    """The list was not had whole; its text says why, in one line."""


class Refused(StreamError):
    """
    The server will not serve this.

    :ivar code: the server's word for it, ``unknown-platform``; ``None`` if it gave no error document.
    """

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"the server refused: {message}")
        self.code = code


class NotVerified(StreamError):
    """What came is not what it is said to be."""


class SessionLost(StreamError):
    """The session cannot be taken up again; a new one, from the beginning, may succeed."""


class Unchanged(StreamError):
    """
    The list that is here is the one that the server has.

    :ivar snapshot: what the server says of it.
    """

    def __init__(self, snapshot: dict[str, Any]) -> None:
        super().__init__("the list has not changed")
        self.snapshot = snapshot


class VerifiedStream:
    """
    One pass over one snapshot: an asynchronous iterator of vulnerabilities, once.

    :ivar snapshot: what is said of the snapshot, once that is known.
    :ivar served: how many vulnerabilities came so far, those of the chunk at hand included.
    :ivar complete: whether all came, and everything was verified.
    """

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] = {}
        self.served = 0
        self.complete = False
        self._digest = StreamDigest()

    @property
    def digest(self) -> str:
        """The digest of what came so far, in hexadecimal."""
        return self._digest.hexdigest()

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        return self.naming(None)

    async def naming(self, names: Container[str] | None) -> AsyncIterator[Vulnerability]:
        """Give only the vulnerabilities that fix a package of one of these names; all come, and are verified."""
        async for body in self.bodies():
            try:
                for vulnerability in decode_lines(body, names):
                    yield vulnerability
            except MalformedWire as error:
                raise NotVerified(f"the list has what is {error}") from error

    @abstractmethod
    def bodies(self) -> AsyncIterator[bytes]:
        """Give the verified body of each chunk, not decoded; instead of iterating over the vulnerabilities."""

    def _count(self, body: bytes, chunk_digest: bytes) -> None:
        """Note a chunk that came."""
        self._digest.add(chunk_digest)
        self.served += body.count(b"\n")

    def _verify_end(self, end: dict[str, Any], chunks: int) -> None:
        """
        Compare what came with what is said of the whole, in the end and before.

        :param chunks: how many were sent.

        :raises NotVerified: if they differ.
        """
        if end.get("chunks") != chunks:
            raise NotVerified(f"the end of the list does not fit: chunks is {end.get('chunks')}, and {chunks} came")
        expected = {
            "vulnerabilities": self.served,
            "digest": self.digest,
            "revision": self.snapshot.get("revision"),
        }
        for name, value in expected.items():
            for said in (end.get(name), self.snapshot.get(name, value)):
                if said != value:
                    raise NotVerified(f"the end of the list does not fit: {name} is {said}, and {value} came")
        self.complete = True
