"""
Application of a delta to the cached list: yields the new list chunk by chunk.

The list and the delta are both ordered by name, so they are merged side by side, and at most one chunk is in memory.
Whether the result is the server's list is not decided here: the stream compares its digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from attrs import frozen

from patches.scanner.client.bounds import GREATEST_COUNT
from patches.scanner.client.verified_stream import NotVerified
from patches.wire import MAX_CHUNK_BYTES, encode_json, is_whole, parse_json

_NAME = re.compile(rb'\{"name":"([^"\\]*)"')


@frozen
class DeltaHead:
    """
    The server's description of a delta.

    :ivar since: the revision of the list to which the delta applies.
    :ivar cuts: the number of records in each chunk of the new list.
    """

    since: str
    cuts: tuple[int, ...]

    @classmethod
    def from_document(cls, document: Any) -> DeltaHead:
        """
        Parse the member ``delta`` of a session document.

        :raises NotVerified: if it is not a description of a delta.
        """
        try:
            since, cuts = document["since"], document["cuts"]
            if isinstance(since, str) and all(is_whole(cut) and 0 < cut <= GREATEST_COUNT for cut in cuts):
                return cls(since, tuple(cuts))
        except (KeyError, TypeError):
            pass
        raise NotVerified("the server's description of the delta is malformed")


class DeltaApplier:
    """
    Applies a delta to the cached list.

    :param cached: the lines of the cached list, each with its line feed.
    :param cuts: the number of lines in each chunk of the new list.
    """

    def __init__(self, cached: Iterator[bytes], cuts: Sequence[int]) -> None:
        self._kept = cached
        self._next = next(cached, None)
        self._cuts = iter(cuts)
        self._left = next(self._cuts, 0)
        self._body: list[bytes] = []
        self._size = 0

    async def bodies(self, deltas: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """
        Yield the bodies of the new list's chunks.

        :param deltas: the bodies of the delta's chunks.
        :raises NotVerified: if the delta is malformed or does not fit the cached list.
        """
        async for delta in deltas:
            for line in delta.splitlines():
                name, records = _change(line)
                for body in self._apply(name, records):
                    yield body
        for body in self._copy(None):
            yield body
        if self._body or self._left:
            raise NotVerified("the delta does not fit the cached list: records are missing")

    def _apply(self, name: str, records: Sequence[Any]) -> Iterator[bytes]:
        yield from self._copy(name)
        while self._next is not None and _name(self._next) == name:
            self._next = next(self._kept, None)
        for record in records:
            yield from self._add(encode_json(record) + b"\n")

    def _copy(self, name: str | None) -> Iterator[bytes]:
        """Copy the cached lines that are before a name, or all remaining ones if it is ``None``."""
        while self._next is not None and (name is None or _name(self._next) < name):
            yield from self._add(self._next)
            self._next = next(self._kept, None)

    def _add(self, line: bytes) -> Iterator[bytes]:
        self._body.append(line)
        self._size += len(line)
        self._left -= 1
        if self._left < 0 or self._size > MAX_CHUNK_BYTES:
            raise NotVerified("the delta does not fit the cached list: the new list becomes too long")
        if not self._left:
            yield b"".join(self._body)
            self._body, self._size, self._left = [], 0, next(self._cuts, 0)


def _change(line: bytes) -> tuple[str, Sequence[Any]]:
    try:
        change = parse_json(line)
        name, records = change["name"], change["vulnerabilities"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotVerified(f"the delta cannot be read: {error!r}") from error
    if not isinstance(name, str) or not isinstance(records, list):
        raise NotVerified("the delta cannot be read: a change has no name or no records")
    return name, records


def _name(line: bytes) -> str:
    """Return the name of a record, which is first in its line; parsing the whole line would take ten times as long."""
    found = _NAME.match(line)
    try:
        return found[1].decode() if found else str(json.loads(line)["name"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotVerified(f"the cached list is damaged: {error!r}") from error
