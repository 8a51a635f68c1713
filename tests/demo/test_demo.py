"""The bundled sample: every platform in it is valid, and the sample host has findings with and without a fix."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from patches import demo
from patches.platforms import Platform
from patches.scanner.host.os_release import detect_platform
from patches.scanner.inventory import read_inventory
from patches.scanner.matching.matcher import Match, Matcher
from patches.versions import ordering
from patches.vulnerability import Vulnerability
from patches.wire import decode_lines, encode_line


def sample() -> list[Vulnerability]:
    """Read the sample list."""
    return list(decode_lines(demo.SAMPLE.read_bytes()))


class SampleTests(SynchronousTestCase):
    """The list."""

    def test_wire_form(self) -> None:
        """Every line is in the exact form that the server writes."""
        self.assertEqual(b"".join(map(encode_line, sample())), demo.SAMPLE.read_bytes())

    def test_unique(self) -> None:
        """No platform has two records of the same name."""
        names = Counter((each.name, each.platform) for each in sample())
        self.assertEqual([name for name, count in names.items() if count > 1], [])

    def test_platforms(self) -> None:
        """Each platform has several records, each from its own vendor and with a link to it."""
        platforms = Counter(each.platform for each in sample())
        expected = ["alpine-3.20", "alpine-3.21", "debian-12", "debian-13", "rocky-9", "ubuntu-22.04", "ubuntu-24.04"]
        self.assertEqual(sorted(platforms), expected)
        self.assertGreaterEqual(min(platforms.values()), 4)
        for each in sample():
            self.assertEqual(Platform.from_name(each.platform).family, each.source)
            self.assertTrue(each.details_href.startswith("https://"), each)
            self.assertTrue(each.details_href.endswith(each.name), each)

    def test_packages(self) -> None:
        """Each record names packages as its platform's lists do, with versions that can be ordered."""
        for each in sample():
            platform = Platform.from_name(each.platform)
            sort_key = ordering(platform.version_scheme or "") or str
            self.assertTrue(each.fixed_in, each)
            for package in each.fixed_in:
                self.assertEqual(package.kind, platform.package_kind)
                self.assertTrue(package.version is None or sort_key(package.version))


class HostTests(SynchronousTestCase):
    """The sample host."""

    def findings(self) -> list[Match]:
        """Scan the sample host with the sample list."""
        platform = detect_platform(demo.HOST)
        matcher = Matcher(read_inventory(demo.HOST))
        found = [finding for each in sample() if each.platform == platform for finding in matcher.match(each)]
        self.assertEqual(matcher.not_evaluated.total(), 0)
        return found

    def test_findings(self) -> None:
        """The host has exactly these findings."""
        found = {(finding.vulnerability.name, finding.package.name) for finding in self.findings()}
        expected = {
            ("CVE-2023-45853", "zlib1g"),
            ("CVE-2024-12084", "rsync"),
            ("CVE-2024-12085", "rsync"),
            ("CVE-2024-2961", "libc6"),
            ("CVE-2024-2961", "locales"),
            ("CVE-2024-45490", "libexpat1"),
            ("CVE-2025-26465", "openssh-client"),
            ("CVE-2025-26465", "openssh-server"),
            ("CVE-2025-9230", "libssl3"),
        }
        self.assertEqual(found, expected)

    def test_no_fix(self) -> None:
        """One finding has no fix."""
        self.assertEqual([f.package.name for f in self.findings() if f.fixed.version is None], ["zlib1g"])
