"""The base of streams that verify a list while it is read, from the server or from the cache, and their errors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Container
from typing import Any

from patches.scanner.client.record_names import decode_naming
from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, StreamDigest, is_whole


class StreamError(Exception):
    """The list was not read whole; the text says why, in one line."""


class Refused(StreamError):
    """
    The server refused the request; a retry would not help.

    :ivar code: the server's error code, such as ``unknown-platform``; ``None`` if it sent no error document.
    """

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"the server refused: {message}")
        self.code = code


class NotVerified(StreamError):
    """The list that was received is not the one that was announced."""


class SessionLost(StreamError):
    """The session cannot be resumed; a new session, from the beginning of the list, may succeed."""


class ServerAway(StreamError):
    """The server could not be reached: the cached list may stand in for its list."""


class NotCovered(StreamError):
    """Nobody who was asked has a list of the platform."""


class Unchanged(StreamError):
    """
    The cached list is the server's current list.

    :ivar snapshot: the server's description of the list.
    :ivar skew: as of :class:`VerifiedStream`.
    """

    def __init__(self, snapshot: dict[str, Any], skew: float | None = None) -> None:
        super().__init__("the list has not changed")
        self.snapshot = snapshot
        self.skew = skew


class VerifiedStream:
    """
    One pass over one snapshot: an asynchronous iterator of vulnerabilities that can be used once.

    :ivar snapshot: the description of the snapshot; empty until it is known.
    :ivar served: the number of vulnerabilities received so far, including those of the current chunk.
    :ivar complete: whether the whole list was received and verified.
    :ivar skew: the seconds by which the server's clock is ahead of this host's; ``None`` if it did not tell its time.
    """

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] = {}
        self._body_bytes = 0
        self._records_of: str | None = None  # the platform of its records; None: they were verified before
        self.served = 0
        self.complete = False
        self.skew: float | None = None
        self._digest = StreamDigest()

    @property
    def digest(self) -> str:
        """The digest of the chunks received so far, in hexadecimal."""
        return self._digest.hexdigest()

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        return self.naming(None)

    async def naming(self, names: Container[str] | None) -> AsyncIterator[Vulnerability]:
        """
        Yield only the vulnerabilities with a fix for a package of one of these names; ``None`` for all.

        The whole list is still received and verified; the others are just not decoded, which saves time: see
        :mod:`patches.scanner.client.record_names`.
        """
        async for body in self.bodies():
            try:
                for vulnerability in decode_naming(body, names):
                    if self._records_of not in (None, vulnerability.platform):
                        raise NotVerified(f"the list has a record of another platform: {vulnerability.platform!r:.100}")
                    yield vulnerability
            except MalformedWire as error:
                raise NotVerified(f"the list has a malformed record: {error}") from error

    @abstractmethod
    def bodies(self) -> AsyncIterator[bytes]:
        """Yield the body of each chunk, verified but not decoded, instead of iterating over the vulnerabilities."""

    def _count(self, body: bytes, chunk_digest: bytes) -> None:
        """Add a received chunk to the digest and to the count."""
        self._digest.add(chunk_digest)
        self.served += body.count(b"\n")
        self._body_bytes += len(body)

    def _verify_end(self, end: dict[str, Any], chunks: int) -> None:
        """
        Compare the received list with its description, both from the start and from the end of the stream.

        :param end: the server's document at the end of the stream, or the description in the cache.
        :param chunks: the number of received chunks.
        :raises NotVerified: if they differ.
        """
        if end.get("chunks") != chunks or not is_whole(end["chunks"]):
            raise NotVerified(f"the list does not match its end: chunks is {end.get('chunks')}, but {chunks} received")
        expected = {
            "vulnerabilities": self.served,
            "digest": self.digest,
            "revision": self.snapshot.get("revision"),
        }
        for name, value in expected.items():
            # the description at the start may lack a member; the one at the end must have all of them
            for said in (end.get(name), self.snapshot.get(name, value)):
                if said != value or isinstance(said, bool):
                    raise NotVerified(f"the list does not match its end: {name} is {said}, but {value} received")
        if self.snapshot.get("bytes", self._body_bytes) != self._body_bytes:
            raise NotVerified(f"the list does not match its description: {self._body_bytes} bytes were received")
        if self.served and self.snapshot.get("empty", False) is not False:
            raise NotVerified("the list has records, and the server says that it is known to be empty")
        if not self.served and self.snapshot.get("empty") is not True:
            raise NotVerified("the list has no records, and the server does not say that it is known to be empty")
        self.complete = True
