"""
The children of an XML document's root, one at a time.

Theory of operation. Whatever can make a small document large, or have it read other files, is declared in a document
type. That stands before the root, or nowhere; so what comes up to the root is first given, a little at a time, to a
parser that refuses one. None of the documents that are read here has any. A child is dropped when the next one is
asked for, and its size is limited: memory does not grow with the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from patches.interfaces import SourceError

_MORSEL = 512
_PIECE = 64 * 1024
#: The root begins within so many bytes.
_PROLOG = 64 * 1024
#: No child of the root is longer than this; the longest known are a tenth of it.
_LARGEST = 8 * 1024 * 1024
_DEEPEST = 64


def children(stream: BinaryIO, root: str) -> Iterator[Element]:
    """
    Give the children of the root, each whole; one is void as soon as the next is asked for.

    :param root: the name that the root must have, its namespace left aside.
    :raises SourceError: if it is no such document, declares a document type, or ends early.
    """
    parser: XMLPullParser[Any] = XMLPullParser(("start", "end"))
    walk = _Walk(root)
    try:
        piece = _until_root(stream)
        while piece:
            walk.add(len(piece))
            parser.feed(piece)
            yield from walk.children(parser)
            piece = stream.read(_PIECE)
        parser.close()
        yield from walk.children(parser)
    except (ParseError, expat.ExpatError) as error:
        raise SourceError(f"not XML: {error}") from error


def name_of(element: Element) -> str:
    """Give the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def text_in(element: Element, name: str) -> str:
    """Give the text of a child, of whatever namespace; empty if there is none."""
    return (element.findtext(f"{{*}}{name}") or "").strip()


class _Walk:
    """Where in a document the parser is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._root: Element | None = None
        self._depth = 0
        self._since = 0

    def add(self, count: int) -> None:
        self._since += count
        if self._since > _LARGEST:
            raise SourceError(f"one element of it is longer than {_LARGEST} bytes")

    def children(self, parser: XMLPullParser[Any]) -> Iterator[Element]:
        events: Iterator[Any] = parser.read_events()
        for event, element in events:
            if event == "start":
                self._begin(element)
                continue
            self._depth -= 1
            if self._depth == 1 and self._root is not None:
                yield element
                self._root.clear()
                self._since = 0

    def _begin(self, element: Any) -> None:
        if self._root is None:
            self._root = element
            if name_of(element) != self._name:
                raise SourceError(f"its root is not <{self._name}>")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SourceError(f"its elements are nested more than {_DEEPEST} deep")


def _until_root(stream: BinaryIO) -> bytes:
    """Read until the root has begun, and some bytes more."""
    guard = expat.ParserCreate()
    begun = False

    def begin(*_: Any) -> None:
        nonlocal begun
        begun = True

    guard.StartElementHandler = begin
    guard.StartDoctypeDeclHandler = _refuse
    taken = b""
    while not begun and len(taken) <= _PROLOG and (piece := stream.read(_MORSEL)):
        taken += piece
        guard.Parse(piece)
    if len(taken) > _PROLOG:
        raise SourceError(f"not XML that is known: its root does not begin within {_PROLOG} bytes")
    return taken


def _refuse(*_: Any) -> None:
    raise SourceError("it declares a document type, which is refused: it might make much of little")
