"""The Debian security tracker."""

from patches.sources.debian_tracker.source import KIND

__all__ = ["KIND"]
