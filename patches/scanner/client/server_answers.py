"""
The documents that the scanner reads from its server: each is checked as a whole before anything of it is used.

A member may be missing, as servers of earlier versions do not have all of them, and members that are not known are
ignored. A member that is there must be what it is said to be; else the answer is wrong, and nothing of it counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from patches.scanner.client.bounds import GREATEST_COUNT
from patches.scanner.client.http_client import HttpResponse
from patches.scanner.client.verified_stream import NotVerified
from patches.wire import is_whole

_NAME = re.compile(r"[A-Za-z0-9._~-]{1,512}")
#: A test of a value, and what it must be.
Kind = tuple[Callable[[Any], bool], str]


def _is_count(value: Any) -> bool:
    return is_whole(value) and 0 <= value <= GREATEST_COUNT


#: The name of a session becomes a part of paths: unreserved characters (RFC 3986 section 2.3), as many as ours has.
NAME: Kind = (lambda value: isinstance(value, str) and bool(_NAME.fullmatch(value)), "a name of a session")
TEXT: Kind = (lambda value: isinstance(value, str), "a string")
FLAG: Kind = (lambda value: isinstance(value, bool), "a boolean")
COUNT: Kind = (_is_count, "a count")
COUNT_OR_NULL: Kind = (lambda value: value is None or _is_count(value), "a count")
OBJECT: Kind = (lambda value: isinstance(value, dict), "an object")

#: Its signatures are judged by :mod:`.trust`.
_SNAPSHOT: Mapping[str, Kind] = {
    **dict.fromkeys(("revision", "created", "checked", "digest"), TEXT),
    **dict.fromkeys(("vulnerabilities", "chunks", "bytes", "unread", "publication"), COUNT),
    "empty": FLAG,
}
#: ``pollAfter`` and ``expectedWait`` are advice, which is bounded, or ignored, where it is used.
_PROGRESS: Mapping[str, Kind] = {"state": TEXT, "queuePosition": COUNT_OR_NULL}
_SESSION: Mapping[str, Kind] = {
    **_PROGRESS,
    **{"session": NAME, "platform": TEXT, "chunk": COUNT, "snapshot": OBJECT, "delta": OBJECT},
}
_DELTA: Mapping[str, Kind] = {"since": TEXT, **dict.fromkeys(("changes", "chunks", "bytes"), COUNT)}
_UNCHANGED: Mapping[str, Kind] = {"unchanged": FLAG, "platform": TEXT, "snapshot": OBJECT}
_END: Mapping[str, Kind] = {
    "finished": FLAG,
    **dict.fromkeys(("chunks", "vulnerabilities", "unread"), COUNT),
    **dict.fromkeys(("digest", "revision"), TEXT),
}


def session_document(answer: HttpResponse) -> dict[str, Any]:
    """
    Return the description of a session, with those of its list and its delta.

    :raises NotVerified: if it is malformed.
    """
    document = _checked(answer, "the description of the session", _SESSION)
    _check_lists(document)
    return document


def unchanged_document(answer: HttpResponse) -> dict[str, Any]:
    """
    Return the statement that a list is the current one, with the description of that.

    :raises NotVerified: if it is malformed.
    """
    document = _checked(answer, "the description of the unchanged list", _UNCHANGED)
    _check_lists(document)
    return document


def end_document(answer: HttpResponse) -> dict[str, Any]:
    """
    Return the description of the end of a stream.

    :raises NotVerified: if it is malformed.
    """
    return _checked(answer, "the end of the stream", _END)


def progress_document(answer: HttpResponse) -> dict[str, Any]:
    """
    Return the progress of a session that waits; empty if there is none, as a wait needs none.

    :raises NotVerified: if it is malformed.
    """
    document = answer.document() or {}
    _check(document, "the progress of the session", _PROGRESS)
    return document


def _checked(answer: HttpResponse, what: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    document = answer.document()
    if document is None:
        raise NotVerified(f"{what} is malformed: it is not a JSON object, or has a member twice")
    _check(document, what, kinds)
    return document


def _check_lists(document: Mapping[str, Any]) -> None:
    for name, what, kinds in (
        ("snapshot", "the description of the list", _SNAPSHOT),
        ("delta", "the description of the delta", _DELTA),
    ):
        _check(document.get(name) or {}, what, kinds)


def _check(document: Mapping[str, Any], what: str, kinds: Mapping[str, Kind]) -> None:
    for name, (test, said) in kinds.items():
        if name in document and not test(document[name]):
            raise NotVerified(f"{what} is malformed: {name} is not {said}")
