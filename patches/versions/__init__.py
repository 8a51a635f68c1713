"""
Version orders, one module each, all of one shape.

``sort_key(version)`` gives a key that compares with the keys of the same module as the native tool compares the
versions; it raises :class:`InvalidVersion` for what the native tool refuses.
"""

from __future__ import annotations


class InvalidVersion(ValueError):
    """A version that the native tool calls invalid."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(f"{version!r}: {reason}")
        self.version = version
        self.reason = reason
