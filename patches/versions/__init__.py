"""
Version orders, one module each, all of one shape.

``sort_key(version)`` gives a key that compares with the keys of the same module as the native tool compares the
versions; it raises :class:`InvalidVersion` for what the native tool refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

#: The schemes there are an order for, each a module of this package.
SCHEMES = ("dpkg", "rpm", "apk")


class InvalidVersion(ValueError):
    """A version that the native tool calls invalid."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(f"{version!r}: {reason}")
        self.version = version
        self.reason = reason


def ordering(scheme: str) -> Callable[[str], Any] | None:
    """
    Give the function that makes the sort keys of a version scheme.

    :param scheme: ``dpkg``, ``rpm`` or ``apk``.
    :return: its ``sort_key``, or ``None`` if there is no order for this scheme.
    """
    if scheme not in SCHEMES:
        return None
    sort_key: Callable[[str], Any] = import_module(f"patches.versions.{scheme}").sort_key
    return sort_key
