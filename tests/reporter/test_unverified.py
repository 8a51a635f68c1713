"""The findings of first scanners: merged, bounded, and apart from verified scans."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter import unverified
from patches.reporter.report import BareReport
from patches.reporter.schema import METADATA, open_database
from patches.reporter.store import Acceptance, ReportStore
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from tests.reporter.sample_reports import NOW, bare_body, bare_record, body, findings_of, parsed

ADDRESS = "192.0.2.1"


class MergingTests(SynchronousTestCase):
    """Parts of one host."""

    def setUp(self) -> None:
        self.engine = open_database(Path(self.mktemp()))
        self.addCleanup(self.engine.dispose)
        self.store = ReportStore(self.engine)
        self.now = NOW

    def send(self, *names: str, after: float = 0.0, host: str = ADDRESS) -> None:
        """Send a part, some minutes after the last one."""
        self.accept(bare_body(*names), after, host)

    def accept(self, content: bytes, after: float = 0.0, host: str = ADDRESS) -> Acceptance:
        """Accept a report, some minutes after the last one."""
        self.now += timedelta(minutes=after)
        return self.store.accept(parsed(content, host), self.now)

    def shown(self, host: str = ADDRESS) -> dict[str, Any]:
        """Return the state of a host."""
        state = findings_of(self.store, host)
        assert state is not None
        return state

    def names(self, host: str = ADDRESS) -> list[str]:
        """Return the names of the findings of a host."""
        return [each["name"] for each in self.shown(host)["vulnerabilities"]]

    def test_parts(self) -> None:
        """Parts are merged, and copies dropped; what was received is counted."""
        self.send("CVE-1", "CVE-1", "CVE-2")
        self.send("CVE-2", "CVE-3", after=5)
        self.assertEqual(self.names(), ["CVE-1", "CVE-2", "CVE-3"])
        told = self.shown()["unverified"]
        self.assertEqual((told["by"], told["parts"], told["records"], told["leftOut"]), ("first scanner", 2, 5, 0))
        self.assertEqual((told["began"], told["received"]), ("2026-11-22T12:00:00Z", "2026-11-22T12:05:00Z"))
        self.assertEqual(told["findings"]["high"], 3)

    def test_hosts_apart(self) -> None:
        """Parts of other hosts are not merged."""
        self.send("CVE-1")
        self.send("CVE-2", host="192.0.2.2")
        self.assertEqual((self.names(), self.names("192.0.2.2")), (["CVE-1"], ["CVE-2"]))

    def test_hour(self) -> None:
        """A finding stays for an hour after the last part that has it, and is dropped by the next part."""
        self.send("CVE-1", "CVE-2")
        self.send("CVE-2", after=30)
        self.send("CVE-3", after=30)
        self.assertEqual(self.names(), ["CVE-1", "CVE-2", "CVE-3"])
        self.send("CVE-4", after=0.1)
        self.assertEqual(self.names(), ["CVE-2", "CVE-3", "CVE-4"])
        self.assertEqual(self.shown()["unverified"]["parts"], 4)

    def test_clock_is_set(self) -> None:
        """When the time of day is set, parts are merged as if nothing had happened; what is shown has that time."""
        steady = [NOW.timestamp()]
        self.store = ReportStore(self.engine, lambda: steady[0])
        for minutes in (0, 100_000, -200_000):
            self.send(f"CVE-{minutes}", after=minutes)
            steady[0] += 300
        self.assertEqual(self.names(), ["CVE--200000", "CVE-0", "CVE-100000"])
        told = self.shown()["unverified"]
        received = (NOW - timedelta(minutes=100_000)).replace(tzinfo=None).isoformat()
        self.assertEqual((told["parts"], told["received"]), (3, f"{received}Z"))
        steady[0] += 3301
        self.send("CVE-4")
        self.assertEqual(self.names(), ["CVE-4"])

    def test_next_scan(self) -> None:
        """Parts of the next scan, hours later, are merged with each other only."""
        self.send("CVE-1")
        self.send("CVE-2", after=720)
        self.send("CVE-3", after=5)
        self.assertEqual(self.names(), ["CVE-2", "CVE-3"])
        told = self.shown()["unverified"]
        self.assertEqual((told["parts"], told["records"], told["began"]), (2, 2, "2026-11-23T00:00:00Z"))

    def test_latest_wins(self) -> None:
        """A finding whose severity has changed is the one that came last; the worst findings are shown first."""
        self.send("CVE-1", "CVE-2")
        worst = {"vulnerabilities": [bare_record("CVE-2", Severity.URGENT)]}
        self.accept(json.dumps(worst).encode(), 5)
        self.assertEqual(self.names(), ["CVE-2", "CVE-1"])
        counts = self.shown()["findings"]
        self.assertEqual((counts["urgent"], counts["high"]), (1, 1))

    def test_like_an_incomplete_scan(self) -> None:
        """A host of which only a first scanner has said something looks like one without a complete scan."""
        self.send("CVE-1")
        state = self.shown()
        self.assertEqual((state["host"], state["platform"], state["complete"]), (ADDRESS, "debian-12", False))
        self.assertEqual(state["lastScan"], state["findingsScan"])
        self.assertEqual(state["lastScan"]["problem"], "unverified, by the first scanner")
        self.assertEqual((state["lastScan"]["findings"], state["lastScan"]["digest"]), (1, None))
        (found,) = state["vulnerabilities"]
        self.assertEqual((found["unverified"], found["installed"]), ("first scanner", None))

    def test_verified_stays(self) -> None:
        """The report of a first scanner replaces nothing that a scan has said, in whatever order they come."""
        self.send("CVE-9")
        self.assertIs(self.accept(body("CVE-1", host=ADDRESS)), Acceptance.STORED)
        before = self.shown()
        self.send("CVE-8", after=5)
        state = self.shown()
        told, earlier = state.pop("unverified"), before.pop("unverified")
        self.assertEqual(state, before)
        self.assertEqual((state["complete"], [each["name"] for each in state["vulnerabilities"]]), (True, ["CVE-1"]))
        self.assertNotIn("unverified", state["vulnerabilities"][0])
        self.assertEqual([each["name"] for each in earlier["vulnerabilities"]], ["CVE-9"])
        self.assertEqual([each["name"] for each in told["vulnerabilities"]], ["CVE-8", "CVE-9"])

    def test_verified_alone(self) -> None:
        """A host without a first scanner has nothing that is unverified."""
        self.accept(body("CVE-1"))
        self.assertNotIn("unverified", self.shown("web1"))

    def test_listed(self) -> None:
        """Hosts of both kinds are listed by name, each once, page by page."""
        for host in ("192.0.2.9", "b", ADDRESS):
            self.send("CVE-1", host=host)
        for host in ("a", "b", "c"):
            self.accept(body("CVE-2", host=host))
        seen, after = [], ""
        while page := self.store.hosts(after, 2):
            seen += [(each["host"], each["complete"], "unverified" in each) for each in page]
            after = page[-1]["host"]
        first, both, scanned = (False, True), (True, True), (True, False)
        kinds = {ADDRESS: first, "192.0.2.9": first, "a": scanned, "b": both, "c": scanned}
        self.assertEqual(seen, [(host, *kinds[host]) for host in sorted(kinds)])

    def test_nothing_found(self) -> None:
        """A part without findings is a part; the platform is that of an earlier one."""
        self.send("CVE-1")
        self.send(after=5)
        self.assertEqual((self.names(), self.shown()["platform"]), (["CVE-1"], "debian-12"))

    def test_unreadable(self) -> None:
        """Records that cannot be read are counted."""
        self.accept(json.dumps({"vulnerabilities": [bare_record("CVE-1"), 7, None]}).encode())
        self.assertEqual((self.names(), self.shown()["unverified"]["leftOut"]), (["CVE-1"], 2))

    def test_bounded(self) -> None:
        """A host has a bounded number of such findings; known ones are still renewed."""
        self.patch(unverified, "MOST_FINDINGS", 3)
        self.send("CVE-1", "CVE-2")
        self.send("CVE-1", "CVE-3", "CVE-4", "CVE-5", after=50)
        self.assertEqual((self.names(), self.shown()["unverified"]["leftOut"]), (["CVE-1", "CVE-2", "CVE-3"], 2))
        self.send("CVE-6", after=20)
        self.assertEqual(self.names(), ["CVE-1", "CVE-3", "CVE-6"])

    def test_large_part(self) -> None:
        """A part with thousands of findings, in several copies each, is stored whole."""
        packages = [FixedPackage("a", "1")]
        findings = tuple(Vulnerability(f"CVE-{n:05}", "centos-7", tuple(packages)) for n in range(8000))
        self.store.accept(BareReport(ADDRESS, "centos-7", findings * 4), self.now)
        self.assertEqual(self.names(), [each.name for each in findings])
        self.assertEqual(self.shown()["unverified"]["records"], 32_000)


@given(st.lists(st.tuples(st.integers(0, 90), st.lists(st.integers(0, 5), max_size=6)), max_size=12))
def test_merged_for_an_hour(parts: list[tuple[int, list[int]]]) -> None:
    """After each part, the findings are those of all parts of the last hour, each once, whatever the parts are."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(engine)
    store = ReportStore(engine)
    now, said = datetime(2026, 1, 1, tzinfo=UTC), dict[str, datetime]()
    for minutes, numbers in parts:
        now += timedelta(minutes=minutes)
        names = [f"CVE-{number}" for number in numbers]
        store.accept(parsed(bare_body(*names), ADDRESS), now)
        said |= dict.fromkeys(names, now)
        state = findings_of(store, ADDRESS)
        assert state is not None
        expected = [name for name, time in sorted(said.items()) if now - time <= timedelta(hours=1)]
        assert [each["name"] for each in state["vulnerabilities"]] == expected
    engine.dispose()
