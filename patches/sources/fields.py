"""Checks and conversions of the fields of feeds: a text that is accepted can be printed and is not too long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeGuard

from patches.vulnerability import FixedPackage, Severity

_NAME = re.compile(r"[!-~]{1,256}\Z")
_LINK = re.compile(r"https?://[!-~]{1,2000}\Z")
_TIME = re.compile(r"(?!0001-)\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z")


def is_name(value: Any) -> TypeGuard[str]:
    """Return whether a value can be the name of a record or of a package, or a version."""
    return isinstance(value, str) and _NAME.match(value) is not None


def is_link(value: Any) -> TypeGuard[str]:
    """Return whether a value is an ``http`` or ``https`` URL of a web page."""
    return isinstance(value, str) and _LINK.match(value) is not None


def time_in(value: Any) -> str | None:
    """Return an RFC 3339 time, else ``None``; some feeds write the year 1 for an unknown time."""
    return value if isinstance(value, str) and _TIME.match(value) else None


def text_of(value: Any) -> str:
    """Return what should be a text; any other value counts as an empty one, as feeds omit these."""
    return value if isinstance(value, str) else ""


def object_of(value: Any) -> dict[str, Any]:
    """Return what should be an object; any other value counts as an empty one."""
    return value if isinstance(value, dict) else {}


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects in what should be a list of objects; other values are ignored."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


EVERY = "noarch"
SOURCES = ("src", "nosrc")
_ALTERNATIVES = re.compile(r"[\w|]{1,400}\Z", re.ASCII)
#: The characters that a pattern may have around its alternatives.
_AROUND = str.maketrans("", "", "^$()")


def arches_in_pattern(pattern: str) -> frozenset[str] | None:
    """
    Return the alternatives of a regular expression: ``aarch64|x86_64``.

    :return: ``None`` if the expression contains anything else.
    """
    bare = pattern.translate(_AROUND)
    return frozenset(filter(None, bare.split("|"))) if _ALTERNATIVES.match(bare) else None


def arch_restriction(arches: Iterable[str]) -> tuple[str, ...] | None:
    """Return the architectures to which builds are restricted; ``None``: one of the builds is for every machine."""
    found = {arch for arch in arches if arch not in SOURCES}
    return None if EVERY in found or not found else tuple(sorted(found))


def sorted_packages(packages: Iterable[FixedPackage]) -> tuple[FixedPackage, ...]:
    """Return the packages without duplicates, in an order that depends on the packages only."""
    return tuple(sorted(set(packages), key=_order))


def _order(package: FixedPackage) -> tuple[str, ...]:
    bounds = (package.introduced, package.version, package.last_affected, package.track, package.module)
    facts = (*bounds, package.status, package.note)
    return (package.name, package.kind, *(fact or "" for fact in facts), *(package.arches or ()))


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
    """Return the severity of a word, in any case, with or without Debian's asterisks; unknown for other words."""
    return WORDS.get(word.strip().rstrip("*").lower(), Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN
