"""JSON documents of any size, encoded piece by piece: a long list is converted one item after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Protocol, TypeVar

from patches.wire import escape_json

#: A piece is passed on when it has this many characters.
_PIECE = 64 * 1024

_Item = TypeVar("_Item", covariant=True)


class Items(Sized, Protocol[_Item]):
    """Items that can be counted, and iterated over again and again."""

    def __iter__(self) -> Iterator[_Item]:
        """Yield the items."""


class LazyList(list[Any]):
    """
    A list in a document that :func:`json_pieces` encodes; an item exists only while it is encoded.

    The encoder of the standard library takes nothing but a list for an array, and this is one by its type alone. It is
    never empty, and can only be iterated over, or counted.

    :param size: the number of items, if it is known.
    """

    def __init__(self, make: Callable[[], Iterable[Any]], size: int = 1) -> None:
        super().__init__((None,))
        self._make = make
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        yield from self._make()


class LazyObject(dict[str, Any]):
    """An object in a document, as :class:`LazyList` is a list: its members exist only while they are encoded."""

    def __init__(self, make: Callable[[], Iterable[tuple[str, Any]]]) -> None:
        super().__init__({"": None})
        self._make = make

    def items(self) -> Any:
        """Yield the members."""
        return self._make()


def lazy_list(convert: Callable[[_Item], Any], items: Items[_Item]) -> list[Any]:
    """
    Return the converted items as a list in a document that is encoded by :func:`json_pieces`.

    :param items: they must stay as they are until then.
    """
    return LazyList(lambda: map(convert, items), len(items)) if len(items) else []


def json_pieces(document: Any, *, compact: bool = False) -> Iterator[str]:
    """
    Encode a document as JSON. Yield the text in pieces.

    :param compact: as :func:`patches.wire.encode_json` does; else in ASCII, with an indentation of two.
    """
    options: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False} if compact else {"indent": 2}
    pieces: list[str] = []
    size = 0
    for piece in json.JSONEncoder(**options).iterencode(document):
        pieces.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield escape_json("".join(pieces))
            pieces, size = [], 0
    yield escape_json("".join(pieces))
