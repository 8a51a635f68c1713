"""A case with a server for which no source was configured, and public feeds."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from patches.interfaces import SourceError
from patches.server.errors import NotReady, UnknownPlatform
from patches.server.refresh.refresher import Refresher
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import HOUR, PutPublic, RefreshCase

DAY = 24 * HOUR


class PublicCase(RefreshCase):
    """A case with a server that no source was configured for; public feeds have two Debians and a Ubuntu."""

    def setUp(self) -> None:
        super().setUp()
        self.configured = []
        self.source_lists = self.public = PutPublic()
        for platform, count in (("debian-11", 11), ("debian-12", 12), ("ubuntu-24.04", 24)):
            self.source_lists.lists[platform] = [*vulnerabilities(count, platform)]
        self.start()

    def start(self) -> None:
        """Start a server, or start it again."""
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))

    def asked_of(self, family: str) -> list[str]:
        """Return what a public source was asked for, and forget it."""
        feed = self.source_lists.made.get(family)
        asked = list(feed.asked) if feed is not None else []
        if feed is not None:
            feed.asked.clear()
        return asked

    def break_feed(self, platform: str) -> None:
        """Make a public feed unavailable."""
        (feed,) = self.source_lists.sources([platform]).values()
        feed.trouble = SourceError("away")

    def scan(self, platform: str = "debian-12", refresh: Refresher | None = None) -> str | int:
        """Ask for a platform, as a scanner does; give the length of its list, or what is wrong."""
        try:
            return (refresh or self.refresh).current(platform).vulnerabilities
        except NotReady:
            return "not ready"
        except UnknownPlatform:
            return "unknown"
