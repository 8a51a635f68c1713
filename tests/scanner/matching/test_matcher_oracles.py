"""Whole real lists against real hosts: exactly the findings of debsecan, dpkg, apk and rpm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package, read_inventory
from patches.scanner.matching.matcher import Match, Matcher
from patches.sources.osv.ecosystems import Target
from patches.vulnerability import FixedPackage, Vulnerability
from tests.shared_data import shared
from tests.sources.osv.real_feeds import EVERY_ADVISORY, real_feed

ATTRIBUTES = ("name", "version", "arch", "source", "source_version")


#: The prefixes of ids of records about one vulnerability; such a record has the vulnerability's name.
FLAWS = ("ALPINE-CVE-", "DEBIAN-CVE-", "UBUNTU-CVE-")


@frozen
class Case:
    """A host, a list, and the findings of another tool."""

    name: str
    content: dict[str, Any]

    @property
    def place(self) -> Target:
        """Return the platform of the list."""
        place = EVERY_ADVISORY.place(self.content["ecosystem"])
        assert isinstance(place, Target), place
        return place

    def expected(self, *classes: str | None) -> set[tuple[str, ...]]:
        """Return the expected findings, each as id, package, architecture and fix."""
        rows = [row for row in self.content["expected"] if row.get("class") in (classes or (None,))]
        return {(row["id"], row["package"], row["arch"], *(row["fixed"] or [""])) for row in rows}


def cases(family: str) -> list[Case]:
    """Return the cases of a family."""
    paths = sorted(shared("data/oracles/matching").glob(f"{family}-*.json"))
    return [Case(path.name, json.loads(path.read_text())) for path in paths]


def vulnerabilities(family: list[Case]) -> dict[str, list[Vulnerability]]:
    """Return the lists of the cases with one feed, by platform."""
    (feed,) = {case.content["feed"] for case in family}
    found: dict[str, list[Vulnerability]] = {case.place.platform: [] for case in family}
    name = Path(feed).parent.name
    listed = real_feed(name, EVERY_ADVISORY) if name == "AlmaLinux" else real_feed(name)
    for vulnerability in listed.vulnerabilities:
        if vulnerability.platform in found:
            found[vulnerability.platform].append(vulnerability)
    return found


def record_id(vulnerability: Vulnerability) -> str:
    """Return the id of the record from which a vulnerability was made."""
    return next((alias for alias in vulnerability.aliases if alias.startswith(FLAWS)), vulnerability.name)


def matches(inventory: Inventory, listed: Iterable[Vulnerability]) -> tuple[list[Match], Counter[str]]:
    """Match all vulnerabilities. Return the findings, and the comparisons that were not possible."""
    subject = Matcher(inventory)
    found = [match for each in listed for match in subject.match(each)]
    assert len(found) == len({(m.vulnerability.name, m.package) for m in found}), "a match came twice"
    return found, subject.not_evaluated


def row_of(match: Match) -> tuple[str, ...]:
    """Return id, package, architecture and fix."""
    return (record_id(match.vulnerability), match.package.name, match.package.arch, match.fixed.version or "")


class OracleTests(SynchronousTestCase):
    """Hosts and lists that other tools have compared."""

    def check(self, family: str) -> int:
        """Compare every case of a family. Return the number of findings."""
        total = 0
        all_cases = cases(family)
        listed = vulnerabilities(all_cases)
        for case in all_cases:
            inventory = read_inventory(shared("data/" + case.content["host"]))
            found, unjudged = matches(inventory, listed[case.place.platform])
            rows, expected = {row_of(match) for match in found}, case.expected()
            self.assertEqual((rows - expected, expected - rows, unjudged), (set(), set(), {}), case.name)
            total += len(rows)
        return total

    def test_debian(self) -> None:
        """Debian 11, 12 and 13 against Debian's advisories."""
        self.assertEqual(self.check("debian"), 42 + 54 + 60)

    def test_alpine(self) -> None:
        """Alpine 3.8 to 3.20 and edge against Alpine's records."""
        self.assertEqual(self.check("alpine"), 22 + 1 + 1 + 1)

    def test_azurelinux(self) -> None:
        """Azure Linux 2, by source package, as rpm orders versions."""
        self.assertEqual(self.check("azurelinux"), 372)

    def test_ubuntu(self) -> None:
        """Ubuntu 18.04 against fixes for everyone; a fix for subscribers only is found as theirs, with its version."""
        free, paid = cases("ubuntu")
        inventory = read_inventory(shared("data/" + free.content["host"]))
        self.assertEqual(inventory.tracks, frozenset())
        listed = vulnerabilities([free, paid])["ubuntu-18.04"]
        found, unjudged = matches(inventory, listed)
        rows = {row_of(match) for match in found if match.track is None}
        sold = {row_of(match) for match in found if match.track == "esm"}
        has_free = {row[:3] for row in free.expected() if row[3]}
        self.assertEqual(sold, {row for row in paid.expected() if row[3] and row[:3] not in has_free})
        listed_free = {row[:3] for row in free.expected()}
        no_fix = {row for row in paid.expected() if not row[3] and row[:3] not in listed_free}
        self.assertEqual((rows, unjudged), (free.expected() | no_fix, {}))
        self.assertEqual((len(free.expected()), len(no_fix), len(sold)), (191, 39, 15))

    def test_ubuntu_pro(self) -> None:
        """The same host as a subscriber: fixes for subscribers take precedence over those for everyone."""
        free, paid = cases("ubuntu")
        inventory = evolve(read_inventory(shared("data/" + paid.content["host"])), tracks=frozenset(("esm",)))
        found, unjudged = matches(inventory, vulnerabilities([free, paid])["ubuntu-18.04"])
        rows = {row_of(match) for match in found if match.fixed.track == "esm"}
        self.assertEqual((rows, unjudged, len(rows)), (paid.expected(), {}, 245))
        self.assertEqual(
            {match.fixed.status for match in found if match.fixed.track is None} - {"fixed", "affected"}, set()
        )

    def test_almalinux(self) -> None:
        """AlmaLinux 8: all fixes for plain builds, and those for the installed streams of modules."""
        (case,) = cases("almalinux")
        inventory = read_inventory(shared("data/" + case.content["host"]))
        listed = vulnerabilities([case])["alma-8"]
        found, unjudged = matches(inventory, listed)
        rows = {row_of(match)[:3] for match in found}
        plain, modular = ({row[:3] for row in case.expected(name)} for name in ("plain", "module"))
        headers = {row for row in plain if row[1] == "kernel-headers"}
        self.assertEqual(rows - modular, plain - headers)
        self.assertEqual((len(plain), len(headers), len(rows & modular), len(modular)), (957, 88, 478, 995))
        self.assertEqual(unjudged, {"the stream of the module is not known": 16})
        self.assertEqual(modular - rows, self.of_other_streams(modular - rows, inventory, listed))

    def of_other_streams(
        self, rows: set[tuple[str, ...]], inventory: Inventory, listed: Iterable[Vulnerability]
    ) -> set[tuple[str, ...]]:
        """Return the findings whose record has no fix for the installed stream."""
        streams = {(each.name, each.arch): (each.module or "").split(":")[:2] for each in inventory.packages}
        fixed = {(each.name, fix.name, fix.module) for each in listed for fix in each.fixed_in}
        return {row for row in rows if (row[0], row[1], ":".join(streams[row[1], row[2]])) not in fixed}

    def test_debsecan(self) -> None:
        """The cases of debsecan's own test suite have the results that its authors expect."""
        cases = json.loads(shared("data/oracles/debsecan-testsuite.json").read_text())
        self.assertEqual(len(cases), 5)
        for case in cases:
            inventory = self.inventory(case["status_file"])
            rows = [tuple(row[a] for a in ATTRIBUTES) for row in case["inventory"]]
            self.assertEqual(set(inventory.packages), {Package(*row) for row in rows}, case["case"])
            versions = {package.source_version for package in inventory.packages}
            listed = [
                Vulnerability(row["id"], "debian", (FixedPackage(row["package"], row["fixed"], row["kind"]),))
                for row in case["vulnerabilities"]
                if versions.isdisjoint(row["also_fixed"])
            ]
            found, unjudged = matches(inventory, listed)
            expected = {(row["id"], row["package"]) for row in case["expected"]}
            self.assertEqual(({row_of(match)[:2] for match in found}, unjudged), (expected, {}), case["case"])

    def inventory(self, status: str) -> Inventory:
        """Read the text of a status file."""
        root = Path(self.mktemp())
        (root / "var/lib/dpkg").mkdir(parents=True)
        (root / "var/lib/dpkg/status").write_text(status)
        return read_inventory(root)
