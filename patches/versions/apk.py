"""
The version order of apk: Alpine, Wolfi, Chainguard.

Source: apk-tools 3, ``src/version.c``. A version is ``digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]``.

Theory of operation. A version is converted once to ``bytes`` that compare as the versions do. apk compares the pieces
of two versions in turn; where they are of different kinds, the kind decides. So each piece begins with a byte that
orders the kinds::

    0x01 .. 0x04  _alpha _beta _pre _rc: before all others, including the end
    0x05          the end
    0x06          -r, and a number
    0x07          ~, and a hash as text
    0x08          the number of a suffix
    0x09 .. 0x0d  _cvs _svn _git _hg _p
    0x0e          a letter
    0x0f, 0x10    a dot, and a number: one with a leading zero compares as text, before all others
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from patches.versions import InvalidVersion
from patches.versions.numbers import number_key

_VERSION = re.compile(
    rb"([0-9]+)((?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(?:~([0-9a-f]+))?(?:-r([0-9]+))?\Z"
)
_SUFFIX = re.compile(rb"_([a-z]+)([0-9]*)")
_SUFFIXES = {
    name: bytes((weight,))
    for names, first in (((b"alpha", b"beta", b"pre", b"rc"), 0x01), ((b"cvs", b"svn", b"git", b"hg", b"p"), 0x09))
    for weight, name in enumerate(names, first)
}
_END = b"\x05"
_CACHED_LENGTH = 256


def sort_key(version: str) -> bytes:
    """
    Return a key that compares as ``apk version -t`` compares versions.

    :raises InvalidVersion: for a version that ``apk version --check`` refuses.
    """
    return _remembered(version) if len(version) <= _CACHED_LENGTH else _make(version)


def _make(version: str) -> bytes:
    match = _VERSION.match(version.encode("utf-8", "surrogatepass"))
    if match is None:
        raise InvalidVersion(version, "it is not of the form 1.2.3a_rc1-r0")
    return b"".join(_pieces(match))


_remembered = lru_cache(maxsize=32768)(_make)


def _pieces(match: re.Match[bytes]) -> Iterator[bytes]:
    first, others, letter, suffixes, commit, revision = match.groups()
    yield number_key(first)
    for digits in others.split(b".")[1:]:
        yield b"\x0f" + digits + b"\x00" if digits.startswith(b"0") else b"\x10" + number_key(digits)
    if letter:
        yield b"\x0e" + letter
    for name, digits in _SUFFIX.findall(suffixes):
        yield _SUFFIXES[name]
        if digits:
            yield b"\x08" + number_key(digits)
    if commit is not None:
        yield b"\x07" + commit + b"\x00"
    if revision is not None:
        yield b"\x06" + number_key(revision)
    yield _END
