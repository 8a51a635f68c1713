"""Parts of VEX documents for tests."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from patches.scanner.matching.findings import Finding
from tests.scanner.sample_outcomes import FINDINGS

SSL_FLAW, BASH_FLAW, _, _ = FINDINGS
#: The package of :data:`SSL_FLAW`, as other tools name it.
SSL_PURL = "pkg:deb/debian/libssl3@3.0.16-1~deb12u1?arch=amd64"


def on_platform(finding: Finding, platform: str) -> Finding:
    """Return a finding on another platform."""
    return evolve(finding, records=tuple(evolve(record, platform=platform) for record in finding.records))


def product(product_id: str, **helper: str) -> dict[str, Any]:
    """Return the definition of a product of CSAF."""
    whole: dict[str, Any] = {"name": product_id, "product_id": product_id}
    return {**whole, "product_identification_helper": helper} if helper else whole


def part(product_id: str, component: str, platform: str) -> dict[str, Any]:
    """Return a relationship of CSAF: a product that is a component of another."""
    return {
        "category": "default_component_of",
        "full_product_name": product(product_id),
        "product_reference": component,
        "relates_to_product_reference": platform,
    }


def csaf(*vulnerabilities: Any, version: str = "2.0", **tree: Any) -> bytes:
    """Return a CSAF document."""
    head = {"category": "csaf_vex", "csaf_version": version, "title": "t", "tracking": {"status": "final"}}
    return json.dumps({"document": head, "product_tree": tree, "vulnerabilities": list(vulnerabilities)}).encode()


def about(status: str, *products: str, **changes: Any) -> dict[str, Any]:
    """Return a vulnerability of CSAF: that of :data:`SSL_FLAW`, with one status of some products."""
    return {"cve": "CVE-2025-9230", "product_status": {status: list(products)}, **changes}


def bom(*vulnerabilities: Any, **changes: Any) -> bytes:
    """Return a CycloneDX document."""
    whole = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "vulnerabilities": list(vulnerabilities),
    }
    return json.dumps({**whole, **changes}).encode()


def analysed(*affects: Any, state: str = "not_affected", **changes: Any) -> dict[str, Any]:
    """Return a vulnerability of CycloneDX: that of :data:`SSL_FLAW`, with an analysis of some components."""
    analysis = {"state": state, **changes.pop("analysis", {})}
    targets = [{"ref": each} if isinstance(each, str) else each for each in affects]
    return {"id": "CVE-2025-9230", "analysis": analysis, "affects": targets, **changes}
