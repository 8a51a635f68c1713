"""Small VEX documents for tests, in the structure of Red Hat's."""

from __future__ import annotations

import json
from typing import Any

from patches.sources.csaf.parser import parse_csaf
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability

PRODUCTS = {
    "BaseOS-9": "cpe:/o:redhat:enterprise_linux:9::baseos",
    "AppStream-8": "cpe:/a:redhat:enterprise_linux:8::appstream",
    "AppStream-8.6-EUS": "cpe:/a:redhat:rhel_eus:8.6::appstream",
    "OpenShift": "cpe:/a:redhat:openshift:4.16::el9",
    "rhel_7": "cpe:/o:redhat:enterprise_linux:7",
    "rhel_8": "cpe:/o:redhat:enterprise_linux:8",
    "rhel_9": "cpe:/o:redhat:enterprise_linux:9",
}
CVE = "CVE-2024-0001"


def product(product_id: str, **helper: str) -> dict[str, Any]:
    """Return a product."""
    return {"name": product_id, "product_id": product_id, "product_identification_helper": helper}


def part(of: str, component: str, whole: str | None = None) -> dict[str, Any]:
    """Return a relationship."""
    return {
        "category": "default_component_of",
        "full_product_name": {"name": "x", "product_id": whole or f"{of}:{component}"},
        "product_reference": component,
        "relates_to_product_reference": of,
    }


def remedy(category: str, *ids: str, **rest: Any) -> dict[str, Any]:
    """Return a remediation."""
    return {"category": category, "product_ids": list(ids), **rest}


def document(purls: dict[str, str], relationships: list[dict[str, Any]], **content: Any) -> dict[str, Any]:
    """
    Return a document.

    :param purls: the packages, by their ids.
    """
    packages = [{"category": "product_version", "product": product(key, purl=purl)} for key, purl in purls.items()]
    releases = [{"category": "product_name", "product": product(key, cpe=cpe)} for key, cpe in PRODUCTS.items()]
    family = {"category": "product_family", "name": "Red Hat Enterprise Linux", "branches": releases}
    vendor = {"category": "vendor", "name": "Red Hat", "branches": [family, *packages]}
    vulnerability = {
        "cve": CVE,
        "references": [{"category": "self", "url": f"https://access.test/{CVE}"}],
        "release_date": "2024-01-02T00:00:00+00:00",
        **content,
    }
    tracking = {"id": CVE, "status": "final"}
    return {
        "document": {"category": "csaf_vex", "tracking": tracking, "aggregate_severity": {"text": "Moderate"}},
        "product_tree": {"branches": [vendor], "relationships": relationships},
        "vulnerabilities": [vulnerability],
    }


def simple(name: str = "curl", cve: str = CVE, **content: Any) -> dict[str, Any]:
    """Return a document of one source package of RHEL 9 without a fix."""
    status = {"known_affected": [f"rhel_9:{name}"]}
    purls = {name: f"pkg:rpm/redhat/{name}?arch=src"}
    made = document(purls, [part("rhel_9", name)], **{"cve": cve, "product_status": status, **content})
    made["document"]["tracking"]["id"] = cve
    return made


def parse(*documents: Any, wanted: tuple[str, ...] | None = None) -> tuple[dict[str, Vulnerability], dict[str, int]]:
    """Parse documents. Return the vulnerabilities by platform, one each, and the counts of skipped entries."""
    context = ParseContext("redhat", wanted)
    members = [(f"2024/{number}.json", json.dumps(each).encode()) for number, each in enumerate(documents)]
    found = list(parse_csaf(members, context))
    assert len({each.platform for each in found}) == len(found), "a platform came twice"
    return {each.platform: each for each in found}, dict(context.skipped)
