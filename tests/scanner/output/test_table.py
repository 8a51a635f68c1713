"""The summary: everything is counted, and an incomplete comparison is never called clean."""

from __future__ import annotations

import re

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.os_release import System
from patches.scanner.outcome import Verdict
from patches.scanner.output.table import summary
from tests.scanner.sample_outcomes import FINDINGS, failed, outcome


class SummaryTests(SynchronousTestCase):
    """The summary."""

    def test_counts(self) -> None:
        """Ignored findings are counted separately; so are those without a fix, unless they are shown."""
        text = summary(outcome())
        for line in (
            "2 findings (1 high, 1 medium) of 1 vulnerability id",
            "2 findings are ignored",
            "2 further findings have no fix yet",
        ):
            self.assertIn(line, text)
        text = summary(outcome(with_unfixed=True))
        self.assertIn("4 findings (1 high, 1 medium, 1 negligible, 1 unknown) of 3 vulnerability ids", text)
        self.assertNotIn("further", text)

    def test_facts(self) -> None:
        """The end of support, a pending reboot, and the comparisons that were not possible are shown."""
        text = summary(outcome())
        for line in ("End of life", "Reboot", "1 not covered, 1 not evaluated", "3 comparisons"):
            self.assertIn(line, text)

    def test_headline(self) -> None:
        """The first line says for how many packages a host is clean, that support has ended, and what it is."""
        mint = System("Linux Mint 21.2", "21.2", None, True)
        coverage = evolve(outcome().coverage, affected=())
        clean = outcome(
            findings=(),
            coverage=coverage,
            verdict=Verdict.CLEAN,
            platform="ubuntu-22.04",
            system=mint,
            end_of_life="2027-04",
        )
        first = re.sub(r"\[/?[^]]*\]", "", summary(clean).splitlines()[0])
        self.assertEqual(
            first,
            "web-1 (Linux Mint 21.2, compared as ubuntu-22.04): 0 findings; clean for 3 of 5 packages; "
            "support ended in 2027-04",
        )
        own = outcome(system=System("Debian GNU/Linux 12 (bookworm)", "12"), end_of_life=None)
        self.assertIn("web-1 (debian-12)[/]: 2 findings (1 high, 1 medium)", summary(own))

    def test_not_counted(self) -> None:
        """Findings of old kernels, records of headers, unknown origins and lost entries are told apart."""
        old = evolve(FINDINGS[0], is_old_kernel=True, running=False)
        coverage = evolve(outcome().coverage, origins={"ACME mirror": 2})
        list_info = evolve(outcome().list_info, unread=1)
        text = summary(outcome(findings=(old,), headers=5, coverage=coverage, list_info=list_info))
        for line in (
            "1 finding in older kernels, which are not running: not counted.",
            "5 records of kernel headers or documentation: not counted.",
            "From origin ACME mirror, which is not known: 2 packages, compared.",
            "1 entry of its sources, which the server could not read.",
            "1 package, not covered: not from the distribution.",
        ):
            self.assertIn(line, text)
        self.assertIn(": 0 findings", text)
        self.assertIn(": 1 finding (1 high)", summary(outcome(findings=(old,), with_old_kernels=True)))

    def test_verbose(self) -> None:
        """Packages are named on request."""
        self.assertNotIn("docker-ce", summary(outcome()))
        text = summary(outcome(), verbose=True)
        for line in ("Affected: sudo 1.9-1 amd64", "Not covered: docker-ce", "Not evaluated: linux-image"):
            self.assertIn(line, text)

    def test_command(self) -> None:
        """The last line is the command that installs the upgrades, if there are any."""
        last = summary(outcome(), verbose=True).splitlines()[-1]
        self.assertEqual(last, "[bold]To upgrade:[/] apt-get install --only-upgrade bash libssl3")
        self.assertNotIn("To upgrade", summary(outcome(findings=(), verdict=Verdict.CLEAN)))

    def test_not_clean(self) -> None:
        """An incomplete comparison is not called clean, whatever failed."""
        for verdict in (Verdict.INCOMPLETE, Verdict.UNSUPPORTED, Verdict.ERROR):
            self.assertIn("not a clean result", summary(failed(verdict)))
        self.assertIn("Stale:", summary(outcome(verdict=Verdict.STALE, problem="the list is old")))
        self.assertIn("web-1: Connection", re.sub(r"\[.*?\]", "", summary(evolve(failed(), platform=""))))
