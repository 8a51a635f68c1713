"""Complete real feeds in OSV's format: every record is parsed, or counted as skipped."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.osv.ecosystems import ECOSYSTEMS, Ecosystems
from patches.vulnerability import Severity, Vulnerability
from tests.sources.osv.real_feeds import EVERY_ADVISORY, real_feed


@frozen
class Reading:
    """The result of parsing a feed: its members with vulnerabilities, and counts."""

    members: Counter[str] = field(factory=Counter)
    skipped: Counter[str] = field(factory=Counter)
    platforms: Counter[str] = field(factory=Counter)
    tracks: Counter[tuple[str, str | None]] = field(factory=Counter)
    statuses: Counter[str] = field(factory=Counter)
    severities: Counter[Severity] = field(factory=Counter)
    modules: Counter[str | None] = field(factory=Counter)

    @property
    def fruitful(self) -> int:
        """The number of members with vulnerabilities."""
        return sum(1 for count in self.members.values() if count)

    def take(self, vulnerability: Vulnerability) -> None:
        """Count a vulnerability."""
        self.platforms[vulnerability.platform] += 1
        self.severities[vulnerability.severity] += 1
        self.tracks.update({(vulnerability.platform, package.track) for package in vulnerability.fixed_in})
        self.statuses.update(package.status for package in vulnerability.fixed_in)
        self.modules.update(
            package.module for package in vulnerability.fixed_in if ".module" in (package.version or "")
        )


def read(feed: str, ecosystems: Ecosystems = ECOSYSTEMS) -> Reading:
    """Parse a feed."""
    found = real_feed(feed, ecosystems)
    reading = Reading(found.members, found.skipped)
    names: Counter[tuple[str, str]] = Counter()
    for vulnerability in (each for each in found.vulnerabilities if not each.followed):
        reading.take(vulnerability)
        names[vulnerability.platform, vulnerability.name] += 1
    assert names.total() == len(names), "a name came twice on one platform"
    return reading


class FeedTests(SynchronousTestCase):
    """The local feeds, against known facts about them."""

    def test_almalinux(self) -> None:
        """AlmaLinux: the security advisories, all with a severity."""
        reading = read("AlmaLinux")
        self.assertEqual(reading.skipped, {"not security": 978 + 222})
        self.assertEqual((len(reading.members), reading.fruitful), (5637, 4437))
        self.assertEqual(reading.platforms, {"alma-8": 2040, "alma-9": 1780, "alma-10": 660})
        self.assertLessEqual(reading.severities[Severity.UNKNOWN], 1)
        self.assertGreater(reading.modules.total() - reading.modules[None], 0.75 * reading.modules.total())

    def test_almalinux_all(self) -> None:
        """AlmaLinux: other advisories too, with a row of its own."""
        reading = read("AlmaLinux", EVERY_ADVISORY)
        self.assertEqual((reading.skipped, reading.fruitful), ({}, 5637))
        self.assertEqual(reading.platforms, {"alma-8": 3237, "alma-9": 1783, "alma-10": 660})

    def test_alpine(self) -> None:
        """Alpine: one vulnerability per CVE and release."""
        reading = read("Alpine")
        self.assertEqual((reading.skipped, len(reading.members), reading.fruitful), ({}, 6921, 6921))
        self.assertEqual((reading.platforms["alpine-3.10"], reading.platforms["alpine-3.21"]), (2305, 6257))
        self.assertEqual(reading.statuses, {"fixed": 64438})

    def test_debian(self) -> None:
        """Debian: advisories for all releases since 3.0; one has a version that dpkg refuses, and is unreadable."""
        reading = read("Debian")
        self.assertEqual((reading.skipped, len(reading.members)), ({"unreadable": 1}, 11345))
        self.assertGreaterEqual(reading.fruitful, 11344)
        listed = {"debian-10": 1432, "debian-11": 1535, "debian-12": 871, "debian-13": 428}
        self.assertEqual({name: reading.platforms[name] for name in listed}, listed)

    def test_azurelinux(self) -> None:
        """Azure Linux: a severity each; two versions have a blank after the epoch."""
        reading = read("Azure Linux")
        self.assertEqual((reading.skipped, len(reading.members)), ({}, 3525))
        self.assertEqual(reading.fruitful, 3525)
        self.assertEqual(reading.platforms, {"azurelinux-2.0": 2304, "azurelinux-3.0": 1221})
        self.assertEqual(reading.statuses, {"fixed": 3365, "affected": 160})

    def test_ubuntu(self) -> None:
        """Ubuntu: entries for everyone and for subscribers, per release; what has no fix is affected everywhere."""
        reading = read("Ubuntu")
        self.assertEqual((reading.skipped, len(reading.members), reading.fruitful), ({}, 23877, 23877))
        free = {"16.04": 7900, "18.04": 7867, "20.04": 11395, "22.04": 9877, "23.10": 7068}
        paid = {"16.04": 17468, "18.04": 14096, "20.04": 7606, "22.04": 6372}
        listed = {release: reading.tracks[f"ubuntu-{release}", "esm"] for release in paid}
        self.assertEqual(listed, paid)
        lists = [each for each in real_feed("Ubuntu").vulnerabilities if each.followed]
        names = {
            platform: [name for each in lists if each.platform == platform for name in each.followed]
            for platform in reading.platforms
        }
        for each in names.values():
            self.assertEqual((each, len(each)), (sorted(set(each)), 2992))
        derived = 27676  # entries for subscribers without a fix, of packages without an entry for everyone
        self.assertEqual(reading.statuses["affected"], 76065 - 3)  # three are listed twice
        self.assertEqual(reading.statuses["will_not_fix"], derived)
        self.assertGreaterEqual(min(reading.tracks[f"ubuntu-{name}", None] - free[name] for name in free), 0)
