"""Documents of real hosts: every package of a real database has a purl and is a valid component."""

from __future__ import annotations

import json

from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.os_release import detect_platform
from patches.scanner.inventory import Inventory, InventoryError, read_inventory
from patches.scanner.matching.purls import matches_package, purl_of
from patches.scanner.outcome import Coverage
from patches.scanner.output.formats import WRITERS
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.output.format_checks import problems
from tests.scanner.sample_outcomes import finding, outcome
from tests.shared_data import shared


def hosts() -> dict[str, tuple[str, Inventory]]:
    """Read one host of each platform; hosts whose database needs a reader that is not installed are skipped."""
    read: dict[str, tuple[str, Inventory]] = {}
    for folder in sorted(shared("data/hosts").glob("*/*")):
        try:
            read.setdefault(folder.parent.name, (detect_platform(folder), read_inventory(folder)))
        except InventoryError:
            continue
    return read


class HostTests(SynchronousTestCase):
    """Hosts with every kind of package database."""

    def test_purls(self) -> None:
        """A package's purl can be parsed again and names that package."""
        schemes = set()
        for name, (platform, inventory) in hosts().items():
            schemes.add(inventory.scheme)
            for package in inventory.packages:
                purl = PackageURL.from_string(purl_of(package, platform, inventory.scheme).to_string())
                self.assertEqual((purl.name, matches_package(purl, package, platform)), (package.name, True), name)
        self.assertEqual(schemes, {"dpkg", "rpm", "apk"})

    def test_documents(self) -> None:
        """The documents of a host are valid, with a component for each package and at least one finding."""
        for name, (platform, inventory) in hosts().items():
            packages = inventory.packages[:15]
            found = tuple(
                finding(f"CVE-2026-{number:04d}", package, FixedPackage(package.source, "999"), Severity.HIGH)
                for number, package in enumerate(packages[:5])
            )
            coverage = Coverage(len(packages), (), {}, {}, packages, inventory.scheme)
            told = outcome(platform=platform, coverage=coverage, findings=found)
            texts = {form: "".join(make(told)) for form, make in WRITERS.items()}
            for form, text in texts.items():
                self.assertEqual(problems(form, text), [], (name, form))
            components = json.loads(texts["cyclonedx"])["components"]
            purls = {purl_of(package, platform, inventory.scheme).to_string() for package in packages}
            self.assertEqual({each["purl"] for each in components if "purl" in each}, purls, name)
