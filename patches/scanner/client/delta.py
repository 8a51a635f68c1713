"""
Patching: out of a list that was kept, and what has become of it since, the new list is made, chunk by chunk.

Both are ordered by name, so they are gone through side by side, and no more than one chunk is held. Whether what comes
out is the new list is not decided here: its digest tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from attrs import frozen

from patches.scanner.client.verified_stream import NotVerified
from patches.wire import MAX_CHUNK_BYTES, encode_json

_NAME = re.compile(rb'\{"name":"([^"\\]*)"')


@frozen
class DeltaHead:
    """
    What a server says of a delta.

    :ivar since: the revision of the list to which it is to be applied.
    :ivar cuts: how many records each chunk of the new list has.
    """

    since: str
    cuts: tuple[int, ...]

    @classmethod
    def from_document(cls, document: Any) -> DeltaHead:
        """
        Read it.

        :raises NotVerified: if it is none.
        """
        try:
            since, cuts = document["since"], document["cuts"]
            if isinstance(since, str) and all(type(cut) is int and cut > 0 for cut in cuts):
                return cls(since, tuple(cuts))
        except (KeyError, TypeError):
            pass
        raise NotVerified("the server sends changes, and does not say to what they are to be applied")


class DeltaApplier:
    """
    Applies changes to a list.

    :param kept: the lines of the list, each with its line feed.
    :param cuts: how many lines each chunk of the new list has.
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
        Give the chunks of the new list.

        :param deltas: the bodies of the delta's chunks.
        :raises NotVerified: where it cannot be applied.
        """
        async for delta in deltas:
            for line in delta.splitlines():
                name, records = _change(line)
                for body in self._apply(name, records):
                    yield body
        for body in self._copy(None):
            yield body
        if self._body or self._left:
            raise NotVerified("the changes do not fit the list that was kept: records are missing")

    def _apply(self, name: str, records: Sequence[Any]) -> Iterator[bytes]:
        yield from self._copy(name)
        while self._next is not None and _name(self._next) == name:
            self._next = next(self._kept, None)
        for record in records:
            yield from self._add(encode_json(record) + b"\n")

    def _copy(self, name: str | None) -> Iterator[bytes]:
        """Take over what comes before a name, or everything that is left."""
        while self._next is not None and (name is None or _name(self._next) < name):
            yield from self._add(self._next)
            self._next = next(self._kept, None)

    def _add(self, line: bytes) -> Iterator[bytes]:
        self._body.append(line)
        self._size += len(line)
        self._left -= 1
        if self._left < 0 or self._size > MAX_CHUNK_BYTES:
            raise NotVerified("the changes do not fit the list that was kept: it becomes too long")
        if not self._left:
            yield b"".join(self._body)
            self._body, self._size, self._left = [], 0, next(self._cuts, 0)


def _change(line: bytes) -> tuple[str, Sequence[Any]]:
    try:
        change = json.loads(line)
        name, records = change["name"], change["vulnerabilities"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotVerified(f"what has changed cannot be read: {error!r}") from error
    if not isinstance(name, str) or not isinstance(records, list):
        raise NotVerified("what has changed cannot be read: it has no name, or no records")
    return name, records


def _name(line: bytes) -> str:
    """Give the name of a record, which comes first in its line; reading all of it would take ten times as long."""
    found = _NAME.match(line)
    try:
        return found[1].decode() if found else str(json.loads(line)["name"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotVerified(f"the list that was kept is damaged: {error!r}") from error
