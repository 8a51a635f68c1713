"""What ``clairctl export-updaters`` of Clair v4 writes."""

from patches.sources.clair_export.source import KIND

__all__ = ["KIND"]
