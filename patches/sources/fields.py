"""What a text in a feed must be before it is taken over: it can be printed, and is not too long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeGuard

from patches.vulnerability import FixedPackage, Severity

_NAME = re.compile(r"[!-~]{1,256}\Z")
_LINK = re.compile(r"https?://[!-~]{1,2000}\Z")
_TIME = re.compile(r"(?!0001-)\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z")


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether this can be the name of a record or of a package, or a version."""
    return isinstance(value, str) and _NAME.match(value) is not None


def is_link(value: Any) -> TypeGuard[str]:
    """Tell whether this is the address of a web page."""
    return isinstance(value, str) and _LINK.match(value) is not None


def time_in(value: Any) -> str | None:
    """Take an RFC 3339 time; the year 1 is how some feeds write that none is known."""
    return value if isinstance(value, str) and _TIME.match(value) else None


def dicts(value: Any) -> list[dict[str, Any]]:
    """Take the objects out of what should be a list of them."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


EVERY = "noarch"
SOURCES = ("src", "nosrc")
_ALTERNATIVES = re.compile(r"[\w|]{1,400}\Z", re.ASCII)
#: What a pattern may have around it.
_AROUND = str.maketrans("", "", "^$()")


def arches_in_pattern(pattern: str) -> frozenset[str] | None:
    """
    Take the alternatives out of a regular expression: ``aarch64|x86_64``.

    :return: ``None`` if it is none of alternatives alone.
    """
    bare = pattern.translate(_AROUND)
    return frozenset(filter(None, bare.split("|"))) if _ALTERNATIVES.match(bare) else None


def arch_restriction(arches: Iterable[str]) -> tuple[str, ...] | None:
    """Give the architectures to which builds are restricted; ``None``: to none, as one of them is for every machine."""
    found = {arch for arch in arches if arch not in SOURCES}
    return None if EVERY in found or not found else tuple(sorted(found))


def sorted_packages(packages: Iterable[FixedPackage]) -> tuple[FixedPackage, ...]:
    """Give the packages in an order that depends on nothing but them, each once."""
    return tuple(sorted(set(packages), key=_order))


def _order(package: FixedPackage) -> tuple[str, ...]:
    bounds = (package.introduced, package.version, package.last_affected, package.channel, package.module)
    return (package.name, package.kind, *(bound or "" for bound in bounds), package.status, *(package.arches or ()))


WORDS = {
    "negligible": Severity.NEGLIGIBLE,
    "unimportant": Severity.NEGLIGIBLE,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "critical": Severity.CRITICAL,
}


def severity_in(word: Any) -> Severity:
    """Give what a word stands for, in any case, with or without Debian's stars; unknown if it is no such word."""
    return WORDS.get(word.strip().rstrip("*").lower(), Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN
