"""Clair 2: its API, the walk along its lists, and its namespaces."""

from patches.sources.clair.source import KIND

__all__ = ["KIND"]
