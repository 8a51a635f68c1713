"""The stored state of each host, in whatever order its reports arrive."""

from __future__ import annotations

import sqlite3
from itertools import permutations
from pathlib import Path
from typing import Any

from sqlalchemy import event
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.schema import StoreError, open_database
from patches.reporter.store import Acceptance, ReportStore
from tests.reporter.sample_reports import NOW, body, findings_of, parsed


class StoreTestCase(SynchronousTestCase):
    """A store on a file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.store = self.open()

    def open(self) -> ReportStore:
        """Open the store, as after a restart."""
        engine = open_database(self.path)
        self.addCleanup(engine.dispose)
        return ReportStore(engine)

    def accept(self, *names: str, **facts: Any) -> Acceptance:
        """Store a report with these vulnerabilities."""
        return self.store.accept(parsed(body(*names, **facts), "192.0.2.1"), NOW)

    def shown(self, host: str = "web1") -> dict[str, Any]:
        """Return the state of a host."""
        state = findings_of(self.store, host)
        assert state is not None
        return state

    def names(self, host: str = "web1") -> list[str]:
        """Return the names of the vulnerabilities of a host."""
        return [vulnerability["name"] for vulnerability in self.shown(host)["vulnerabilities"]]


class KeepingTests(StoreTestCase):
    """One host's reports."""

    def test_stored(self) -> None:
        """A report's findings and facts are stored, and survive a restart."""
        self.assertIs(self.accept("CVE-1", "CVE-2"), Acceptance.STORED)
        self.store = self.open()
        state = self.shown()
        self.assertEqual(self.names(), ["CVE-1", "CVE-2"])
        self.assertEqual((state["host"], state["platform"], state["complete"]), ("web1", "debian-12", True))
        self.assertEqual(state["lastScan"], state["findingsScan"])
        self.assertEqual(state["lastScan"]["finished"], "2026-11-22T10:01:30Z")
        self.assertEqual((state["lastScan"]["served"], state["lastScan"]["findings"]), (1200, 2))
        self.assertEqual(state["vulnerabilities"][0]["installed"]["sourceVersion"], "1.8")

    def test_not_judged(self) -> None:
        """The number of comparisons that were not possible is stored."""
        self.accept(complete=False, problem="cut short", unfixed=3, notEvaluated={"a module": 2})
        last = self.shown()["lastScan"]
        self.assertEqual((last["problem"], last["unfixed"], last["notEvaluated"]), ("cut short", 3, {"a module": 2}))

    def test_counts(self) -> None:
        """Findings are counted by severity, with every severity present."""
        self.accept("CVE-1", "CVE-2")
        self.assertEqual(self.shown()["findings"]["high"], 2)
        self.assertEqual(sum(self.shown()["findings"].values()), 2)
        self.assertIn("urgent", self.shown()["findings"])

    def test_replaced(self) -> None:
        """The next report replaces all findings, even if it has no findings."""
        self.accept("CVE-1", "CVE-2", number=1)
        self.accept("CVE-2", number=2)
        self.assertEqual(self.names(), ["CVE-2"])
        self.accept(number=3)
        self.assertEqual(self.names(), [])
        self.assertEqual(self.shown()["lastScan"]["number"], 3)

    def test_twice(self) -> None:
        """The same scan is stored once."""
        self.accept("CVE-1")
        self.assertIs(self.accept("CVE-1"), Acceptance.KNOWN)
        self.assertIs(self.accept("CVE-2", number=9, id="web1-1"), Acceptance.KNOWN)
        self.assertEqual(self.names(), ["CVE-1"])

    def test_any_order(self) -> None:
        """In whatever order three reports arrive, each of them twice, the newest one is stored."""
        for turn, order in enumerate(permutations((1, 2, 3))):
            host = f"h{turn}"
            for number in (*order, *order):
                self.accept(f"CVE-{number}", number=number, host=host)
            self.assertEqual(self.names(host), ["CVE-3"], order)

    def test_older(self) -> None:
        """An older report is accepted, and changes nothing."""
        self.accept("CVE-2", number=2)
        self.assertIs(self.accept("CVE-1", number=1), Acceptance.OLDER)
        self.assertEqual(self.names(), ["CVE-2"])

    def test_counting_again(self) -> None:
        """A reinstalled scanner counts from one again, but at a later time."""
        self.accept("CVE-9", number=9)
        later = {"started": "2026-11-23T00:00:00Z", "finished": "2026-11-23T00:01:00Z"}
        self.assertIs(self.accept("CVE-1", number=1, id="new", **later), Acceptance.STORED)
        self.assertEqual(self.names(), ["CVE-1"])

    def test_clock_set_back(self) -> None:
        """A scan with a greater number is newer, even if the host's clock was set back in between."""
        self.accept("CVE-1", number=1)
        early = {"started": "2026-11-21T00:00:00Z", "finished": "2026-11-21T00:01:00Z"}
        self.assertIs(self.accept("CVE-2", number=2, **early), Acceptance.STORED)
        self.assertEqual(self.names(), ["CVE-2"])

    def test_read_while_written(self) -> None:
        """A reader sees the state before or after a report that arrives at the same time, never a mixture."""
        self.accept("CVE-1", number=1)
        engine = open_database(self.path)
        self.addCleanup(engine.dispose)
        reading = ReportStore(engine)
        reports = iter([{"number": 2}])

        def report(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            for facts in reports if "FROM findings" in statement else ():
                self.accept("CVE-2", "CVE-3", **facts)

        event.listen(engine, "before_cursor_execute", report)
        for names, number in ((["CVE-1"], 1), (["CVE-2", "CVE-3"], 2)):
            state = findings_of(reading, "web1") or {}
            self.assertEqual([each["name"] for each in state["vulnerabilities"]], names)
            self.assertEqual((state["lastScan"]["number"], state["findings"]["high"]), (number, len(names)))

    def test_several_hosts(self) -> None:
        """Hosts do not affect each other, even if their scans have the same name."""
        self.accept("CVE-1", host="web1", id="x")
        self.accept("CVE-2", host="web2", id="x")
        self.assertEqual((self.names("web1"), self.names("web2")), (["CVE-1"], ["CVE-2"]))
        self.assertIsNone(findings_of(self.store, "web3"))


class IncompleteTests(StoreTestCase):
    """Incomplete scans."""

    def test_after_complete(self) -> None:
        """An incomplete scan is recorded, and the findings of the last complete one remain."""
        self.accept("CVE-1", "CVE-2", number=1)
        self.accept("CVE-1", number=2, complete=False)
        state = self.shown()
        self.assertEqual(self.names(), ["CVE-1", "CVE-2"])
        self.assertFalse(state["complete"])
        self.assertEqual((state["lastScan"]["number"], state["findingsScan"]["number"]), (2, 1))

    def test_several(self) -> None:
        """This holds for any number of incomplete scans, until the next complete one."""
        self.accept("CVE-1", number=1)
        for number in (2, 3, 4):
            self.assertIs(self.accept(number=number, complete=False), Acceptance.STORED)
        self.assertEqual((self.names(), self.shown()["lastScan"]["number"]), (["CVE-1"], 4))
        self.assertIs(self.accept(number=3, complete=False, id="late"), Acceptance.OLDER)
        self.accept("CVE-5", number=5)
        self.assertEqual((self.names(), self.shown()["complete"]), (["CVE-5"], True))

    def test_first(self) -> None:
        """Before the first complete scan, the findings of an incomplete one are shown as incomplete."""
        self.accept("CVE-1", number=1, complete=False)
        self.assertEqual((self.names(), self.shown()["findingsScan"]["complete"]), (["CVE-1"], False))
        self.accept("CVE-2", number=2, complete=False)
        self.assertEqual(self.names(), ["CVE-2"])


class ListTests(StoreTestCase):
    """The list of hosts."""

    def test_pages(self) -> None:
        """Hosts are listed in the order of their names, one page at a time."""
        for host in ("c", "a", "b"):
            self.accept("CVE-1", host=host)
        self.assertEqual([state["host"] for state in self.store.hosts("", 2)], ["a", "b"])
        self.assertEqual([state["host"] for state in self.store.hosts("b", 2)], ["c"])
        self.assertNotIn("vulnerabilities", self.store.hosts("", 1)[0])


class OpeningTests(SynchronousTestCase):
    """Files that are not databases of reports."""

    def test_damaged(self) -> None:
        """A file that becomes damaged is replaced; the request that finds it out fails in one line."""
        path = Path(self.mktemp())
        engine = open_database(path)
        store = ReportStore(engine)
        self.assertEqual(store.hosts("", 9), [])
        engine.dispose()
        path.write_bytes(b"something else" * 1000)
        self.assertNotIn("\n", str(self.assertRaises(StoreError, store.hosts, "", 9)))
        self.assertEqual(store.hosts("", 9), [])
        engine.dispose()

    def test_other_version(self) -> None:
        """A database of another version is refused."""
        path = Path(self.mktemp())
        open_database(path).dispose()
        connection = sqlite3.connect(path)
        connection.execute("UPDATE schema SET version = 99")
        connection.commit()
        connection.close()
        self.assertIn("version is 99", str(self.assertRaises(StoreError, open_database, path)))
