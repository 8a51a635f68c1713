"""The routes of a Clair, which match the decoded path, so that a name with a slash has no route."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote_to_bytes

from attrs import frozen

PREFIX = "/v1"
#: The route for each number of segments, with its fixed words.
_SHAPES = {
    1: ("namespaces", ("namespaces",)),
    3: ("list", ("namespaces", None, "vulnerabilities")),
    4: ("details", ("namespaces", None, "vulnerabilities", None)),
    5: ("fixes", ("namespaces", None, "vulnerabilities", None, "fixes")),
}


class MalformedPath(ValueError):
    """A path with a percent sign that does not begin an escape."""


@frozen
class Route:
    """
    The destination of a request.

    :ivar kind: ``namespaces``, ``list``, ``details`` or ``fixes``.
    :ivar names: the namespace and the vulnerability; bytes that are not UTF-8 are surrogates.
    """

    kind: str
    names: tuple[str, ...] = ()


def decode_path(raw: str) -> str:
    """
    Decode the escapes of a path.

    :raises MalformedPath: if an escape is not valid.
    """
    if re.search(r"%(?![0-9A-Fa-f]{2})", raw):
        raise MalformedPath(raw)
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


def route_of(path: str) -> Route | None:
    """Return the route of a decoded path, or ``None``."""
    return _match(path.removeprefix(PREFIX).split("/"), str.__eq__) if path.startswith(PREFIX) else None


def redirect_of(path: str) -> str | None:
    """Return the target of a redirect for a path without a route: it lacks ``/v1``, which is a bug of Clair."""
    if not path.startswith(PREFIX):
        return None
    rest = path.removeprefix(PREFIX)
    segments = ["", *(segment for segment in rest.split("/") if segment)]
    route = _match(segments, lambda segment, word: segment.lower() == word)
    if route is None and not (rest.endswith("/") and segments[1:2] == ["namespaces"] and len(segments) == 3):
        return None
    words = _SHAPES[len(segments) - 1][1] if route else (None,) * (len(segments) - 1)
    fixed = (word or segment for word, segment in zip(words, segments[1:], strict=True))
    return quote("/" + "/".join(fixed), safe="/:$&+=@~!*'(),", errors="surrogateescape")


def _match(segments: list[str], same: Callable[[str, str], bool]) -> Route | None:
    kind, words = _SHAPES.get(len(segments) - 1, ("", ()))
    if not kind or segments[0]:
        return None
    given = list(zip(segments[1:], words, strict=True))
    if not all(word is None or same(segment, word) for segment, word in given) or not all(segments[4:]):
        return None
    return Route(kind, tuple(segment for segment, word in given if word is None))
