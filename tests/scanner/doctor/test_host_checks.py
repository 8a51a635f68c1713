"""Tests for :mod:`patches.scanner.doctor.host_checks`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check
from patches.scanner.doctor.configuration import ConfigurationFacts
from patches.scanner.doctor.doctor_options import DoctorSettings
from patches.scanner.doctor.host_checks import check_outbox, host_checks
from patches.scanner.reporting.outbox import OutboxFacts
from patches.settings import resolve
from tests.integration.sample_host import write_host
from tests.scanner.lists.test_kept import keep


class HostChecksTests(SynchronousTestCase):
    """A host, and what its scans need."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.host = write_host(self.folder / "host", "debian", "12", {"bash": "5"})

    def checks(self, **options: str) -> dict[str, Check]:
        """Return the checks, by their names."""
        given = {"root": str(self.host), "cache": str(self.folder / "cache"), "state-dir": str(self.folder / "state")}
        given |= {name.replace("_", "-"): text for name, text in options.items()}
        made = host_checks(resolve(DoctorSettings, given), ConfigurationFacts())
        return {each.name: each for each in made}

    def test_right(self) -> None:
        """A host that lacks nothing; nothing is created in its folders."""
        found = self.checks(reporter="http://reports.example/")
        self.assertEqual({each.state for each in found.values()}, {OK}, found)
        self.assertEqual(found["packages"].text.partition(",")[0], "1 package of dpkg")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["host"])

    def test_broken(self) -> None:
        """Everything broken at once: each check is made, and says why."""
        (self.folder / "file").write_text("")
        (self.host / "var/lib/dpkg/status").unlink()
        place, absent = str(self.folder / "file"), str(self.folder / "absent")
        found = self.checks(
            reporter="http://reports.example/", cache=place, state_dir=f"{place}/x", verify_key=absent, ignore=absent
        )
        for name in ("files", "packages", "cache folder", "state folder"):
            self.assertEqual(found[name].state, PROBLEM, found[name])
        (self.host / "etc/os-release").unlink()
        self.assertEqual(self.checks()["platform"].state, PROBLEM)
        (self.host / "etc/os-release").write_text("ID=debian\nVERSION_ID=10\n")
        self.assertIn("support ended in 2024-06", self.checks()["platform"].text)

    def test_kept(self) -> None:
        """A stale list is a warning; that of this host, if it is damaged, a problem."""
        keep(self.folder / "cache", "debian-12")
        self.assertEqual(self.checks()["list of debian-12"].state, WARNING)  # it is of the year 2023
        self.assertEqual(self.checks(max_age="365d")["list of debian-12"].state, WARNING)
        next((self.folder / "cache").glob("*.chunks")).unlink()
        check = self.checks()["list of debian-12"]
        self.assertEqual((check.state, check.remedy), (PROBLEM, "patches list update --platform debian-12"))

    def test_outbox(self) -> None:
        """Reports that wait are a warning, rejected ones a problem; the last one that was accepted is named."""
        folder, now = Path("outbox"), 10_000.0
        for facts, state, text in (
            (OutboxFacts(folder), OK, "empty; no report was accepted yet"),
            (OutboxFacts(folder, accepted=2800.0, accepted_number=7), OK, "is number 7, 2 h ago"),
            (OutboxFacts(folder, 2, 9400.0), WARNING, "2 reports not delivered, the oldest for 10 min"),
            (OutboxFacts(folder, 0, None, 1), PROBLEM, "1 report rejected, kept in outbox/rejected"),
        ):
            check = check_outbox(facts, now)
            self.assertEqual((check.state, text in check.text), (state, True), check)
