"""OSV: records of many distributions in one format, as archives."""

from patches.sources.osv.source import KIND

__all__ = ["KIND"]
