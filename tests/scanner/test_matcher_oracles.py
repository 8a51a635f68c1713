"""The whole of real lists against real hosts: the findings of debsecan, dpkg, apk and rpm, none missed, none more."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package, read_inventory
from patches.scanner.matcher import Matcher
from patches.vulnerability import FixedPackage, Vulnerability
from tests.shared import shared

ATTRIBUTES = ("name", "version", "arch", "source", "source_version")


@cache
def records(feed: Path) -> list[dict[str, Any]]:
    """Read every record of an OSV archive."""
    with zipfile.ZipFile(feed) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]


def vulnerabilities(feed: Path, ecosystem: str) -> Iterator[Vulnerability]:
    """Give what an OSV archive has for one ecosystem."""
    for record in records(feed):
        affected = [entry for entry in record.get("affected", ()) if entry["package"]["ecosystem"] == ecosystem]
        fixed = tuple(package for entry in affected for package in packages(entry))
        if fixed:
            yield Vulnerability(record["id"], ecosystem, fixed)


def packages(entry: dict[str, Any]) -> Iterator[FixedPackage]:
    """Give the ranges of one affected package."""
    for found in entry.get("ranges", ()):
        introduced = None
        events = [*found["events"], {}] if "fixed" not in found["events"][-1] else found["events"]
        for event in events:
            if "introduced" in event:
                introduced = event["introduced"] if event["introduced"] != "0" else None
            else:
                yield FixedPackage(entry["package"]["name"], event.get("fixed"), introduced=introduced)


def findings(inventory: Inventory, listed: Iterable[Vulnerability]) -> tuple[set[tuple[str, ...]], int]:
    """Match all; give the findings as id, package, architecture and fix, and how many could not be judged."""
    subject = Matcher(inventory)
    found = [finding for each in listed for finding in subject.match(each)]
    rows = [(f.vulnerability.name, f.package.name, f.package.arch, f.fixed.version or "") for f in found]
    assert len(rows) == len({row[:3] for row in rows}), "a finding came twice"
    return set(rows), subject.not_evaluated.total()


class OracleTests(SynchronousTestCase):
    """Hosts and lists that were judged by other means."""

    def check(self, family: str) -> int:
        """Compare every case of a family; give the number of findings."""
        total = 0
        for path in sorted(shared("data/oracles/matching").glob(f"{family}-*.json")):
            case = json.loads(path.read_text())
            inventory = read_inventory(shared("data/" + case["host"]))
            listed = vulnerabilities(shared("data/" + case["feed"]), case["ecosystem"])
            found, unjudged = findings(inventory, listed)
            expected = {(row["id"], row["package"], row["arch"], *(row["fixed"] or [""])) for row in case["expected"]}
            self.assertEqual((found - expected, expected - found, unjudged), (set(), set(), 0), path.name)
            total += len(found)
        return total

    def test_debian(self) -> None:
        """Debian 11, 12 and 13 against Debian's advisories."""
        self.assertEqual(self.check("debian"), 42 + 54 + 60)

    def test_ubuntu(self) -> None:
        """Ubuntu 18.04 against Ubuntu's records, with and without Pro."""
        self.assertEqual(self.check("ubuntu"), 191 + 245)

    def test_alpine(self) -> None:
        """Alpine 3.8 to 3.20 and edge against Alpine's records."""
        self.assertEqual(self.check("alpine"), 22 + 1 + 1 + 1)

    def test_azurelinux(self) -> None:
        """Azure Linux 2, by source package, as rpm orders versions."""
        self.assertEqual(self.check("azurelinux"), 372)

    def test_debsecan(self) -> None:
        """The cases of debsecan's own test suite come out as its authors expect."""
        for case in json.loads(shared("data/oracles/debsecan-testsuite.json").read_text()):
            inventory = self.inventory(case["status_file"])
            rows = [tuple(row[a] for a in ATTRIBUTES) for row in case["inventory"]]
            self.assertEqual(set(inventory.packages), {Package(*row) for row in rows}, case["case"])
            versions = {package.source_version for package in inventory.packages}
            listed = [
                Vulnerability(row["id"], "debian", (FixedPackage(row["package"], row["fixed"], row["kind"]),))
                for row in case["vulnerabilities"]
                if versions.isdisjoint(row["also_fixed"])
            ]
            found, unjudged = findings(inventory, listed)
            expected = {(row["id"], row["package"]) for row in case["expected"]}
            self.assertEqual(({row[:2] for row in found}, unjudged), (expected, 0), case["case"])

    def inventory(self, status: str) -> Inventory:
        """Read the text of a status file."""
        root = Path(self.mktemp())
        (root / "var/lib/dpkg").mkdir(parents=True)
        (root / "var/lib/dpkg/status").write_text(status)
        return read_inventory(root)
