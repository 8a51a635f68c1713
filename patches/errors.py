"""The errors of vulnerability sources: a source, its parsers and the refresh agree on them."""

from __future__ import annotations


class SourceError(Exception):
    """A vulnerability source could not provide a complete list."""


class NotThere(SourceError):
    """The source answers, but does not have the list or file that was requested."""


class AccessRefused(SourceError):
    """The source answers, but refuses the list or file that was requested."""


class PlatformNotListed(NotThere):
    """The source has no list of this platform (yet)."""


class ListChanged(SourceError):
    """The source lost its place in the list: the records read so far are void, and a new listing must be requested."""
