"""A case with a Clair whose list was read, and a reader that applies its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from patches.sources.clair.listing import ClairListing
from patches.vulnerability import Vulnerability
from tests.sources.clair_in_memory import Meddling, MemoryCase, named

HALF_HOUR = 1800.0


def fixed(name: str, version: str) -> dict[str, Any]:
    """Return a vulnerability that is fixed in a version of a package."""
    return {"Name": name, "FixedIn": [{"Name": "made-up", "Version": version}]}


class FollowCase(MemoryCase):
    """A case with a list of four that was read, and a reader that applies its changes."""

    def setUp(self) -> None:
        super().setUp()
        self.double.load("debian:9", named("a", "b", "c", "d"))
        self.meddle: Callable[[str], None] = lambda target: None
        self.resource = Meddling(self.double.resource(), lambda target: self.meddle(target))
        self.clair = self.source(parallel=1, tries=1)
        self.states: dict[str, str | None] = {}
        self.have: dict[str, dict[str, str | None]] = {}
        self.take()
        self.double.requests.clear()

    def take(self, key: str = "debian-9") -> list[str]:
        """Read a list, or its changes. Return the names in the order in which they arrived."""
        return self.commit_changes(key, listing := self.clair.listing(key, self.states.get(key)), self.read(listing))

    def commit_changes(self, key: str, listing: ClairListing, found: Iterable[Vulnerability]) -> list[str]:
        """Apply the records that were read."""
        found = list(found)
        self.states[key] = listing.state
        before = self.have.get(key, {}) if listing.partial else {}
        now = before | {each.name: each.fixed_in[0].version if each.fixed_in else None for each in found}
        gone = {name for _, name, _ in listing.gone}
        self.have[key] = {name: version for name, version in now.items() if name not in gone}
        self.listing = listing
        return [each.name for each in found]

    def offered(self, key: str = "debian-9") -> str | None:
        """Return the state of a list in the offers."""
        offers = self.successResultOf(self.deferred(self.clair.offers()))
        return next(offer.state for offer in offers if offer.key == key)

    def change(self, name: str, version: str = "2.0-1", namespace: str = "debian:9") -> None:
        """Change a vulnerability, or create one."""
        self.double.change(namespace, fixed(name, version))

    def assert_unchanged(self, key: str = "debian-9") -> None:
        """Check that the state of a list is that of the last pass."""
        self.assertIsNotNone(self.states[key])
        self.assertEqual(self.offered(key), self.states[key])

    def assert_changed(self, key: str = "debian-9") -> None:
        """Check that the state of a list is a new one."""
        self.assertNotIn(self.offered(key), (None, self.states[key]))

    def assert_taken(self, *names: str, partial: bool = True) -> None:
        """Check the names that are read now, and that the list is unchanged afterwards."""
        self.assertEqual(self.take(), list(names))
        self.assertIs(self.listing.partial, partial)
        self.assert_unchanged()
