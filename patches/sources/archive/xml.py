"""
The children of an XML document's root, one at a time.

Theory of operation. Everything that can make a small document large, or make its parser read other files, is declared
in a document type. A document type can only be before the root; so the document up to the root is first parsed, a
little at a time, by a parser that refuses one. None of the documents that are read here has a document type. A child is
dropped when the next one is requested, and its size is limited: memory does not grow with the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from patches.errors import SourceError

_MORSEL = 512
_PIECE = 64 * 1024
#: The root must begin within this number of bytes.
_PROLOG = 64 * 1024
#: The longest child of the root, in bytes; the longest known are a tenth of it.
_LARGEST = 8 * 1024 * 1024
_DEEPEST = 64
#: The events of a document type; expat reports the first at ``<!DOCTYPE``, the others at each declaration in it.
_DECLARATIONS = (
    "StartDoctypeDeclHandler",
    "EntityDeclHandler",
    "ElementDeclHandler",
    "AttlistDeclHandler",
    "NotationDeclHandler",
    "ExternalEntityRefHandler",
)


def children(stream: BinaryIO, root: str) -> Iterator[Element]:
    """
    Yield the complete children of the root; one is void as soon as the next is requested.

    :param root: the name that the root must have, without its namespace.
    :raises SourceError: if it is not such a document, declares a document type, or ends early.
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
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def text_in(element: Element, name: str) -> str:
    """Return the text of a child, of any namespace; empty if there is no such child."""
    return (element.findtext(f"{{*}}{name}") or "").strip()


class _Walk:
    """The position of the parser in a document."""

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
    """
    Read until the root has begun. Return the bytes, of which the last may be behind its start tag.

    :raises SourceError: if there is no root, or a declaration before it.
    """
    guard = _Guard()
    taken = b""
    while not guard.begun:
        piece = stream.read(_MORSEL)
        taken += piece
        guard.feed(piece)
        if not piece:
            break
        if len(taken) > _PROLOG and not guard.begun:
            raise SourceError(f"not a known XML document: its root does not begin within {_PROLOG} bytes")
    if not guard.begun:
        raise SourceError("not XML: it has no root")
    return taken


class _Guard:
    """
    A parser of what is before the root, which refuses declarations.

    Since version 2.6.0 expat puts off incomplete tokens, and reports them only after more input than a document may
    have left: this is turned off where Python can (``SetReparseDeferralEnabled``), and the last input is always
    reported. What counts is the root: until it has been reported, no byte may reach another parser.

    :ivar begun: whether the root has begun.
    """

    def __init__(self) -> None:
        self.begun = False
        self._parser = expat.ParserCreate()
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartElementHandler = self._begin
        for name in _DECLARATIONS:
            setattr(self._parser, name, _refuse)

    def feed(self, piece: bytes) -> None:
        """Parse the next piece; an empty one is the end."""
        self._parser.Parse(piece, not piece)

    def _begin(self, *_: Any) -> None:
        self.begun = True


def _refuse(*_: Any) -> None:
    raise SourceError("it declares a document type, which is refused: its entities might expand without limit")
