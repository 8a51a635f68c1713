"""The output of ``clairctl export-updaters`` of Clair v4."""

from patches.sources.clair_export.source import KIND

__all__ = ["KIND"]
