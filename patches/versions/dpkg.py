"""
The version order of dpkg: Debian, Ubuntu and their derivatives.

Source: Debian Policy 5.6.12; dpkg's ``lib/dpkg/version.c`` (order) and ``lib/dpkg/parsehelp.c`` (valid versions).

Theory of operation. A version is converted once to ``bytes`` that compare as the versions do, so that a comparison is
one ``memcmp``. dpkg compares runs of non-digits and numbers alternately. Within a run ``~`` sorts before its end, the
end before the letters, the letters before all other characters; numbers compare by value, and a missing number is zero.
So the bytes are, in this order::

    0x00          ~
    0x01          the end of a part
    0x01 .. 0x3f  a number's count of digits, which also ends the run before it; the digits follow
    A-Z a-z       themselves
    0x7b .. 0x7e  + - . :

Epoch, upstream version and revision are written one after the other. None of them can be a prefix of another of its
kind, so that the first part that differs decides.
"""

from __future__ import annotations

import re
from functools import lru_cache

from patches.versions import InvalidVersion
from patches.versions.numbers import number_key

#: ``strtol`` accepts blanks and a sign before the digits, so dpkg does too.
_EPOCH = re.compile(r"[\n\v\f\r]*(?:\+?|-(?=0+\Z))0*([0-9]{1,10})\Z")
_UPSTREAM = re.compile(r"[0-9][A-Za-z0-9.+~:-]*\Z")
_REVISION = re.compile(r"[A-Za-z0-9.+~]+\Z")
_GREATEST_EPOCH = 2**31 - 1
_CACHED_LENGTH = 256

_END = b"\x01"
_ZERO = b"\x01"
_WEIGHTS = bytes.maketrans(b"~+-.:", b"\x00\x7b\x7c\x7d\x7e")
_DIGITS = re.compile(rb"[0-9]+")


def sort_key(version: str) -> bytes:
    """
    Return a key that compares as ``dpkg --compare-versions`` compares versions.

    :raises InvalidVersion: for a version that ``dpkg --validate-version`` refuses.
    """
    return _remembered(version) if len(version) <= _CACHED_LENGTH else _make(version)


def _make(version: str) -> bytes:
    epoch, upstream, revision = _take_apart(version)
    return _epoch(version, epoch) + _part(upstream) + _part(revision)


_remembered = lru_cache(maxsize=32768)(_make)


def _take_apart(version: str) -> tuple[str, str, str]:
    text = version.strip(" \t")
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"
    if not _UPSTREAM.match(upstream):
        raise InvalidVersion(version, "the upstream version does not start with a digit, or has an invalid character")
    if not _REVISION.match(revision):
        raise InvalidVersion(version, "the revision is empty, or has an invalid character")
    return epoch, upstream, revision


def _epoch(version: str, text: str) -> bytes:
    if text == "0":
        return _ZERO
    match = _EPOCH.match(text)
    if not match or int(match[1]) > _GREATEST_EPOCH:
        raise InvalidVersion(version, "the epoch is not a number from 0 to 2147483647")
    return number_key(match[1].encode("ascii"))


def _part(text: str) -> bytes:
    """Encode an upstream version or a revision, its end included."""
    weighed = _DIGITS.sub(_matched_number, text.encode("ascii").translate(_WEIGHTS))
    return weighed + _END if text[-1] in "0123456789" else weighed + _ZERO + _END


def _matched_number(match: re.Match[bytes]) -> bytes:
    return number_key(match[0])
