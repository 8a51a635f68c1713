"""Reports for the tests of the reporter."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from patches.reporter.report import BareReport, Report, parse_report
from patches.reporter.store import ReportStore
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import to_wire

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
INSTALLED = {"name": "sudo", "version": "1.8", "source": "sudo", "sourceVersion": "1.8", "arch": "amd64"}


def record(name: str, severity: Severity = Severity.HIGH) -> dict[str, Any]:
    """Return a vulnerability as it is in a report."""
    vulnerability = Vulnerability(name, "debian-12", (FixedPackage("sudo", "1.9"),), severity)
    return {**to_wire(vulnerability), "installed": INSTALLED}


def bare_record(name: str, severity: Severity = Severity.HIGH) -> dict[str, Any]:
    """Return a vulnerability as the first scanner sends it: with the members that it knows."""
    full = record(name, severity)
    known = ("name", "affectedPackageName", "affectedPlatform", "detailsHref", "severityRating")
    packages = [{name: package[name] for name in ("name", "version")} for package in full["fixedInPackages"]]
    return {**{name: full[name] for name in known}, "fixedInPackages": packages}


def bare_body(*names: str) -> bytes:
    """Return the body of a report of the first scanner."""
    return json.dumps({"vulnerabilities": [bare_record(name) for name in names]}).encode()


def document(*names: str, host: str = "web1", number: int = 1, **scan: Any) -> dict[str, Any]:
    """Return a report with one vulnerability of each name."""
    facts = {
        "id": f"{host}-{number}",
        "number": number,
        "started": f"2026-11-22T10:{number:02}:00Z",
        "finished": f"2026-11-22T10:{number:02}:30Z",
        "complete": True,
        "revision": "r1",
        "digest": "0" * 64,
        "served": 1200,
        "findings": len(names),
    }
    vulnerabilities = [record(name) for name in names]
    return {"vulnerabilities": vulnerabilities, "host": host, "platform": "debian-12", "scan": {**facts, **scan}}


def body(*names: str, **facts: Any) -> bytes:
    """Return the body of a report."""
    return json.dumps(document(*names, **facts)).encode()


def parsed(content: bytes, peer: str = "192.0.2.1") -> Report | BareReport:
    """Parse a report."""
    return parse_report(io.BytesIO(content), peer)


def findings_of(store: ReportStore, host: str) -> dict[str, Any] | None:
    """Return the state of a host with its findings; ``None`` if it has not reported."""
    file = io.BytesIO()
    return dict(json.loads(file.getvalue())) if store.write_findings(host, file) else None
