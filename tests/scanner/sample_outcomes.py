"""Made-up outcomes of scans, with an example of every fact."""

from __future__ import annotations

from datetime import date
from typing import Any

from attrs import evolve

from patches.scanner.host.kernels import Kernels
from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.outcome import Coverage, ListInfo, Outcome, Verdict
from patches.vulnerability import FixedPackage, Severity, Vulnerability

SCAN_ID = "0123456789abcdef0123456789abcdef"
BASH = Package("bash", "5.2.15-2+b2", "amd64", "bash", "5.2.15-2")
SSL = Package("libssl3", "3.0.16-1~deb12u1", "amd64", "openssl", "3.0.16-1~deb12u1")
SUDO = Package("sudo", "1.9-1", "amd64", "sudo", "1.9-1")
KERNEL = Package("linux-image-6.1.0-18-amd64", "6.1.76-1", "amd64", "linux-signed-amd64", "6.1.76+1")
FOREIGN = Package("docker-ce", "5:27.0", "amd64", "docker-ce", "5:27.0", vendor="Docker")
CVSS = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

ACCEPTED = Ignored("Nobody but root logs in.", date(2026, 3, 1))
NOT_AFFECTED = Ignored(
    "The module is not loaded.", None, status="not_affected", justification="vulnerable_code_not_in_execute_path"
)


def record(name: str, severity: Severity, **more: Any) -> Vulnerability:
    """Return a record of a list."""
    return Vulnerability(name, "debian-12", (), severity, source=more.pop("source", "debian"), **more)


def finding(vulnerability_id: str, package: Package, fixed: FixedPackage, severity: Severity, **more: Any) -> Finding:
    """Return a finding of one record."""
    href = f"https://security-tracker.debian.org/tracker/{vulnerability_id}"
    told = record(
        vulnerability_id,
        severity,
        details_href=href,
        aliases=(f"DSA-{vulnerability_id[-4:]}-1",),
        published="2026-01-01T00:00:00Z",
    )
    return Finding(vulnerability_id, package, fixed, (evolve(told, cvss=more.pop("cvss", None)),), **more)


FINDINGS = (
    finding("CVE-2025-9230", SSL, FixedPackage("openssl", "3.0.17-1"), Severity.HIGH, cvss=CVSS),
    finding("CVE-2025-9230", BASH, FixedPackage("bash", None, last_affected="5.2.15-2"), Severity.MEDIUM),
    finding("CVE-2026-1000", SUDO, FixedPackage("sudo", "1.9-2", "binary"), Severity.LOW, ignored=ACCEPTED),
    finding(
        "CVE-2026-2000",
        KERNEL,
        FixedPackage("linux", "6.1.90-1"),
        Severity.CRITICAL,
        running=False,
        ignored=NOT_AFFECTED,
    ),
)
UNFIXED = (
    finding("CVE-2026-3000", BASH, FixedPackage("bash", None, status="will_not_fix"), Severity.NEGLIGIBLE),
    finding("CVE-2026-4000", BASH, FixedPackage("bash", None, status="affected"), Severity.UNKNOWN),
)
PACKAGES = (BASH, SSL, SUDO, KERNEL, FOREIGN)


def outcome(**changes: Any) -> Outcome:
    """Return the outcome of a scan with an example of every fact."""
    made = Outcome(
        host="web-1",
        platform="debian-12",
        started=1_767_225_600.0,
        finished=1_767_225_602.0,
        verdict=Verdict.FINDINGS,
        scan_id=SCAN_ID,
        coverage=Coverage(
            5,
            (BASH, SSL, SUDO),
            {KERNEL: ("the listed version is not valid",)},
            {FOREIGN: "from Docker"},
            PACKAGES,
            "dpkg",
        ),
        findings=FINDINGS,
        unfixed=UNFIXED,
        not_evaluated={"the listed version is not valid": 3},
        kernels=Kernels(("6.1.0-18-amd64", "6.1.0-20-amd64"), "6.1.0-18-amd64"),
        end_of_life="2025-12",
        list_info=ListInfo(19, "r1", "d1", "2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
    )
    return evolve(made, **changes)


def failed(verdict: Verdict = Verdict.INCOMPLETE, problem: str = "Connection refused", **changes: Any) -> Outcome:
    """Return the outcome of a scan that failed."""
    return Outcome("web-1", "debian-12", 1_767_225_600.0, 1_767_225_602.0, verdict, SCAN_ID, problem, **changes)
