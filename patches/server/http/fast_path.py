"""
The fast path: requests for chunks, and questions after lists, that are recognized before Twisted's parser sees them.

Only a plain request that arrives alone and whole is recognized; everything else takes the long way, through the parser
and :mod:`~patches.server.http.api`, and gets the same answer. What is recognized is listed, not what is refused: a
header field of any other name, with any other form of its name, or with an unusual value, is for the parser to judge.
So nothing that could change where a request ends, such as ``Content-Length``, is ever read in two ways.

It is an optimisation with a switch: ``--no-fast-path``, :attr:`.ServerSite.fast_path`. ``benchmarks/serve.py`` measures
what it gains: a chunk takes a fifth of the CPU time that a bare :class:`~twisted.web.resource.Resource` takes for the
same bytes, which does less than the long way.
"""

from __future__ import annotations

import re
from functools import lru_cache

from twisted.web.http import datetimeToString

from patches.http.authority import is_authority
from patches.http.bounded_channel import MOST_HEAD_BYTES
from patches.http.validators import weak_tag

_QUESTION_LINE = re.compile(rb"GET /v1/platforms/([a-z0-9._-]{1,64}) HTTP/1\.1\r\n")
#: The field of a question, with one entity tag.
_VALIDATOR = re.compile(rb'\r\nif-none-match:[ \t]*(?:W/)?"([!#-~]{1,128})"[ \t]*(?=\r\n)', re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"GET /v1/sessions/([A-Za-z0-9_-]{1,512})/chunks/(0|[1-9][0-9]{0,8}) HTTP/1\.1\r\n")
#: A field whose name is directly followed by the colon, and whose value is visible ASCII, spaces and tabs.
_FIELD = re.compile(rb"([A-Za-z-]{1,40}):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*")
#: Content codings without a quality: which one is preferred needs no thought.
_CODINGS = re.compile(rb"[A-Za-z]+(?:[ \t]*,[ \t]*[A-Za-z]+)*")

#: The fields that a plain request needs, or may have only with the usual value.
_HOST_NAME, _CODING_NAME, _CONNECTION_NAME = b"host", b"accept-encoding", b"connection"
#: The fields that change nothing in the answer to a request for a chunk that is at hand, nor where the request ends.
_WITHOUT_EFFECT = frozenset(
    (
        *(b"accept", b"accept-language", b"cache-control", b"pragma", b"prefer", b"user-agent"),
        *(b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"),
    )
)
_PLAIN = _WITHOUT_EFFECT | {_HOST_NAME, _CODING_NAME, _CONNECTION_NAME}


def match(data: bytes) -> tuple[str, int] | None:
    """
    Return the token of the session, and the number of the chunk, that a request asks for.

    :param data: what was received.
    :return: ``None`` if the data are not exactly one plain request for a chunk.
    """
    found = _REQUEST_LINE.match(data)
    if found is None or len(data) > MOST_HEAD_BYTES or not are_plain(data[found.end() :]):
        return None
    token, number = found.groups()
    return token.decode("ascii"), int(number)


def match_question(data: bytes) -> tuple[str, str] | None:
    """
    Return the platform, and the revision, of a question whether a list has changed.

    :param data: what was received.
    :return: ``None`` if the data are not exactly one plain question.
    """
    found = _QUESTION_LINE.match(data)
    if found is None or len(data) > MOST_HEAD_BYTES:
        return None
    fields = data[found.end() - 2 :]  # with the line feed that ends the request line
    named = _VALIDATOR.search(fields)
    if named is None or not are_plain(fields[2 : named.start() + 2] + fields[named.end() + 2 :]):
        return None
    return found[1].decode("ascii"), named[1].decode("ascii")


def unchanged_answer(revision: str, now: float) -> bytes:
    """
    Return the answer that a list has not changed, as :mod:`~patches.server.http.api` gives it.

    :param now: seconds since the epoch.
    """
    lines = (
        b"HTTP/1.1 304 Not Modified",
        b"Server: Patches",
        b"Date: " + datetimeToString(now),
        b"ETag: " + weak_tag(revision).encode("ascii"),
        b"Cache-Control: no-cache",
    )
    return b"\r\n".join((*lines, b"", b""))


@lru_cache(maxsize=256)
def are_plain(fields: bytes) -> bool:
    """
    Return whether bytes are the header fields of a request for gzip, without anything that the parser must judge.

    The fields of a client are always the same, so they are nearly always in the cache. Each may be there once: so there
    are never too many of them for the parser.

    :param fields: everything behind the request line, the empty line at the end included.
    """
    if not fields.endswith(b"\r\n\r\n"):
        return False
    values: dict[bytes, bytes] = {}
    for line in fields[:-4].split(b"\r\n"):
        found = _FIELD.fullmatch(line)
        if found is None:
            return False
        name = found[1].lower()
        if name in values or name not in _PLAIN:
            return False
        values[name] = found[2]
    codings = values.get(_CODING_NAME, b"")
    return (
        is_authority(values.get(_HOST_NAME, b""))
        and _CODINGS.fullmatch(codings) is not None
        and b"gzip" in re.split(rb"[ \t]*,[ \t]*", codings.lower())
        and values.get(_CONNECTION_NAME, b"keep-alive").lower() == b"keep-alive"
    )
