"""The architectures of a package, as Red Hat's and Clair's data name them."""

from __future__ import annotations

import re
from collections.abc import Iterable

EVERY = "noarch"
SOURCES = ("src", "nosrc")
_ALTERNATIVES = re.compile(r"[\w|]{1,400}\Z", re.ASCII)
#: What a pattern may have around it.
_AROUND = str.maketrans("", "", "^$()")


def in_pattern(pattern: str) -> frozenset[str] | None:
    """
    Take the alternatives out of a regular expression: ``aarch64|x86_64``.

    :return: ``None`` if it is none of alternatives alone.
    """
    bare = pattern.translate(_AROUND)
    return frozenset(filter(None, bare.split("|"))) if _ALTERNATIVES.match(bare) else None


def restriction(arches: Iterable[str]) -> tuple[str, ...] | None:
    """Give the architectures to which builds are restricted; ``None``: to none, as one of them is for every machine."""
    found = {arch for arch in arches if arch not in SOURCES}
    return None if EVERY in found or not found else tuple(sorted(found))
