"""
Version orders of package managers, one module each, with the same interface.

``sort_key(version)`` returns a key; keys of the same module compare as the native tool compares the versions. It raises
:class:`InvalidVersion` for a version that the native tool refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

#: The schemes that have an order, each a module of this package.
SCHEMES = ("dpkg", "rpm", "apk")


class InvalidVersion(ValueError):
    """A version that the native tool refuses as invalid."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(f"{version!r}: {reason}")
        self.version = version
        self.reason = reason


def ordering(scheme: str) -> Callable[[str], Any] | None:
    """
    Return the function that creates the sort keys of a version scheme.

    :param scheme: ``dpkg``, ``rpm`` or ``apk``.
    :return: its ``sort_key``, or ``None`` if the scheme is unknown.
    """
    if scheme not in SCHEMES:
        return None
    sort_key: Callable[[str], Any] = import_module(f"patches.versions.{scheme}").sort_key
    return sort_key
