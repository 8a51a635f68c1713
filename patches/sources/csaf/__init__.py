"""Red Hat's VEX documents, in CSAF's format."""

from patches.sources.csaf.source import KIND

__all__ = ["KIND"]
