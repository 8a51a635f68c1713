"""A case with a server that has public feeds, but no configured source."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from patches.errors import SourceError
from patches.server.errors import NotReady, UnknownPlatform
from patches.server.refresh.refresher import Refresher
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import HOUR, PutPublic, RefreshCase

DAY = 24 * HOUR


class PublicCase(RefreshCase):
    """A case with a server without a configured source; public feeds have two releases of Debian and one of Ubuntu."""

    def setUp(self) -> None:
        super().setUp()
        self.configured = []
        self.source_lists = self.public = PutPublic()
        for platform, count in (("debian-11", 11), ("debian-12", 12), ("ubuntu-24.04", 24)):
            self.source_lists.lists[platform] = [*vulnerabilities(count, platform)]
        self.start()

    def start(self) -> None:
        """Start a server, or restart it."""
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))

    def asked_of(self, family: str) -> list[str]:
        """Return the requests that a public source has received, and forget them."""
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
        """Request a platform as a scanner does; return the length of its list, or the error."""
        try:
            return (refresh or self.refresh).registry.current(platform).vulnerabilities
        except NotReady:
            return "not ready"
        except UnknownPlatform:
            return "unknown"
