"""
The version order of rpm: Red Hat, SUSE and their derivatives.

Source: rpm's ``rpmio/rpmvercmp.c`` (order of a part) and ``rpmio/rpmver.c`` (``[epoch:]version[-release]``).

Theory of operation. A version is converted once to ``bytes`` that compare as the versions do. rpm compares runs of
digits and runs of letters alternately; all other characters except ``~`` and ``^`` only separate them. So the bytes
are, in this order::

    0x00    ~
    0x01    the end of a part
    0x02    ^
    0x03    a run of letters: the letters and 0x00
    0x04    a number, by value

Epoch, version and release are written one after the other. A version without an epoch has the epoch 0; one without a
release sorts before all its releases.
"""

from __future__ import annotations

import re
from functools import lru_cache

from patches.versions import InvalidVersion
from patches.versions.numbers import number_key

_PARTS = re.compile(r"(?:([0-9]*):)?(.*?)(?:-([^-]*))?\Z", re.DOTALL)
_STRETCHES = re.compile(rb"[0-9]+|[A-Za-z]+|~|\^")
_UNUSABLE = re.compile(r"[\s\x00-\x1f]")
_CACHED_LENGTH = 256

_END = b"\x01"
_MARKS = {b"~": b"\x00", b"^": b"\x02"}


def sort_key(version: str) -> bytes:
    """
    Return a key that compares as rpm compares ``[epoch:]version[-release]``.

    :raises InvalidVersion: for a text that cannot be a package's version: it is empty, or contains blanks.
    """
    return _remembered(version) if len(version) <= _CACHED_LENGTH else _make(version)


def _make(text: str) -> bytes:
    match = _PARTS.match(text)
    if match is None or not match[2] or _UNUSABLE.search(text):
        raise InvalidVersion(text, "it contains no version, or a blank")
    epoch, version, release = match.groups()
    key = number_key((epoch or "").encode("ascii")) + _part(version)
    return key if release is None else key + _part(release)


_remembered = lru_cache(maxsize=32768)(_make)


def _part(text: str) -> bytes:
    """Encode a version or a release, its end included."""
    stretches = _STRETCHES.findall(text.encode("utf-8", "surrogatepass"))
    return b"".join(map(_stretch, stretches)) + _END


def _stretch(stretch: bytes) -> bytes:
    mark = _MARKS.get(stretch)
    if mark is not None:
        return mark
    return b"\x04" + number_key(stretch) if stretch.isdigit() else b"\x03" + stretch + b"\x00"
