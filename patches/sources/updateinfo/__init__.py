"""``updateinfo.xml``: the advisories of rpm repositories."""

from patches.sources.updateinfo.source import KIND

__all__ = ["KIND"]
