"""Alpine's security database, in the format that Wolfi and Chainguard publish too."""

from patches.sources.secdb.source import KIND

__all__ = ["KIND"]
