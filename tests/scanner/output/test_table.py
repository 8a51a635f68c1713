"""The table: everything is shown at every width, and an incomplete comparison is never called clean."""

from __future__ import annotations

import io
import re

from attrs import evolve
from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.os_release import System
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.table import findings_table, summary
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import FINDINGS, SUDO, failed, finding, outcome

WIDTHS = (60, 80, 100, 200)
LONG = finding(
    "openSUSE-SU-2024:12345-1-and-more",
    evolve(SUDO, name="a-package-with-quite-a-long-name-doc", version="1:20240101.1234.5-0ubuntu0.24.04.1~esm3"),
    FixedPackage("sudo", "1:20240102.1234.5-0ubuntu0.24.04.1~esm3", "binary"),
    Severity.NEGLIGIBLE,
)


def drawn(of: Outcome, width: int) -> list[str]:
    """Return the lines of the table of an outcome."""
    text = io.StringIO()
    Console(file=text, width=width, no_color=True).print(findings_table(of.shown, width))
    return text.getvalue().splitlines()


def columns(lines: list[str]) -> list[str]:
    """Join the cells of each column without spaces, so that folded texts are whole again."""
    rows = [re.split("[│┃]", line)[1:-1] for line in lines]
    return ["".join("".join(cells).split()) for cells in zip(*(row for row in rows if row), strict=True)]


class TableTests(SynchronousTestCase):
    """The table of the findings."""

    def test_nothing_is_cut_off(self) -> None:
        """In a terminal of any width every name and version is shown whole, and no line is wider."""
        of = outcome(findings=(*FINDINGS, LONG), with_unfixed=True)
        for width in WIDTHS:
            lines = drawn(of, width)
            self.assertLessEqual(max(map(len, lines)), width)
            self.assertNotIn("…", "".join(lines))
            severities, packages, installed, _, flaws, *_ = columns(lines)
            for each in of.shown:
                for part, column in (
                    (each.severity.name.lower(), severities),
                    (each.package.name, packages),
                    (each.installed_version, installed),
                    (each.vulnerability_id, flaws),
                ):
                    self.assertIn(part, column, width)

    def test_links(self) -> None:
        """Links are shown if the terminal is wide enough."""
        for width in WIDTHS:
            self.assertEqual("Details" in "".join(drawn(outcome(), width)), width >= 140)

    def test_marks(self) -> None:
        """Findings that are ignored, not running, or without a fix are marked."""
        text = "\n".join(drawn(outcome(with_unfixed=True), 200))
        for mark in ("low (ignored)", "not running", "will not fix", "no fix yet", "after 5.2.15-2"):
            self.assertIn(mark, text)
        self.assertNotIn("no fix yet", "\n".join(drawn(outcome(), 200)))


class SummaryTests(SynchronousTestCase):
    """The summary."""

    def test_counts(self) -> None:
        """Ignored findings are counted separately; so are those without a fix, unless they are shown."""
        text = summary(outcome())
        for line in ("2 findings (1 high, 1 medium)", "2 findings are ignored", "2 further findings have no fix yet"):
            self.assertIn(line, text)
        text = summary(outcome(with_unfixed=True))
        self.assertIn("4 findings (1 high, 1 medium, 1 negligible, 1 unknown)", text)
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

    def test_tracks(self) -> None:
        """A fix that is for subscribers says so, and the version that was compared stands beside the installed one."""
        fixed = FixedPackage("openssl", "3.0.17-1+esm1", track="esm")
        sold = evolve(FINDINGS[0], fixed=fixed, track="esm", compared="3.0.15-1")
        text = "\n".join(drawn(outcome(findings=(sold,)), 200))
        self.assertIn("3.0.17-1+esm1 for Ubuntu Pro", text)
        self.assertIn("3.0.16-1~deb12u1 (as 3.0.15-1)", text)

    def test_verbose(self) -> None:
        """Packages are named on request."""
        self.assertNotIn("docker-ce", summary(outcome()))
        text = summary(outcome(), verbose=True)
        for line in ("Affected: sudo 1.9-1 amd64", "Not covered: docker-ce", "Not evaluated: linux-image"):
            self.assertIn(line, text)

    def test_not_clean(self) -> None:
        """An incomplete comparison is not called clean, whatever failed."""
        for verdict in (Verdict.INCOMPLETE, Verdict.UNSUPPORTED, Verdict.ERROR):
            self.assertIn("not a clean result", summary(failed(verdict)))
        self.assertIn("Stale:", summary(outcome(verdict=Verdict.STALE, problem="the list is old")))
        self.assertIn("web-1: Connection", re.sub(r"\[.*?\]", "", summary(evolve(failed(), platform=""))))
