"""Made-up lists of vulnerabilities, as files in the wire format."""

from __future__ import annotations

from pathlib import Path

from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line


def made_up(number: int, platform: str) -> Vulnerability:
    """Return one vulnerability of one of 500 packages, with names and versions of the usual length."""
    package = FixedPackage(f"package-{number * 7919 % 500}", f"1:{number % 97}.{number % 13}-{number % 5}+deb12u1")
    href = f"https://security-tracker.debian.org/tracker/CVE-2024-{number}"
    return Vulnerability(f"CVE-2024-{number:06d}", platform, (package,), Severity(number % 7), href, source="made-up")


def write_list(path: Path, vulnerabilities: int, platform: str = "debian-12") -> Path:
    """Write a list."""
    with path.open("wb") as file:
        for number in range(vulnerabilities):
            file.write(encode_line(made_up(number, platform)))
    return path
